"""The same load with lazy Polars and scipy. Prints one line of JSON."""

import json
import sys
import time

import polars as pl
import scipy.sparse as sp

from load_result import print_load

sources = json.loads(sys.argv[1])

begun = time.perf_counter()
pair = [pl.col("user_id"), pl.col("release_id")]
rating = pl.col("rating").replace_strict({5: 5.0, 4: 4.0, 3: 2.0}, default=None, return_dtype=pl.Float32)
signals = pl.concat([
    pl.scan_parquet(f"{sources['haves']}/*.parquet").select(*pair, pl.lit(3.0, pl.Float32).alias("confidence")),
    pl.scan_parquet(f"{sources['wants']}/*.parquet").select(*pair, pl.lit(1.5, pl.Float32).alias("confidence")),
    pl.scan_parquet(f"{sources['ratings']}/*.parquet").filter(pl.col("rating") >= 3).select(
        *pair, rating.alias("confidence")
    ),
])


def active(column, least):
    counts = signals.group_by(column).len().filter(pl.col("len") >= least)
    return counts.select(column).sort(column).with_row_index(f"{column}_row").collect(engine="streaming")


users = active("user_id", 20)
items = active("release_id", 50)
merged = (
    signals.join(users.lazy(), on="user_id")
    .join(items.lazy(), on="release_id")
    .group_by("user_id_row", "release_id_row")
    .agg(pl.col("confidence").max())
    .collect(engine="streaming")
)
matrix = sp.csr_matrix(
    (
        merged["confidence"].to_numpy(),
        (merged["user_id_row"].to_numpy(), merged["release_id_row"].to_numpy()),
    ),
    shape=(len(users), len(items)),
)
matrix.sort_indices()
print_load(matrix, begun)
