"""rusket's alternating least squares, trained anew for each number of iterations: rusket_train.py PREFIX '{"factors": 128, ...}'

Its confidences are 1 + alpha r. Its training cannot be stepped, so a mark costs a training of that many iterations.
"""

import json
import sys
import time
from importlib.metadata import version

from interactions import read_interactions, say, say_iteration, wait_for_iterate
from rusket import ALS

prefix, options = sys.argv[1], json.loads(sys.argv[2])
interactions = read_interactions(prefix)
interactions.data = interactions.data * options["alpha"] - 1
say(ready=True, version=version("rusket"))
factors = ()
while True:
    iterations = wait_for_iterate(lambda: factors)
    model = ALS(
        factors=options["factors"],
        regularization=options["regularization"],
        alpha=1.0,
        iterations=iterations,
        seed=options["seed"],
        cg_iters=3,
        anderson_m=5 if options["solver"] == "anderson" else 0,
    )
    start = time.perf_counter()
    model.fit(interactions)
    factors = (model.user_factors, model.item_factors)
    say_iteration(time.perf_counter() - start)
