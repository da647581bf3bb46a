"""Writes Parquet files as pyarrow and polars do: one JSON object per line in, one line out when the file is there.

{"from": a Parquet file with the rows, "to": path, "program": "pyarrow" | "polars", "variant": decides the rest, ...}
"""
import json
import os
import random
import sys

import polars
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq


def with_pyarrow(job):
    choose = random.Random(job["variant"])
    table = pq.read_table(job["from"])
    for at, field in enumerate(table.schema):
        column = changed(choose, table.column(at), field)
        table = table.set_column(at, pa.field(field.name, column.type), column)
    columns = [table.column(at) for at in range(table.num_columns)]
    names = list(table.column_names)
    if choose.random() < 0.2:
        # Two columns of one name, and one of nulls alone, that nobody asks for.
        columns += [pa.array(range(table.num_rows)), pa.array(range(table.num_rows)), pa.nulls(table.num_rows)]
        names += ["twice", "twice", "void"]
    table = pa.Table.from_arrays(columns, names=names)
    deltas = choose.random() < 0.3
    options = {
        "compression": {"lz4_raw": "lz4", "uncompressed": "none"}.get(job["codec"], job["codec"]),
        "use_dictionary": job["dictionary"] and not deltas,
        "data_page_version": "2.0" if job["version"] == "V2" else "1.0",
        "data_page_size": choose.choice([1 << 20, 1 << 20, 2000]),
        "write_statistics": choose.random() < 0.7,
        "store_schema": choose.random() < 0.7,
        "write_page_index": choose.random() < 0.3,
        "write_page_checksum": choose.random() < 0.3,
        "use_deprecated_int96_timestamps": choose.random() < 0.2,
        "store_decimal_as_integer": choose.random() < 0.5,
        "version": choose.choice(["1.0", "2.4", "2.6"]),
        "coerce_timestamps": None,
    }
    if options["use_deprecated_int96_timestamps"]:
        options["version"] = "2.6"
    if deltas:
        encodings = {}
        for name, column in zip(names, columns):
            kind = column.type
            if names.count(name) > 1:
                continue
            if pa.types.is_int32(kind) or pa.types.is_int64(kind):
                encodings[name] = choose.choice(["DELTA_BINARY_PACKED", "PLAIN"])
            elif pa.types.is_string(kind) or pa.types.is_binary(kind):
                encodings[name] = choose.choice(["DELTA_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY", "PLAIN"])
            elif pa.types.is_floating(kind):
                encodings[name] = choose.choice(["BYTE_STREAM_SPLIT", "PLAIN"])
        options["column_encoding"] = encodings or None
    with pq.ParquetWriter(job["to"], table.schema, **options) as writer:
        at = 0
        while at < table.num_rows or at == 0:
            # A row group without rows now and then, as from a query that found nothing.
            if choose.random() < 0.2:
                writer.write_table(table.slice(0, 0))
            size = choose.choice([job["rowGroup"], max(1, table.num_rows // 2), 1000])
            writer.write_table(table.slice(at, size))
            at += size


def changed(choose, column, field):
    """The same values in another of the types that readers take for the same."""
    kind = field.type
    if pa.types.is_string(kind):
        other = choose.choice(["as it is", "dictionary", "large", "view"])
        if other == "dictionary":
            return column.dictionary_encode()
        if other == "large":
            return column.cast(pa.large_string())
        if other == "view":
            return column.cast(pa.string_view())
    elif pa.types.is_integer(kind) or pa.types.is_timestamp(kind):
        if choose.random() < 0.2:
            return column.dictionary_encode()
    elif pa.types.is_fixed_size_binary(kind) and kind.byte_width == 16 and choose.random() < 0.5:
        return column.cast(pa.binary(16))
    if column.null_count == len(column) and choose.random() < 0.5 and not pa.types.is_nested(kind):
        return pa.chunked_array([pa.nulls(len(column))])
    return column


def with_polars(job):
    choose = random.Random(job["variant"])
    frame = polars.read_parquet(job["from"], use_pyarrow=choose.random() < 0.5)
    changes = []
    for name, kind in frame.schema.items():
        if kind == polars.String and choose.random() < 0.4:
            changes.append(polars.col(name).cast(polars.Categorical))
        elif frame[name].null_count() == len(frame) and choose.random() < 0.5:
            changes.append(polars.lit(None).alias(name))
    frame = frame.with_columns(changes)
    frame.write_parquet(
        job["to"],
        compression={"uncompressed": "uncompressed"}.get(job["codec"], job["codec"]),
        row_group_size=job["rowGroup"],
        statistics=choose.choice([True, False, "full"]),
        data_page_size=choose.choice([None, 2000]),
    )


for line in sys.stdin:
    job = json.loads(line)
    try:
        {"pyarrow": with_pyarrow, "polars": with_polars}[job["program"]](job)
        print("done", flush=True)
    except Exception as error:
        if os.path.exists(job["to"]):
            os.remove(job["to"])
        print(f"{type(error).__name__}: {error}".replace("\n", " "), flush=True)
