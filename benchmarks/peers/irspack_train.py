"""irspack's iALS, one epoch at a time: irspack_train.py PREFIX '{"factors": 128, "solver": "cholesky", ...}'

Its loss is half of the `ials` objective: half the sum of c (1 - x.y)^2 + alpha0 (x.y)^2 + reg (n + alpha0 N)^nu |x|^2; of its
'original' loss half of `hkv`, with confidences 1 + r.
"""

import json
import sys
import time

from interactions import read_interactions, say, say_iteration, wait_for_iterate
from irspack._version import __version__
from irspack_trainer import make_trainer

prefix, options = sys.argv[1], json.loads(sys.argv[2])
interactions = read_interactions(prefix)
if options["objective"] == "hkv":
    interactions.data = interactions.data * options["alpha"] - 1
trainer = make_trainer(interactions, options, "ORIGINAL" if options["objective"] == "hkv" else "IALSPP")
say(ready=True, version=__version__)
while True:
    wait_for_iterate(lambda: (trainer.core_trainer.user, trainer.core_trainer.item))
    start = time.perf_counter()
    trainer.run_epoch()
    say_iteration(time.perf_counter() - start)
