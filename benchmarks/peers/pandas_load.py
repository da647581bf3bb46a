"""The classic two-pass script: count file by file, then filter, merge and build a CSR. Prints one line of JSON."""

import glob
import json
import sys
import time

import numpy as np
import pandas as pd
import scipy.sparse as sp

from load_result import print_load

sources = json.loads(sys.argv[1])
WEIGHTS = {5: 5.0, 4: 4.0, 3: 2.0}


def parts():
    for name in ("haves", "wants", "ratings"):
        for path in sorted(glob.glob(f"{sources[name]}/*.parquet")):
            frame = pd.read_parquet(path, engine="pyarrow")
            if name == "ratings":
                frame = frame[frame["rating"] >= 3]
                frame["confidence"] = frame.pop("rating").map(WEIGHTS).astype("float32")
            else:
                frame["confidence"] = np.float32(3.0 if name == "haves" else 1.5)
            yield frame


begun = time.perf_counter()
users = pd.Series(dtype="int64")
items = pd.Series(dtype="int64")
for frame in parts():
    users = users.add(frame["user_id"].value_counts(), fill_value=0)
    items = items.add(frame["release_id"].value_counts(), fill_value=0)
user_ids = np.sort(users.index[users >= 20].to_numpy())
item_ids = np.sort(items.index[items >= 50].to_numpy())
kept = []
for frame in parts():
    frame = frame[frame["user_id"].isin(user_ids) & frame["release_id"].isin(item_ids)]
    kept.append(frame)
merged = pd.concat(kept).groupby(["user_id", "release_id"], sort=False)["confidence"].max().reset_index()
rows = np.searchsorted(user_ids, merged["user_id"])
columns = np.searchsorted(item_ids, merged["release_id"])
matrix = sp.csr_matrix((merged["confidence"].to_numpy(), (rows, columns)), shape=(len(user_ids), len(item_ids)))
matrix.sort_indices()
print_load(matrix, begun)
