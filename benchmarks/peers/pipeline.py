"""The whole job as teams do it in Python: Parquet, pandas in two passes, scipy, implicit, Qdrant.

pipeline.py '{"haves": "bucket/haves", ..., "s3": {"endpoint": ..., "key": ..., "secret": ...}, "output": ..., ...}'

Prints one line of JSON: the stages with the times of their beginning and end, and what came of them; or at which stage
memory ran out.
"""

import contextlib
import json
import os
import resource
import sys
import time

import implicit
import numpy as np
import pandas as pd
import pyarrow.fs as fs
import pyarrow.parquet as pq
import scipy.sparse as sp
from qdrant_client import QdrantClient, models

settings = json.loads(sys.argv[1])
CONFIDENCES = {"haves": 3.0, "wants": 1.5, "ratings": {5: 5.0, 4: 4.0, 3: 2.0}}
stages = []


@contextlib.contextmanager
def stage(name):
    print(f"{name} ...", file=sys.stderr)
    stages.append({"stage": name, "began": time.time()})
    yield
    stages[-1]["ended"] = time.time()


def storage():
    s3 = settings.get("s3")
    if s3 is None:
        return fs.LocalFileSystem()
    return fs.S3FileSystem(access_key=s3["key"], secret_key=s3["secret"], endpoint_override=s3["endpoint"], region="us-east-1")


def files(filesystem, place):
    infos = filesystem.get_file_info(fs.FileSelector(place, recursive=True))
    return sorted(info.path for info in infos if info.path.endswith(".parquet"))


def read(filesystem, path, columns=None):
    return pq.read_table(path, filesystem=filesystem, columns=columns).to_pandas()


def chunks(filesystem):
    """What users have said of releases, file by file: user_id, release_id, confidence."""
    for name, confidence in CONFIDENCES.items():
        for path in files(filesystem, settings[name]):
            frame = read(filesystem, path)
            if isinstance(confidence, dict):
                frame["confidence"] = frame.pop("rating").map(confidence).astype(np.float32)
                frame = frame.dropna(subset=["confidence"])
            else:
                frame["confidence"] = np.float32(confidence)
            yield frame


def add_counts(counts, column):
    return counts.add(column.value_counts(sort=False), fill_value=0)


def count_active(filesystem):
    """The first pass: ids with enough rows, in ascending order."""
    users = items = pd.Series(dtype=np.int64)
    for frame in chunks(filesystem):
        users = add_counts(users, frame["user_id"])
        items = add_counts(items, frame["release_id"])
    users = users.index[users >= settings["minUser"]].sort_values()
    items = items.index[items >= settings["minItem"]].sort_values()
    return users, items


def build_matrix(filesystem, users, items):
    """The second pass: users by items, the greatest confidence of each pair."""
    matrix = sp.csr_matrix((len(users), len(items)), dtype=np.float32)
    for frame in chunks(filesystem):
        rows, columns = users.get_indexer(frame["user_id"]), items.get_indexer(frame["release_id"])
        kept = (rows >= 0) & (columns >= 0)
        pairs = pd.DataFrame({"row": rows[kept], "column": columns[kept], "confidence": frame["confidence"].to_numpy()[kept]})
        pairs = pairs.groupby(["row", "column"], sort=False)["confidence"].max().reset_index()
        chunk = sp.csr_matrix((pairs["confidence"], (pairs["row"], pairs["column"])), shape=matrix.shape, dtype=np.float32)
        matrix = matrix.maximum(chunk)
    return matrix


def train(matrix):
    model = implicit.als.AlternatingLeastSquares(
        factors=settings["factors"], iterations=settings["iterations"], random_state=settings["seed"]
    )
    model.fit(matrix, show_progress=False)
    return model


def save(model, matrix, users, items):
    np.savez(
        os.path.join(settings["output"], "model.npz"),
        users=users.to_numpy(), items=items.to_numpy(), user_factors=model.user_factors, item_factors=model.item_factors,
    )
    sp.save_npz(os.path.join(settings["output"], "interactions.npz"), matrix, compressed=False)


def read_catalogue(filesystem, items, counts):
    """The payload of each item, by row."""
    catalogue = pd.concat(read(filesystem, path) for path in files(filesystem, settings["releases"]))
    catalogue = catalogue.set_index("release_id").reindex(items)
    catalogue.insert(0, "item_id", items)
    catalogue["interaction_count"] = counts
    return catalogue


def payloads(catalogue):
    for record in catalogue.itertuples(index=False):
        yield {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in record._asdict().items()}


def publish(item_factors, items, catalogue):
    client = QdrantClient(url=settings["qdrant"], timeout=300)
    collection = f"{settings['alias']}-{int(time.time())}"
    vectors = models.VectorParams(size=settings["factors"], distance=models.Distance.COSINE)
    client.create_collection(collection, vectors_config=vectors)
    for field in ("country", "genres", "styles", "artists", "labels"):
        client.create_payload_index(collection, field, models.PayloadSchemaType.KEYWORD)
    for field in ("item_id", "year", "interaction_count"):
        client.create_payload_index(collection, field, models.PayloadSchemaType.INTEGER)
    # Its four processes take batches from a queue of bounded length.
    client.upload_collection(
        collection, vectors=item_factors, payload=payloads(catalogue), ids=items.tolist(),
        batch_size=500, parallel=4, max_retries=3, wait=True,
    )
    while client.get_collection(collection).status != models.CollectionStatus.GREEN:
        time.sleep(0.2)
    points = client.count(collection, exact=True).count
    if points != len(items):
        raise RuntimeError(f"{collection} has {points} points, expected {len(items)}")
    create = models.CreateAlias(collection_name=collection, alias_name=settings["alias"])
    client.update_collection_aliases([models.CreateAliasOperation(create_alias=create)])
    return points


def run():
    filesystem = storage()
    with stage("load"):
        users, items = count_active(filesystem)
        matrix = build_matrix(filesystem, users, items)
    with stage("train"):
        model = train(matrix)
    with stage("save"):
        save(model, matrix, users, items)
    with stage("releases"):
        counts = np.bincount(matrix.indices, minlength=len(items))
        catalogue = read_catalogue(filesystem, items, counts)
    with stage("publish"):
        points = publish(model.item_factors, items, catalogue)
    confidence = float(matrix.data.sum(dtype=np.float64))
    return {"users": len(users), "items": len(items), "entries": int(matrix.nnz), "confidence": confidence, "points": points}


def main():
    # What it writes to, without files that are mapped: more than that is a MemoryError here, and not the machine's end.
    limit = settings["memory"]
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    try:
        outcome = run()
    except MemoryError:
        outcome = {"outOfMemory": stages[-1]["stage"]}
    print(json.dumps({"stages": stages, **outcome}))


if __name__ == "__main__":
    main()
