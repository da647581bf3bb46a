"""cmfrec's implicit model, trained anew for each number of iterations: cmfrec_train.py PREFIX '{"factors": 128, ...}'

Its confidences are 1 + alpha r. Its training cannot be stepped, so a mark costs a training of that many iterations.
"""

import json
import sys
import time
from importlib.metadata import version

import cmfrec
from interactions import read_interactions, say, say_iteration, wait_for_iterate

prefix, options = sys.argv[1], json.loads(sys.argv[2])
interactions = read_interactions(prefix)
interactions.data = interactions.data * options["alpha"] - 1
interactions = interactions.tocoo()
say(ready=True, version=version("cmfrec"))
factors = ()
while True:
    iterations = wait_for_iterate(lambda: factors)
    model = cmfrec.CMF_implicit(
        k=options["factors"],
        lambda_=options["regularization"],
        alpha=1.0,
        niter=iterations,
        use_cg=True,
        max_cg_steps=3,
        finalize_chol=False,
        use_float=True,
        precompute_for_predictions=False,
        produce_dicts=False,
        nthreads=options["threads"],
        random_state=options["seed"],
    )
    start = time.perf_counter()
    model.fit(interactions)
    factors = (model.A_, model.B_)
    say_iteration(time.perf_counter() - start)
