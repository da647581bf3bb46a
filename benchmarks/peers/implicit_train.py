"""implicit's alternating least squares, one iteration at a time: implicit_train.py PREFIX '{"factors": 128, ...}'"""

import json
import sys

import implicit
from implicit.cpu.als import AlternatingLeastSquares
from interactions import read_interactions, say, say_iteration, wait_for_iterate

prefix, options = sys.argv[1], json.loads(sys.argv[2])
model = AlternatingLeastSquares(
    factors=options["factors"],
    regularization=options["regularization"],
    alpha=options["alpha"],
    use_cg=options["solver"] == "cg",
    num_threads=options["threads"],
    random_state=options["seed"],
    iterations=1_000_000,
)


def after_iteration(iteration, seconds, loss):
    say_iteration(seconds)
    wait_for_iterate(lambda: (model.user_factors, model.item_factors))


interactions = read_interactions(prefix)
say(ready=True, version=implicit.__version__)
wait_for_iterate(lambda: ())
model.fit(interactions, show_progress=False, callback=after_iteration)
