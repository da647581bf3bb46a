"""Recall@20 of several models on the same held-out rows, averaged over the same users; what they had is left out.

recall.py '{"haves": ..., "wants": ..., "ratings": ..., "heldOut": ..., "users": 5000, "models": [MODEL.npz, FOLDER of users-*.arrow ...]}'

Prints one line of JSON: the recall of each model, the difference of the first two and its standard error.
"""

import glob
import json
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

LIST = 20
BATCH = 250
settings = json.loads(sys.argv[1])


def read_model(place):
    """Ids and factors of users and items."""
    if place.endswith(".npz"):
        model = np.load(place)
        sides = [(model[side], model[f"{side[:-1]}_factors"]) for side in ("users", "items")]
    else:
        sides = [read_side(glob.glob(f"{place}/{side}-*.arrow")[0]) for side in ("users", "items")]
    return [(pd.Index(ids), factors) for ids, factors in sides]


def read_side(path):
    table = pa.ipc.open_file(path).read_all()
    ids = table["id"].to_numpy()
    vectors = pa.concat_arrays(table["vector"].chunks).flatten().to_numpy()
    return ids, vectors.reshape(len(ids), -1)


def rows_of(folder, users):
    return pq.read_table(folder, columns=["user_id", "release_id"], filters=[("user_id", "in", users)]).to_pandas()


def recalls(model, users, items, known, held_out):
    """Of each user."""
    (user_ids, user_factors), (item_ids, item_factors) = model
    # Items are numbered alike for every model.
    item_factors = item_factors[item_ids.get_indexer(items)]
    found = []
    for first in range(0, len(users), BATCH):
        some = users[first : first + BATCH]
        scores = user_factors[user_ids.get_indexer(some)] @ item_factors.T
        for row, user in enumerate(some):
            scores[row, known[user]] = -np.inf
            best = np.argpartition(scores[row], -LIST)[-LIST:]
            found.append(np.isin(held_out[user], best).mean())
    return np.array(found)


def main():
    loaded = [read_model(place) for place in settings["models"]]
    (users, _), (items, _) = loaded[0]
    for model in loaded[1:]:
        if not (model[0][0].equals(users) and model[1][0].equals(items)):
            raise SystemExit("The models are of different users or items.")
    held_out = pq.read_table(settings["heldOut"]).to_pandas()
    held_out = held_out[held_out["user_id"].isin(users) & held_out["release_id"].isin(items)]
    asked = np.unique(held_out["user_id"])
    if len(asked) > settings["users"]:
        asked = np.sort(np.random.default_rng(1).choice(asked, settings["users"], replace=False))
    known = pd.concat(rows_of(settings[name], asked) for name in ("haves", "wants", "ratings")).drop_duplicates()
    held_out = held_out[held_out["user_id"].isin(asked)].merge(known, how="left", indicator=True)
    held_out = held_out[held_out["_merge"] == "left_only"]
    asked = np.unique(held_out["user_id"])
    known = known[known["release_id"].isin(items)]
    by_user = lambda frame: dict(list(frame.assign(row=items.get_indexer(frame["release_id"])).groupby("user_id")["row"].apply(np.array).items()))
    known, held_out = by_user(known), by_user(held_out)
    each = [recalls(model, asked, items, known, held_out) for model in loaded]
    difference = each[0] - each[-1]
    print(json.dumps({
        "users": len(asked),
        "recalls": [float(recall.mean()) for recall in each],
        "difference": float(difference.mean()),
        "standardError": float(difference.std(ddof=1) / np.sqrt(len(asked))),
    }))


if __name__ == "__main__":
    main()
