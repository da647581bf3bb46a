"""implicit's exact solver from given factors: implicit_agreement.py PREFIX FACTORS '{"factors": 64, ...}' ITERATIONS...

FACTORS is a float32 file, users first. After each of the numbers of ITERATIONS it writes FACTORS.N: the factors, then
the best 20 items (int32) of each of the `rows`, own items left out.
"""

import json
import sys

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from interactions import read_interactions, say

prefix, path, options = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
wanted = [int(text) for text in sys.argv[4:]]
interactions = read_interactions(prefix)
users, items = interactions.shape
factors = options["factors"]
start = np.fromfile(path, dtype=np.float32).reshape(-1, factors)
rows = np.array(options["rows"], dtype=np.int32)
model = AlternatingLeastSquares(
    factors=factors,
    regularization=options["regularization"],
    alpha=options["alpha"],
    use_cg=False,
    num_threads=options["threads"],
    iterations=max(wanted),
)
model.user_factors = start[:users].copy()
model.item_factors = start[users:].copy()


def after_iteration(iteration, seconds, loss):
    if iteration + 1 not in wanted:
        return
    model._item_norms = None
    lists, _ = model.recommend(rows, interactions[rows], N=20)
    with open(f"{path}.{iteration + 1}", "wb") as file:
        for side in (model.user_factors, model.item_factors):
            np.ascontiguousarray(side, dtype=np.float32).tofile(file)
        np.ascontiguousarray(lists, dtype=np.int32).tofile(file)


model.fit(interactions, show_progress=False, callback=after_iteration)
say(done=True)
