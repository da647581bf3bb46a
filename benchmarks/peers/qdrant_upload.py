"""Uploads vectors and payloads with qdrant-client's upload_points, four processes, and prints the seconds it took.

qdrant_upload.py URL COLLECTION VECTORS.f32 PAYLOADS.ndjson DIMENSION BATCH PARALLEL
"""

import json
import sys
import time
import warnings

import numpy as np
from qdrant_client import QdrantClient, models

warnings.filterwarnings("ignore")


def points(vectors, payloads):
    with open(payloads) as lines:
        for row, line in enumerate(lines):
            yield models.PointStruct(id=row + 1, vector=vectors[row].tolist(), payload=json.loads(line))


def main():
    url, collection, vectors_path, payloads, dimension, batch, parallel = sys.argv[1:]
    vectors = np.memmap(vectors_path, dtype=np.float32, mode="r").reshape(-1, int(dimension))
    client = QdrantClient(url=url, timeout=300)
    begin = time.perf_counter()
    client.upload_points(collection, points(vectors, payloads), batch_size=int(batch), parallel=int(parallel), wait=True)
    seconds = time.perf_counter() - begin
    count = client.count(collection, exact=True).count
    print(json.dumps({"seconds": seconds, "points": count}))


if __name__ == "__main__":
    main()
