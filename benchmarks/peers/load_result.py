"""What the programs that load print of their matrix."""

import json
import time

from process_cost import peak_rss_mb


def print_load(matrix, begun):
    """One line of JSON, after the transposition that every contender makes."""
    transpose = matrix.tocsc()
    seconds = time.perf_counter() - begun
    print(json.dumps({
        "seconds": seconds,
        "cpuSeconds": time.process_time(),
        "users": matrix.shape[0],
        "items": matrix.shape[1],
        "entries": int(transpose.nnz),
        "confidence": float(matrix.data.sum(dtype="float64")),
        "peakRssMb": peak_rss_mb(),
    }))
