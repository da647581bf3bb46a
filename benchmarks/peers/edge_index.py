"""Qdrant's engine in process: vectors of a model in one shard, questions as lines of JSON, one answer per line.

Arguments: prefix of PREFIX.taste and PREFIX.similar (items x k float32), items, k, and JSON with m, ef_construct and
quantization ("none" or "int8").
"""

import json
import shutil
import sys
import tempfile

import numpy as np
import qdrant_edge as edge

prefix, items, k = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
settings = json.loads(sys.argv[4])
folder = tempfile.mkdtemp(prefix="seesaw-edge-")

hnsw = edge.HnswIndexConfig(m=settings["m"], ef_construct=settings["efConstruct"], full_scan_threshold=10)
quantization = (
    edge.ScalarQuantizationConfig(edge.ScalarType.Int8, quantile=0.99)
    if settings["quantization"] == "int8"
    else None
)
distances = {"taste": edge.Distance.Dot, "similar": edge.Distance.Cosine}
vectors = {
    name: edge.EdgeVectorParams(size=k, distance=distance, hnsw_config=hnsw, quantization_config=quantization)
    for name, distance in distances.items()
}
optimizers = edge.EdgeOptimizersConfig(default_segment_number=1, indexing_threshold=1)
shard = edge.EdgeShard.create(folder, edge.EdgeConfig(vectors=vectors, optimizers=optimizers, wal_enabled=False))
data = {name: np.fromfile(f"{prefix}.{name}", dtype=np.float32).reshape(items, k) for name in distances}
for first in range(0, items, 1000):
    last = min(items, first + 1000)
    points = [edge.Point(row, {name: data[name][row].tolist() for name in data}) for row in range(first, last)]
    shard.update(edge.UpdateOperation.upsert_points(points))
shard.optimize()
info = shard.info()
print(json.dumps({"points": info.points_count, "indexed": info.indexed_vectors_count}), flush=True)

for line in sys.stdin:
    question = json.loads(line)
    oversampling = question.get("oversampling")
    params = edge.SearchParams(
        hnsw_ef=question.get("hnswEf"),
        exact=question.get("exact", False),
        quantization=edge.QuantizationSearchParams(rescore=True, oversampling=oversampling) if oversampling else None,
    )
    out = edge.Filter(must_not=[edge.HasIdCondition(set(question["exclude"]))]) if question["exclude"] else None
    query = edge.Query.Nearest(question["vector"], question["using"])
    found = shard.query(edge.QueryRequest(limit=question["limit"], query=query, filter=out, params=params))
    print(json.dumps([point.id for point in found]), flush=True)

shard.close()
shutil.rmtree(folder, ignore_errors=True)
