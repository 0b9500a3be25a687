#!/usr/bin/env python3
"""Read what `brine convert` wrote with pyarrow, pandas, polars and DuckDB: right types, and the values of the pickle.

    python scripts/peers/readback.py --brine target/release/brine

Converts the samples in data/, those of pandas 2 and of pandas 3, and reads the Parquet and the Arrow file of each with every
reader that takes them. Needs pandas, numpy, pyarrow, polars and duckdb.

`--brine python` lets the Python pipeline write the Parquet files instead: a check of this script alone.
"""

import argparse
import pathlib
import tempfile

import contract
import duckdb
import numpy as np
import pandas as pd
import polars
import pyarrow
import pyarrow.ipc
import pyarrow.parquet

TYPES = {
    "arrow": {
        "text": "string",
        "category": "dictionary<values=string, indices=int32, ordered=0>",
        "years": "int32",
        "texts": ("list<item: string>", "list<element: string>"),
        "vector": ("fixed_size_list<item: float>[{n}]", "fixed_size_list<element: float>[{n}]"),
    },
    "pandas": {"text": ("object", "str", "string"), "category": "category", "years": "int32", "texts": "object", "vector": "object"},
    "polars": {
        "text": "String",
        "category": "Categorical",
        "years": "Int32",
        "texts": "List(String)",
        "vector": "Array(Float32, shape=({n},))",
    },
    "DuckDB": {"text": "VARCHAR", "category": "VARCHAR", "years": "INTEGER", "texts": "VARCHAR[]", "vector": ("FLOAT[]", "FLOAT[{n}]")},
}  # fmt: skip


def wrong_types(reader, actual, domain):
    """Columns whose type is none of those that the reader should see."""
    found = []
    fields = contract.COLUMNS[domain]
    if list(actual) != [field for field, _, _ in fields]:
        found.append(f"columns are {list(actual)}")
    for field, _, kind in fields:
        allowed = TYPES[reader][kind]
        allowed = [allowed] if isinstance(allowed, str) else allowed
        allowed = [text.format(n=contract.DIMENSIONS[domain]) for text in allowed]
        said = str(actual.get(field)).replace(" not null", "")
        if said not in allowed:
            found.append(f"{field} is {said}, not {' or '.join(allowed)}")
    return found


def rows_from(columns, domain):
    """Rows in the form of the contract, from the cells of each field."""
    cells = []
    for field, _, kind in contract.COLUMNS[domain]:
        values = columns[field]
        if kind == "vector":
            values = [np.asarray(value, dtype="<f4").tobytes() for value in values]
        elif kind == "texts":
            values = [list(value) for value in values]
        elif kind == "years":
            values = [int(value) for value in values]
        else:
            values = [None if value is None or pd.isna(value) else str(value) for value in values]
        cells.append(values)
    names = [field for field, _, _ in contract.COLUMNS[domain]]
    return [dict(zip(names, row)) for row in zip(*cells)]


def with_pyarrow(table):
    return {f.name: f.type for f in table.schema}, {name: table.column(name).to_pylist() for name in table.column_names}


def with_pandas(frame):
    return dict(frame.dtypes), {name: list(frame[name]) for name in frame.columns}


def with_polars(frame):
    return dict(frame.schema), {name: frame[name].to_list() for name in frame.columns}


def with_duckdb(source):
    connection = duckdb.connect()
    if isinstance(source, str):
        source = f"'{source}'"
    else:
        connection.register("arrow_table", source)
        source = "arrow_table"
    described = connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
    rows = connection.execute(f"SELECT * FROM {source}").fetchall()
    names = [row[0] for row in described]
    return {row[0]: row[1] for row in described}, dict(zip(names, zip(*rows)))


def readers(parquet, arrow):
    """Name, reader and a function that reads, for each reader and file."""
    yield "pyarrow, Parquet", "arrow", lambda: with_pyarrow(pyarrow.parquet.read_table(parquet))
    yield "pandas, Parquet", "pandas", lambda: with_pandas(pd.read_parquet(parquet))
    yield "polars, Parquet", "polars", lambda: with_polars(polars.read_parquet(parquet))
    yield "DuckDB, Parquet", "DuckDB", lambda: with_duckdb(str(parquet))
    if not arrow.exists():
        return
    table = pyarrow.ipc.open_file(pyarrow.memory_map(str(arrow))).read_all()
    yield "pyarrow, Arrow", "arrow", lambda: with_pyarrow(table)
    yield "pandas, Arrow", "pandas", lambda: with_pandas(table.to_pandas())
    yield "polars, Arrow", "polars", lambda: with_polars(polars.read_ipc(arrow, memory_map=False))
    yield "DuckDB, Arrow", "DuckDB", lambda: with_duckdb(table)


def check(report, domain, source, parquet):
    expected = contract.source_rows(source, domain, missing=None)
    arrow = parquet.with_suffix(".arrow")
    key = contract.COLUMNS[domain][0][0]
    for title, reader, read in readers(parquet, arrow):
        types, columns = read()
        report.check(f"{source.parent.name}/{source.name} with {title}: types", wrong_types(reader, types, domain))
        problems = contract.differences(expected, rows_from(columns, domain), key)
        report.check(f"{source.parent.name}/{source.name} with {title}: {len(expected)} rows, every value", problems)


def convert(brine, source, folder, domain):
    """The Parquet file that the conversion left."""
    if brine == "python":
        import pipeline

        folder.mkdir(parents=True, exist_ok=True)
        pipeline.convert(source, folder / f"{domain}.parquet", domain)
    else:
        contract.run([brine, "convert", source, "-o", folder])
    return folder / f"{domain}.parquet"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--brine", required=True, help="the binary")
    parser.add_argument("--data", type=pathlib.Path, default=contract.ROOT / "data")
    args = parser.parse_args()
    report = contract.Report("readback")
    with tempfile.TemporaryDirectory(prefix="brine-readback-") as folder:
        for version in (".", "pandas3"):
            for domain in contract.DOMAINS:
                source = args.data / version / f"{domain}.pkl"
                check(report, domain, source, convert(args.brine, source, pathlib.Path(folder) / version, domain))
    return report.finish()


if __name__ == "__main__":
    raise SystemExit(main())
