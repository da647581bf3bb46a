"""implicit's recommend and similar_items over given factors: implicit_recommend.py PREFIX FACTORS K THREADS

FACTORS is a float32 file, users first. Speaks JSON lines: it says {"ready": true}, then answers
{"command": "recommend" | "similar", "rows": [...], "limit": N, "single": bool} with the seconds of the call (of each
call, for single rows), those of the processor for all of them, and, with "path", writes the lists: int32 rows, then float32 scores.
"""

import json
import sys
import time

import implicit
import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from interactions import read_interactions, say

prefix, path, factors, threads = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
interactions = read_interactions(prefix)
users, items = interactions.shape
both = np.fromfile(path, dtype=np.float32).reshape(-1, factors)
model = AlternatingLeastSquares(factors=factors, num_threads=threads)
model.user_factors = both[:users]
model.item_factors = both[users:]
model._item_norms = None


def answer(command, rows, limit, own):
    if command == "recommend":
        return model.recommend(rows, own, N=limit, filter_already_liked_items=True)
    return model.similar_items(rows, N=limit)


say(ready=True, version=implicit.__version__)
for line in sys.stdin:
    message = json.loads(line)
    command, limit = message["command"], message["limit"]
    rows = np.array(message["rows"], dtype=np.int32)
    queries = [int(row) for row in rows] if message.get("single") else [rows]
    seconds, started = [], time.process_time()
    for query in queries:
        own = interactions[query] if command == "recommend" else None
        begin = time.perf_counter()
        ids, scores = answer(command, query, limit, own)
        seconds.append(time.perf_counter() - begin)
    cpu = time.process_time() - started
    if "path" in message:
        with open(message["path"], "wb") as file:
            np.ascontiguousarray(ids, dtype=np.int32).tofile(file)
            np.ascontiguousarray(scores, dtype=np.float32).tofile(file)
    say(seconds=seconds, cpuSeconds=cpu)
