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
from irspack.recommenders.ials import IALSTrainer, str_to_loss_type, str_to_solver_type

folder, options = sys.argv[1], json.loads(sys.argv[2])
interactions = read_interactions(f"{folder}/interactions")
features = read_interactions(f"{folder}/features")
trainer = IALSTrainer(
    interactions,
    n_components=options["factors"],
    alpha0=options["unobservedWeight"],
    reg=options["regularization"],
    nu=options["nu"],
    init_std=0.1,
    solver_type=str_to_solver_type("cg"),
    max_cg_steps=3,
    ialspp_subspace_dimension=64,
    loss_type=str_to_loss_type("IALSPP"),
    random_seed=options["seed"],
    n_threads=options["threads"],
    prediction_time_max_cg_steps=5,
    prediction_time_ialspp_iteration=7,
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
