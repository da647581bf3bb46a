"""irspack's iALS with item features: irspack_features.py FOLDER '{"factors": 64, ...}'

FOLDER holds the matrices interactions.* and features.*, and gets user.f32, item.f32 and predicted.f32: what the features say of
each item. Its loss is half of ours, all terms alike.
"""

import json
import sys
import time

import numpy as np
from interactions import read_interactions
from irspack._version import __version__
from irspack_trainer import make_trainer

folder, options = sys.argv[1], json.loads(sys.argv[2])
interactions = read_interactions(f"{folder}/interactions")
features = read_interactions(f"{folder}/features")
trainer = make_trainer(
    interactions,
    options,
    "IALSPP",
    item_features=features,
    lambda_item_feature=options["featureRegularization"],
)
seconds = []
for _ in range(options["iterations"]):
    start = time.process_time()
    trainer.run_epoch()
    seconds.append(time.process_time() - start)
for name, factors in [
    ("user", trainer.core_trainer.user),
    ("item", trainer.core_trainer.item),
    ("predicted", trainer.transform_item_feature(features)),
]:
    np.ascontiguousarray(factors, dtype=np.float32).tofile(f"{folder}/{name}.f32")
print(json.dumps({"cpuSeconds": seconds, "version": __version__}))
