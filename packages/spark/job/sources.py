"""Parquet of a source as rows (user, item, value): ids valid, user in the sample, a confidence for the value."""

from pyspark.errors import AnalysisException
from pyspark.sql import Observation, functions as F, types as T

from report import JobError
from user_hash import string_hash, user_hash

# Why a row was left out, in the order of the checks; 0 is kept.
KEPT, NULL_ID, NEGATIVE_ID, NOT_SAMPLED, NO_CONFIDENCE = range(5)
OUTCOMES = {
    "counted": KEPT,
    "nullIds": NULL_ID,
    "negativeIds": NEGATIVE_ID,
    "notSampled": NOT_SAMPLED,
    "withoutConfidence": NO_CONFIDENCE,
}
INTEGERS = (T.ByteType, T.ShortType, T.IntegerType, T.LongType)
NUMBERS = (*INTEGERS, T.FloatType, T.DoubleType, T.DecimalType)
# Names of data in a folder, in any case. What begins with _ or . Spark leaves out itself.
DATA = "*.{[pP][aA][rR][qQ][uU][eE][tT],[pP][aA][rR][qQ],[pP][qQ]}"
# The first integer that is not held exactly as a double.
UNSAFE = 2**53


def open_source(spark, source):
    """The files as they are. A folder stands for all data below it; hive partitions are no columns."""
    reader = spark.read.option("recursiveFileLookup", "true")
    if not source["listed"]:
        reader = reader.option("pathGlobFilter", DATA)
    try:
        return reader.parquet(*source["paths"])
    except AnalysisException as error:
        where = ", ".join(source["paths"][:3])
        known = {"PATH_NOT_FOUND": "missing", "UNABLE_TO_INFER_SCHEMA": "missing"}
        code = known.get((error.getCondition() or "").split(".")[0])
        if code is None:
            raise
        raise JobError(
            code, f'Source "{source["name"]}": no Parquet file at {where}. Expected a folder with *.parquet below it, or files.'
        ) from error


def kind_of_ids(frame, source, role):
    """'integer' or 'string'."""
    name, type_ = found_column(frame, source, role)
    if isinstance(type_, INTEGERS) or (isinstance(type_, T.DecimalType) and type_.scale == 0):
        return "integer"
    if isinstance(type_, T.StringType):
        return "string"
    raise wrong_column(source, name, type_.simpleString(), f"integers or strings, for {role} ids")


def rows_of(frame, source, kinds, seed, observation=None):
    """Rows that count. The observation, if any, is told how many rows there were and why others were left out."""
    user = id_column(frame, source, "user", kinds)
    item = id_column(frame, source, "item", kinds)
    value = confidence_column(frame, source)
    rows = frame.select(user.alias("user"), item.alias("item"), value.alias("value"))
    outcome = F.when(F.col("user").isNull() | F.col("item").isNull(), NULL_ID)
    for role in ("user", "item"):
        if kinds[role] == "integer":
            outcome = outcome.when(F.col(role) < 0, NEGATIVE_ID)
    if source["below"] < 2**32:
        hashed = user_hash if kinds["user"] == "integer" else string_hash
        outcome = outcome.when(hashed(F.col("user"), seed) >= F.lit(source["below"]), NOT_SAMPLED)
    # NaN is above infinity in Spark's order, so one comparison leaves out both.
    weighed = F.col("value").isNotNull() & (F.col("value") > 0) & (F.col("value") < F.lit(float("inf")))
    outcome = outcome.when(~weighed, NO_CONFIDENCE).otherwise(KEPT)
    rows = rows.withColumn("outcome", outcome)
    if observation is not None:
        counts = [F.count_if(F.col("outcome") == code).alias(name) for name, code in OUTCOMES.items()]
        rows = rows.observe(observation, F.count(F.lit(1)).alias("rows"), *counts)
    return rows.where(F.col("outcome") == KEPT).drop("outcome")


def observe(source):
    return Observation(f"rows of {source['name']}")


def id_column(frame, source, role, kinds):
    name, type_ = found_column(frame, source, role)
    column = named(frame, name)
    if kinds[role] == "string":
        return column
    if isinstance(type_, T.DecimalType):
        # Unsigned 64-bit numbers are decimals here. What is too large becomes the first id that is refused, not an overflow.
        column = F.least(column, F.lit(UNSAFE).cast(type_)) if type_.precision > 16 else column
    return column.cast("bigint")


def confidence_column(frame, source):
    confidence = source["confidence"]
    if confidence["way"] == "constant":
        return F.lit(confidence["value"]).cast("float")
    name, type_ = found_column(frame, source, "confidence")
    column = named(frame, name)
    if confidence["way"] == "weight":
        if not isinstance(type_, NUMBERS):
            raise wrong_column(source, name, type_.simpleString(), "numbers, for weighted confidences")
        number = column.cast("double")
        scaled = number if confidence["weight"] == "linear" else F.log1p(number)
        return (F.lit(confidence["offset"]) + F.lit(confidence["factor"]) * scaled).cast("float")
    pairs = confidence["values"]
    if isinstance(type_, T.StringType):
        keys = [(F.lit(key), value) for key, value in pairs]
    elif isinstance(type_, (*NUMBERS, T.BooleanType)):
        numbers = [(number_of(key), value) for key, value in pairs]
        if not all(key is not None for key, _ in numbers):
            raise wrong_column(source, name, type_.simpleString(), "strings like the values given")
        # A float column holds 3.7 in single precision: so must the key.
        single = isinstance(type_, T.FloatType)
        keys = [(F.lit(key).cast("float").cast("double") if single else F.lit(key), value) for key, value in numbers]
        column = column.cast("double")
    else:
        raise wrong_column(source, name, type_.simpleString(), "numbers or strings, for confidences")
    table = F.create_map(*[cell for key, value in keys for cell in (key, F.lit(value).cast("float"))])
    return F.when(column.isNotNull(), table[column])


def found_column(frame, source, role):
    name = source["confidence"]["column"] if role == "confidence" else source[role]
    try:
        return name, frame.select(named(frame, name)).schema[0].dataType
    except AnalysisException as error:
        if (error.getCondition() or "").startswith("UNRESOLVED_COLUMN"):
            found = f"no such column (it has: {', '.join(frame.columns)})"
            raise wrong_column(source, name, found, f"a column of {role} ids" if role != "confidence" else "a column") from None
        raise


def named(frame, name):
    """A column by its name; a name with dots that is no column's is a path into a struct."""
    return F.col(f"`{name}`" if name in frame.columns else name)


def number_of(key):
    try:
        return float(key)
    except ValueError:
        return None


def wrong_column(source, name, found, expected):
    return JobError("schema", f'Source "{source["name"]}": column "{name}": found {found}, expected {expected}.')
