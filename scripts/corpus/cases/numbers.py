"""Columns of plain NumPy numbers, booleans and times, and the blocks that pandas keeps them in."""

import numpy as np
import pandas as pd

from .registry import NAN, add, add_all, case, column

LARGEST = {"float16": 65504.0, "float32": 3.4028234663852886e38, "float64": 1.7976931348623157e308}


def whole(dtype):
    limits = np.iinfo(dtype)
    return lambda: pd.DataFrame({"c": np.array([limits.min, 0, 1, 100, limits.max], dtype=dtype)})


def real(dtype):
    most = LARGEST[np.dtype(dtype).name]
    return lambda: pd.DataFrame({"c": np.array([0.0, -0.0, 1.5, NAN, np.inf, -np.inf, most, -most], dtype=dtype)})


add("bool", lambda: pd.DataFrame({"c": np.array([True, False, True])}), row="bool")
for _kind in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"):
    add(_kind, whole(_kind), row=_kind)
    add(f"{_kind}_big_endian", (lambda kind: lambda: whole(kind)().astype(np.dtype(kind).newbyteorder(">")))(_kind))
for _kind in ("float16", "float32", "float64"):
    add(_kind, real(_kind), row=_kind)
    add(f"{_kind}_big_endian", (lambda kind: lambda: pd.DataFrame({"c": np.array([0.5, NAN, -2.0], dtype=">" + np.dtype(kind).str[1:])}))(_kind))
add("float64_smallest", lambda: pd.DataFrame({"c": [5e-324, 2.2250738585072014e-308, 1e-300, 0.1, 1 / 3]}))
add("complex64", lambda: pd.DataFrame({"c": np.array([1 + 2j, -0.5j], dtype="complex64")}), row="complex64, complex128")
add("complex128", lambda: pd.DataFrame({"c": np.array([1 + 2j, complex(NAN, 0)])}), row="complex64, complex128")
add("longdouble", lambda: pd.DataFrame({"c": np.array([1.5, 0.1], dtype=np.longdouble)}), row="longdouble (float128)")

for _unit in ("s", "ms", "us", "ns"):
    _times = np.array(["2020-02-29T01:02:03", "NaT", "1969-12-31T23:59:59", "2200-01-01"], dtype=f"M8[{_unit}]")
    _spans = np.array([0, 1, -5, "NaT", 86_400_000], dtype=f"m8[{_unit}]")
    _since = None if _unit == "ns" else (2, 0)
    add(f"datetime_{_unit}", (lambda a: lambda: pd.DataFrame({"c": a}))(_times), row=f"datetime64[{_unit}]", since=_since)
    add(f"timedelta_{_unit}", (lambda a: lambda: pd.DataFrame({"c": a}))(_spans), row=f"timedelta64[{_unit}]", since=_since)
add("datetime_two_columns", lambda: pd.DataFrame({"a": pd.to_datetime(["2020-01-01", None]), "b": pd.to_datetime(["2021-01-01", "2022-01-01"])}))
add("datetime_far", lambda: pd.DataFrame({"c": np.array(["0001-01-01", "9999-12-31T23:59:59"], dtype="M8[s]")}), since=(2, 0))
add("datetime_ns_edges", lambda: pd.DataFrame({"c": pd.to_datetime([pd.Timestamp.min, pd.Timestamp.max])}))


def grid(rows=4, columns=3):
    return np.arange(float(rows * columns)).reshape(rows, columns)


def removed():
    frame = pd.DataFrame(grid(2, 6), columns=list("abcdef"))
    del frame["c"]
    return frame


def one_by_one():
    frame = pd.DataFrame({"a": [1, 2]})
    for step in range(4):
        frame[f"n{step}"] = np.array([step, step + 1])
    return frame


def read_only():
    values = np.arange(4.0)
    values.setflags(write=False)
    return pd.DataFrame({"c": values}, copy=False)


add_all("block", {
    "rows_first": lambda: pd.DataFrame(grid(), columns=list("abc")),
    "fortran": lambda: pd.DataFrame(np.asfortranarray(grid()), columns=list("abc")),
    "transposed": lambda: pd.DataFrame(grid(), columns=list("abc"), index=list("wxyz")).T,
    "interleaved": lambda: pd.DataFrame({"a": [1, 2], "b": [0.5, 1.5], "c": [3, 4], "d": ["x", "y"], "e": [2.5, 3.5], "f": [5, 6]}),
    "every_second": lambda: pd.DataFrame({name: [step, 1] if step % 2 else [step + 0.5, 1] for step, name in enumerate("abcdef")}),
    "one_by_one": one_by_one,
    "removed": removed,
    "rows_sliced": lambda: pd.DataFrame(grid(10, 4), columns=list("abcd")).iloc[2:9:3],
    "rows_reversed": lambda: pd.DataFrame(grid(3, 2), columns=list("ab")).iloc[::-1],
    "columns_sliced": lambda: pd.DataFrame(grid(10, 4), columns=list("abcd")).iloc[:, ::2],
    "read_only": read_only,
    "objects": lambda: pd.DataFrame([["a", "b"], [None, "c"]], columns=["p", "q"], dtype=object),
    "wide": lambda: pd.DataFrame(np.arange(2000, dtype="int16").reshape(2, 1000), columns=[f"k{n}" for n in range(1000)]),
    "long": lambda: pd.DataFrame({"x": np.arange(70_000) / 3, "n": np.arange(70_000, dtype="int32")}),
    "appended": lambda: pd.concat([pd.DataFrame({"a": [1], "b": [0.5]}), pd.DataFrame({"a": [2], "b": [1.5]})], ignore_index=True),
})  # fmt: skip


@case()
def block_half_missing():
    left, right = pd.DataFrame({"k": [1, 2], "a": [1, 2]}), pd.DataFrame({"k": [2, 3], "b": [True, False]})
    return left.merge(right, on="k", how="outer")


@case()
def number_every_kind():
    kinds = ["int8", "uint16", "int64", "float32", "float64", "bool"]
    return pd.DataFrame({kind: np.array([0, 1, 1]).astype(kind) for kind in kinds})


add("number_no_rows", lambda: column([], "float64"))
