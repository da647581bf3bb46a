"""The merged entries of the matrix: written before training, taken up by the next run of the same data and settings."""

import hashlib
import json

from pyspark.sql import functions as F

from dense_rows import number_ids
from report import JobError, say
from sources import DATA, kind_of_ids, observe, open_source, rows_of
from storage import delete, read_text, write_text

# Of what is written: a change of the form makes older entries unusable.
FORMAT = 1


class Entries:
    """(user, item, user_row, item_row, value), ids (id, row) of both sides, and what is known of them."""

    def __init__(self, spark, directory, about):
        users, items = ({"integer": "bigint", "string": "string"}[about["idKinds"][role]] for role in ("user", "item"))
        schema = f"user {users}, item {items}, user_row int, item_row int, value float"
        self.frame = spark.read.schema(schema).parquet(f"{directory}/entries")
        self.users = spark.read.schema(f"id {users}, row int").parquet(f"{directory}/ids/users")
        self.items = spark.read.schema(f"id {items}, row int").parquet(f"{directory}/ids/items")
        self.about = about


def merge_entries(spark, job, phases):
    """Counts, selects and merges, or takes up what an earlier run has left."""
    directory = job["directory"]
    manifest = f"{directory}/entries.json"
    phases.enter("plan")
    frames = [(source, open_source(spark, source)) for source in job["sources"]]
    fingerprint = fingerprint_of(spark, job)
    text = read_text(spark, manifest)
    if text is not None:
        about = json.loads(text)
        if about["fingerprint"] == fingerprint:
            say("resumed", entries=about["entries"])
            return Entries(spark, directory, {**about, "resumed": True})
        delete(spark, manifest)

    kinds = {role: common_kind(frames, role) for role in ("user", "item")}
    seed = job["seed"]
    observations = [observe(source) for source, _ in frames]
    observed = union(rows_of(frame, source, kinds, seed, each) for (source, frame), each in zip(frames, observations))
    rows = union(rows_of(frame, source, kinds, seed) for source, frame in frames)
    phases.enter("count users")
    least = job["thresholds"]
    users, user_counts = number_ids(spark, observed, "user", kinds["user"], least["user"], f"{directory}/ids/users")
    phases.enter("count items")
    items, item_counts = number_ids(spark, rows, "item", kinds["item"], least["item"], f"{directory}/ids/items")
    phases.enter("merge")
    merged = (
        rows.join(users.select(F.col("id").alias("user"), F.col("row").alias("user_row")), "user")
        .join(items.select(F.col("id").alias("item"), F.col("row").alias("item_row")), "item")
        .groupBy("user_row", "item_row")
        # Ids ride along: a row has one.
        .agg(F.first("user").alias("user"), F.first("item").alias("item"), F.max("value").alias("value"))
        .select("user", "item", "user_row", "item_row", "value")
    )
    merged.write.mode("overwrite").parquet(f"{directory}/entries")
    totals = (
        spark.read.schema("value float")
        .parquet(f"{directory}/entries")
        .agg(F.count(F.lit(1)).alias("entries"), F.sum("value").alias("sum"), F.min("value").alias("least"))
        .first()
    )
    if totals["entries"] == 0:
        raise JobError("empty", "Nothing is left: no active user has an active item. Lower the thresholds, or sample less.")
    about = {
        "format": FORMAT,
        "fingerprint": fingerprint,
        "entries": totals["entries"],
        "confidenceSum": totals["sum"],
        "leastConfidence": totals["least"],
        "users": user_counts,
        "items": item_counts,
        "idKinds": kinds,
        "sources": [{"name": source["name"], **each.get} for (source, _), each in zip(frames, observations)],
    }
    # Last: what it describes is complete.
    write_text(spark, manifest, json.dumps(about, indent=2) + "\n")
    return Entries(spark, directory, {**about, "resumed": False})


def fingerprint_of(spark, job):
    """Of all that decides the entries: the settings, and every file's path, length and time of modification."""
    settings = {key: job[key] for key in ("sources", "thresholds", "seed")}
    digest = hashlib.sha256(json.dumps([FORMAT, settings], sort_keys=True).encode())
    files = union(list_files(spark, source) for source in job["sources"]).collect()
    for file in sorted(files):
        digest.update(json.dumps(list(file)).encode())
    return digest.hexdigest()


def list_files(spark, source):
    """(name of the source, path, length, time): the content of a file is a column too, and is not read unless asked for."""
    reader = spark.read.format("binaryFile").option("recursiveFileLookup", "true")
    if not source["listed"]:
        reader = reader.option("pathGlobFilter", DATA)
    modified = F.unix_micros("modificationTime")
    return reader.load(source["paths"]).select(F.lit(source["name"]).alias("source"), "path", "length", modified)


def common_kind(frames, role):
    kinds = {source["name"]: kind_of_ids(frame, source, role) for source, frame in frames}
    if len(set(kinds.values())) > 1:
        found = ", ".join(f'"{name}" has {kind}s' for name, kind in kinds.items())
        raise JobError("schema", f"All sources need {role} ids of one kind, strings or integers: {found}.")
    return next(iter(kinds.values()))


def union(frames):
    result = None
    for frame in frames:
        result = frame if result is None else result.unionByName(frame)
    return result
