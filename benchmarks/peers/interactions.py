"""Reads the matrices that benchmarks/cached-interactions.ts writes, and speaks the benchmark's protocol.

The protocol is JSON lines: a program says {"ready": true}, then answers {"command": "iterate", "iteration": n} with the seconds
of one more iteration, its n-th, those of the processor, all threads, and its peak memory so far; a library that cannot be
stepped trains anew, n iterations, and {"command": "factors", "path": ...} by
writing its factors as float32, users first. It ends with its input.
"""

import json
import sys
import time

import numpy as np
from process_cost import peak_rss_mb
from scipy.sparse import csr_matrix


def read_interactions(prefix):
    with open(f"{prefix}.json") as file:
        shape = json.load(file)
    indptr = np.fromfile(f"{prefix}.indptr.i64", dtype=np.int64)
    indices = np.fromfile(f"{prefix}.indices.i32", dtype=np.int32)
    data = np.fromfile(f"{prefix}.data.f32", dtype=np.float32)
    # implicit and irspack index with 32 bits as long as the entries allow it; scipy would keep 64 for both arrays.
    if len(indices) < 2**31:
        indptr = indptr.astype(np.int32)
    return csr_matrix((data, indices, indptr), shape=(shape["users"], shape["items"]), copy=False)


def say(**fields):
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()


def wait_for_iterate(factors):
    """Returns the number of the iteration that the benchmark asks for; ends the program when it asks for none."""
    global started
    for line in sys.stdin:
        message = json.loads(line)
        if message["command"] == "iterate":
            started = time.process_time()
            return message["iteration"]
        if message["command"] == "factors":
            with open(message["path"], "wb") as file:
                for side in factors():
                    np.ascontiguousarray(side, dtype=np.float32).tofile(file)
            say(written=True)
    sys.exit(0)


def say_iteration(seconds):
    say(seconds=seconds, cpuSeconds=time.process_time() - started, peakRssMb=peak_rss_mb())
