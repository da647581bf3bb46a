"""Seconds of one iteration of implicit's Cholesky solver, extrapolated from every STEP-th row of both sides.

implicit_cholesky_part.py PREFIX FACTORS STEP THREADS. The Gram matrix, which is computed once a half-sweep whatever the rows, is
timed apart and counted once.
"""

import json
import sys
import time

import numpy as np
from implicit.cpu._als import least_squares
from interactions import read_interactions

prefix, factors, step, threads = sys.argv[1], *map(int, sys.argv[2:])
interactions = read_interactions(prefix)
random = np.random.RandomState(1)


def half_sweep(rows):
    fixed = random.rand(rows.shape[1], factors).astype(np.float32) * 0.01
    start = time.perf_counter()
    fixed.T.dot(fixed)
    gram = time.perf_counter() - start
    part = rows[::step].tocsr()
    start = time.perf_counter()
    least_squares(part, np.zeros((part.shape[0], factors), np.float32), fixed, 0.01, num_threads=threads)
    solve = time.perf_counter() - start - gram
    return gram + solve * rows.shape[0] / part.shape[0]


print(json.dumps({"seconds": half_sweep(interactions) + half_sweep(interactions.T.tocsr())}))
