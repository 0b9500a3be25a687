"""NumPy arrays pickled as they are, without pandas: shapes, orders, kinds, masks, records."""

import numpy as np

from .registry import Unavailable, add, add_all, case

KINDS = "int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64 bool".split()


def table(kind="float64", rows=4, columns=3):
    return np.arange(rows * columns).reshape(rows, columns).astype(kind)


for _kind in KINDS:
    add(f"array_{_kind}", (lambda kind: lambda: table(kind))(_kind), row="NumPy array of two dimensions")
add_all("array", {
    "fortran": lambda: np.asfortranarray(table()),
    "transposed": lambda: table().T,
    "strided": lambda: table(rows=8)[::2],
    "reversed": lambda: table()[::-1],
    "big_endian": lambda: table(">f4"),
    "no_rows": lambda: np.empty((0, 3), dtype="float32"),
    "broadcast": lambda: np.broadcast_to(np.float64(2.0), (2, 3)),
    "text": lambda: np.array([["a", "bcd"], ["é", ""]]),
    "bytes": lambda: np.array([[b"a", b"bcd"], [b"", b"x"]]),
    "datetimes": lambda: np.array([["2020-01-01", "NaT"]], dtype="M8[ns]"),
    "days": lambda: np.array([["2020-01-01", "NaT"]], dtype="M8[D]"),
    "objects": lambda: np.array([["a", "b"], [None, "c"]], dtype=object),
    "objects_fortran": lambda: np.asfortranarray(np.array([["a", "b"], [None, "c"]], dtype=object)),
    "large": lambda: table("float32", 5000, 16),
}, row="NumPy array of two dimensions")  # fmt: skip
add_all("array", {
    "line": lambda: np.arange(5, dtype="float32"),
    "line_backwards": lambda: np.arange(5, dtype="int32")[::-1],
    "line_text": lambda: np.array(["a", "bcd", "é"]),
    "line_objects": lambda: np.array([None, "a", "b"], dtype=object),
    "line_datetimes": lambda: np.array(["2020-01-01", "NaT"], dtype="M8[ns]"),
    "line_timedeltas": lambda: np.array([1, -5], dtype="m8[us]"),
    "line_large": lambda: np.arange(20_000, dtype="float64"),
    "line_complex": lambda: np.array([1 + 2j, 0j]),
}, row="NumPy array of one dimension")  # fmt: skip
add_all("array", {
    "structured": lambda: np.array([(1, 2.5, b"ab"), (2, 3.5, b"c")], dtype=[("a", "<i4"), ("b", "<f8"), ("c", "S2")]),
    "structured_nested": lambda: np.zeros(2, dtype=[("p", [("x", "<f4"), ("y", ">f4")]), ("m", "<i2", (2, 3))]),
    "structured_aligned": lambda: np.zeros(2, dtype=np.dtype([("a", "u1"), ("b", "<f8")], align=True)),
    "structured_objects": lambda: np.array([(1, "x")], dtype=[("a", "<i4"), ("o", object)]),
    "records": lambda: np.rec.array([(1, 2.5)], dtype=[("a", "<i4"), ("b", "<f8")]),
}, row="NumPy structured array")  # fmt: skip
add_all("array", {
    "masked": lambda: np.ma.array([[1.0, 2.0], [3.0, 4.0]], mask=[[0, 1], [0, 0]]),
    "masked_line": lambda: np.ma.array([1, 2, 3], mask=[0, 1, 0]),
    "masked_nothing": lambda: np.ma.array([1, 2, 3]),
}, row="NumPy masked array")  # fmt: skip
add_all("array", {
    "three_dimensions": lambda: np.arange(24, dtype="float32").reshape(2, 3, 4),
    "three_transposed": lambda: np.arange(24, dtype="float32").reshape(2, 3, 4).transpose(1, 0, 2),
    "no_dimension": lambda: np.array(3.5),
    "no_dimension_object": lambda: np.array(None, dtype=object),
    "void": lambda: np.array([b"abcd", b"efgh"], dtype="V4"),
    "odd_step": lambda: np.array([1, 2], dtype="M8[25s]"),
    "matrix": lambda: np.matrix([[1.0, 2.0]]),
    "scalar": lambda: np.float64(1.5),
    "with_metadata": lambda: np.zeros(2, dtype=np.dtype("f8", metadata={"k": 1})),
})  # fmt: skip


@case()
def array_variable_text():
    if not hasattr(np, "dtypes") or not hasattr(np.dtypes, "StringDType"):
        raise Unavailable("NumPy before 2.0")
    return np.array(["a", "bc"], dtype=np.dtypes.StringDType())
