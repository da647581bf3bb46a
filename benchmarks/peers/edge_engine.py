"""Qdrant's engine in process, asked in the words of the server's REST interface: a line of JSON in, a line out.

{"create": {NAME: {"size", "distance"}}}, {"upsert": [points]}, {"retrieve": [ids]}, {"query": request}. Averages of examples are
made here: the server makes them before it asks the engine.
"""

import json
import shutil
import sys
import tempfile

import numpy as np
import qdrant_edge as edge


def condition(given):
    if "has_id" in given:
        return edge.HasIdCondition(set(given["has_id"]))
    if "is_empty" in given:
        return edge.IsEmptyCondition(given["is_empty"]["key"])
    if "key" not in given:
        return filter_of(given)
    match = given.get("match")
    if match is not None:
        if "value" in match:
            match = edge.MatchValue(match["value"])
        elif "any" in match:
            match = edge.MatchAny(match["any"])
        else:
            match = edge.MatchExcept(match["except"])
    bounds = given.get("range")
    return edge.FieldCondition(given["key"], match=match, range=edge.RangeFloat(**bounds) if bounds else None)


def filter_of(given, exclude=()):
    given = given or {}
    parts = {name: [condition(one) for one in given.get(name) or []] for name in ("must", "should", "must_not")}
    if exclude:
        parts["must_not"].append(edge.HasIdCondition(set(exclude)))
    least = given.get("min_should")
    if least:
        parts["min_should"] = edge.MinShould([condition(one) for one in least["conditions"]], least["min_count"])
    parts = {name: part for name, part in parts.items() if part}
    return edge.Filter(**parts) if parts else None


def expression(given):
    E = edge.Expression
    if isinstance(given, (int, float)):
        return E.Constant(float(given))
    if isinstance(given, str):
        return E.Variable(given)
    (name, value), = given.items() if len(given) == 1 else [("condition", given)]
    if name == "sum":
        return E.Sum([expression(one) for one in value])
    if name == "mult":
        return E.Mult([expression(one) for one in value])
    if name == "div":
        return E.Div(expression(value["left"]), expression(value["right"]), value.get("by_zero_default"))
    if name == "pow":
        return E.Pow(expression(value["base"]), expression(value["exponent"]))
    one_argument = {"neg": E.Neg, "abs": E.Abs, "sqrt": E.Sqrt, "exp": E.Exp, "log10": E.Log10, "ln": E.Ln}
    if name in one_argument:
        return one_argument[name](expression(value))
    return E.Condition(condition(given))


def resolve(shard, using, given, exclude):
    """A vector as it is, or that of a point, which is then left out."""
    if isinstance(given, list):
        return given
    exclude.append(given)
    vector = shard.retrieve([given], with_vector=True, with_payload=False)[0].vector
    return vector[using] if isinstance(vector, dict) else vector


def scoring(shard, given, exclude):
    """The query of the engine for a query of the server."""
    query, using = given.get("query"), given.get("using") or ""
    if query is None:
        return None
    if not isinstance(query, dict):
        query = {"nearest": query}
    if "formula" in query:
        return edge.Formula(expression(query["formula"]), query.get("defaults") or {})
    if "recommend" in query:
        examples = query["recommend"]
        plus, minus = (
            [resolve(shard, using, one, exclude) for one in examples.get(name) or []] for name in ("positive", "negative")
        )
        strategy = examples.get("strategy") or "average_vector"
        if strategy == "average_vector":
            average = np.mean(np.array(plus, np.float32), axis=0)
            if minus:
                average = average + average - np.mean(np.array(minus, np.float32), axis=0)
            return edge.Query.Nearest(average.tolist(), using)
        make = edge.Query.RecommendBestScore if strategy == "best_score" else edge.Query.RecommendSumScores
        return make(edge.RecommendQuery(plus, minus), using)
    vector = resolve(shard, using, query["nearest"], exclude)
    mmr = query.get("mmr")
    if mmr:
        # The server's diversity is the engine's 1 - lambda.
        limit = mmr.get("candidates_limit") or given["limit"]
        return edge.Mmr(vector, 1 - mmr.get("diversity", 0.5), limit, using)
    return edge.Query.Nearest(vector, using)


def ask(shard, given):
    exclude = []
    prefetches = []
    for one in [given["prefetch"]] if isinstance(given.get("prefetch"), dict) else given.get("prefetch") or []:
        left_out = []
        query = scoring(shard, one, left_out)
        prefetches.append(
            edge.Prefetch(
                limit=one["limit"], query=query, filter=filter_of(one.get("filter"), left_out),
                score_threshold=one.get("score_threshold"), params=edge.SearchParams(exact=True),
            )
        )
    query = scoring(shard, given, exclude)
    found = shard.query(
        edge.QueryRequest(
            limit=given["limit"], offset=given.get("offset") or 0, query=query, prefetches=prefetches,
            filter=filter_of(given.get("filter"), exclude), score_threshold=given.get("score_threshold"),
            with_payload=False, params=edge.SearchParams(exact=True),
        )
    )
    return [[point.id, point.score] for point in found]


folder = tempfile.mkdtemp(prefix="seesaw-engine-")
shard = None
for line in sys.stdin:
    (command, given), = json.loads(line).items()
    try:
        if command == "create":
            vectors = {
                name: edge.EdgeVectorParams(size=one["size"], distance=getattr(edge.Distance, one["distance"]))
                for name, one in given.items()
            }
            shard = edge.EdgeShard.create(folder, edge.EdgeConfig(vectors=vectors))
            answer = True
        elif command == "upsert":
            points = [edge.Point(one["id"], one["vector"], one.get("payload")) for one in given]
            shard.update(edge.UpdateOperation.upsert_points(points))
            answer = True
        elif command == "retrieve":
            answer = [[one.id, one.vector, one.payload] for one in shard.retrieve(given, with_vector=True, with_payload=True)]
        else:
            answer = ask(shard, given)
        print(json.dumps({"result": answer}), flush=True)
    except Exception as error:
        print(json.dumps({"error": f"{type(error).__name__}: {error}"}), flush=True)

shutil.rmtree(folder, ignore_errors=True)
