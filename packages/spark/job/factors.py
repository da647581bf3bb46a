"""Training by MLlib, and its factors as Parquet."""

from pyspark.ml.recommendation import ALS
from pyspark.sql import functions as F

from report import JobError
from storage import delete, make_temporary
from user_hash import pair_hash

# A reader decodes a row group at a time, and skips whole ones: 16 MB are 31,000 rows of 128 factors.
ROW_GROUP_BYTES = 16 << 20


def known_and_held_out(entries, job):
    """The entries to train on, and those held out, by the hash of the pair's ids."""
    below = job["heldOutBelow"]
    if below == 0:
        return entries.frame, None
    held = pair_hash(F.col("user"), F.col("item"), job["seed"]) < F.lit(below)
    return entries.frame.where(~held), entries.frame.where(held)


def check_confidences(entries, alpha):
    """Spark's confidence is 1 + |r| and its preference r > 0: below 1, an entry turns into a dislike."""
    least = entries.about["leastConfidence"]
    if least * alpha > 1:
        return
    raise JobError(
        "confidence",
        f"The least confidence is {least:g}, with alpha {alpha:g} it is {least * alpha:g}; Spark's ALS needs more than 1, "
        f"since it trains on confidence - 1. Multiply all confidences, or alpha, by more than {1 / (least * alpha):g}.",
    )


def fit(spark, job, known):
    """hkv with λ scaled by the count: Spark's implicit ALS with alpha 1 on r = alpha · value - 1."""
    checkpoints = f'{job["directory"]}/checkpoint'
    make_temporary(spark, checkpoints)
    # Without one, the lineage of some 30 iterations overflows the stack.
    spark.sparkContext.setCheckpointDir(checkpoints)
    ratings = known.select("user_row", "item_row", (F.col("value") * F.lit(job["alpha"]) - F.lit(1.0)).cast("float").alias("r"))
    als = ALS(
        rank=job["factors"],
        maxIter=job["iterations"],
        regParam=job["regularization"],
        implicitPrefs=True,
        alpha=1.0,
        userCol="user_row",
        itemCol="item_row",
        ratingCol="r",
        numUserBlocks=job["blocks"],
        numItemBlocks=job["blocks"],
        checkpointInterval=job["checkpointInterval"],
        seed=job["seed"],
    )
    return als.fit(ratings)


def write_side(job, entries, side, factors):
    """(id, row, vector, interaction_count) in ascending order of id. A row without entries has a vector of zeros."""
    row = {"users": "user_row", "items": "item_row"}[side]
    ids = {"users": entries.users, "items": entries.items}[side]
    counts = entries.frame.groupBy(F.col(row).alias("row")).agg(F.count(F.lit(1)).cast("int").alias("interaction_count"))
    factors = factors.select(F.col("id").alias("row"), F.col("features").alias("vector"))
    zeros = F.array_repeat(F.lit(0.0).cast("float"), job["factors"])
    vectors = (
        ids.join(factors, "row", "left")
        .join(counts, "row", "left")
        .select(
            "id",
            "row",
            F.coalesce("vector", zeros).alias("vector"),
            F.coalesce("interaction_count", F.lit(0)).alias("interaction_count"),
        )
    )
    (
        vectors.sort("row")
        .write.mode("overwrite")
        .option("parquet.block.size", ROW_GROUP_BYTES)
        # Factors do not repeat: a dictionary would be built and thrown away.
        .option("parquet.enable.dictionary#vector.list.element", "false")
        .parquet(f'{job["directory"]}/{side}')
    )


def write_held_out(spark, job, entries, known, held_out):
    """For at most so many users: their vectors, and their entries with a mark on those that were held out."""
    directory = f'{job["directory"]}/held-out'
    chosen = (
        held_out.select("user_row", "user")
        .distinct()
        .orderBy(F.xxhash64("user", F.lit(job["seed"])), "user_row")
        .limit(job["heldOutUsers"])
        .select("user_row")
    )
    chosen.write.mode("overwrite").parquet(f"{directory}/chosen")
    chosen = spark.read.parquet(f"{directory}/chosen")
    marked = known.withColumn("held_out", F.lit(False)).unionByName(held_out.withColumn("held_out", F.lit(True)))
    marked = marked.join(F.broadcast(chosen), "user_row").select("user_row", "item_row", "value", "held_out")
    marked.sort("user_row", "item_row").write.mode("overwrite").parquet(f"{directory}/entries")
    users = spark.read.parquet(f'{job["directory"]}/users').join(F.broadcast(chosen.withColumnRenamed("user_row", "row")), "row")
    users.select("id", "row", "vector").sort("row").write.mode("overwrite").parquet(f"{directory}/users")
    delete(spark, f"{directory}/chosen")
