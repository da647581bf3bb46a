"""Ids of active users or items with their row: 0, 1, 2, ... in ascending order of id, as the loader numbers them.

MLlib takes 32-bit ids and puts id modulo blocks into a block: ids that share a divisor would meet in one. Rows solve both.
Nothing is collected but one number a partition.
"""

from pyspark.sql import functions as F

from report import JobError
from sources import UNSAFE
from storage import delete, written

# monotonically_increasing_id: the partition from bit 33 on, the place in it below.
PLACE_BITS = 33


def number_ids(spark, rows, column, kind, least, path):
    """Writes (id, row) of the ids with at least `least` rows; returns them and how many ids were seen and are active."""
    id_type = {"integer": "bigint", "string": "string"}[kind]
    counts = rows.groupBy(F.col(column).alias("id")).count()
    counts = written(spark, counts, f"{path}.counts", f"id {id_type}, count bigint")
    active_ids = counts.where(F.col("count") >= least).select("id")
    unnumbered = in_order(spark, active_ids)
    unnumbered = written(spark, unnumbered, f"{path}.unnumbered", f"id {id_type}, part int, place bigint")
    seen = counts.count()
    offsets, active = offsets_of(unnumbered, column)
    if active == 0:
        raise JobError(
            "empty",
            f"Nothing is left: of {seen} {column}s, none has {least} rows. Lower thresholds.{column}, or sample less.",
        )
    if active >= 2**31:
        raise JobError("ids", f"{active} {column}s are active, MLlib takes at most 2^31 - 1. Raise thresholds.{column}.")
    offset = F.create_map(*[F.lit(cell) for pair in offsets.items() for cell in pair])[F.col("part")]
    ids = unnumbered.select("id", (offset + F.col("place")).cast("int").alias("row"))
    ids = written(spark, ids, path, f"id {id_type}, row int")
    for folder in (".counts", ".unnumbered"):
        delete(spark, path + folder)
    return ids, {"seen": seen, "active": active}


def offsets_of(unnumbered, column):
    """The row of the first id of each partition, and how many ids there are."""
    sizes = unnumbered.groupBy("part").agg(F.count(F.lit(1)).alias("ids"), F.max("id").alias("last")).collect()
    offsets, total = {}, 0
    for size in sorted(sizes, key=lambda size: size["part"]):
        offsets[size["part"]] = total
        total += size["ids"]
        if isinstance(size["last"], int) and size["last"] >= UNSAFE:
            raise JobError(
                "ids", f"{column} ids reach {size['last']}; ids from 2^53 on cannot be held exactly. Store them as strings."
            )
    return offsets, total


def in_order(spark, ids):
    """Ids sorted by ranges, with their partition and their place in it."""
    partitions = int(spark.conf.get("spark.sql.shuffle.partitions"))
    place = F.monotonically_increasing_id()
    return (
        ids.repartitionByRange(partitions, "id")
        .sortWithinPartitions("id")
        .select(
            "id",
            F.shiftright(place, PLACE_BITS).cast("int").alias("part"),
            place.bitwiseAND(F.lit(2**PLACE_BITS - 1)).alias("place"),
        )
    )
