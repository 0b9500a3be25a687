"""Object columns: what people keep in cells."""

import array
import collections
import datetime
import decimal
import enum
import fractions
import ipaddress
import pathlib
import uuid

import numpy as np
import pandas as pd

from .registry import NAN, add_all, cells, boxed

TEXT, LISTS = "object: str", "object: list of numbers"
Pair = collections.namedtuple("Pair", "x y")


class Colour(enum.Enum):
    RED = 1


class Plain:
    """What belongs to the program that wrote it and to no other."""

    def __init__(self, value):
        self.value = value


class Text(str):
    pass


def vectors(dtype="float32", rows=5, width=8):
    return (np.arange(rows * width).reshape(rows, width) / 8).astype(dtype)


def owned(dtype):
    return lambda: cells(*(row.copy() for row in vectors(dtype)))


def frozen():
    rows = [row.copy() for row in vectors()]
    for row in rows:
        row.setflags(write=False)
    return cells(*rows)


def shared_list():
    numbers = [1.0, 2.0]
    return cells(numbers, numbers, numbers)


def shared_array():
    numbers = np.arange(4, dtype="float32")
    return cells(numbers, numbers, numbers)


def zones():
    from datetime import timedelta, timezone

    at = datetime.datetime(2020, 1, 1, 12)
    return cells(*(at.replace(tzinfo=timezone(timedelta(hours=hours))) for hours in (0, 5, -3)))


def zoned(zone):
    at = datetime.datetime(2020, 7, 1, 12, 30)
    return lambda: cells(at.replace(tzinfo=zone()), None)


def paris():
    import zoneinfo

    return zoneinfo.ZoneInfo("Europe/Paris")


def plain_utc():
    return datetime.timezone.utc


add_all("text", {
    "few": lambda: cells(*["alpha", "beta"] * 5),
    "equal_not_shared": lambda: cells(*("".join(["al", "pha"]) for _ in range(4))),
    "missing": lambda: cells("a", None, "b", ""),
    "letters": lambda: cells("é", "中文", "\U0001f600", "a\nb\\c\x00d", "\u2028", "\ufeff"),
    "lengths": lambda: cells("a" * 255, "b" * 256, "c" * 70_000, "d" * 65_535),
    "many": lambda: cells(*(f"s{row:05}" for row in range(3000))),
    "all_missing": lambda: cells(None, None),
    "numpy": lambda: cells(np.str_("abc"), np.str_("é")),
}, row=TEXT)  # fmt: skip
add_all("text", {
    "nan": lambda: cells("a", NAN, "b", None),
    "surrogate": lambda: cells("ok", "\ud800", "x\udc80y"),
    "subclass": lambda: cells(Text("a"), "b"),
})  # fmt: skip
add_all("bytes", {
    "plain": lambda: cells(b"", b"abc", b"\xff\x00", b"z" * 300, None),
    "numpy": lambda: cells(np.bytes_(b"ab"), np.bytes_(b"")),
    "array": lambda: cells(bytearray(b"abc"), bytearray()),
}, row="object: bytes")  # fmt: skip
add_all("cell", {"bool": lambda: cells(True, False), "bool_missing": lambda: cells(True, None, False)}, row="object: bool")
add_all("cell", {
    "int": lambda: cells(0, 1, 255, 256, 65_535, 65_536, 2**31 - 1, 2**31, -1, -(2**31), -(2**31) - 1, 2**63 - 1, -(2**63)),
    "int_missing": lambda: cells(1, None, -1),
    "int_unsigned": lambda: cells(2**63, 2**64 - 1, 0),
    "int_numpy": lambda: cells(np.int64(7), np.int64(-1)),
    "int_numpy_kinds": lambda: cells(np.int8(7), np.uint16(9), np.int64(-1)),
}, row="object: int")  # fmt: skip
add_all("cell", {
    "int_beyond": lambda: cells(2**64, -(2**64), 10**38 - 1),
    "int_huge": lambda: cells(2**2100, -(2**3000), 1),
}, row="object: int beyond 64 bits")  # fmt: skip
add_all("cell", {
    "float": lambda: cells(1.5, NAN, float("inf"), -0.0, 0.1),
    "float_missing": lambda: cells(1.5, None, 2.5),
    "float_numpy": lambda: cells(np.float64(1.5), np.float64(0.1)),
    "float_numpy_32": lambda: cells(np.float32(1.5), np.float32(0.1)),
    "float_and_int": lambda: cells(1, 2.5, 3),
    "float_and_large_int": lambda: cells(2**63 - 1, 2.5),
}, row="object: float")  # fmt: skip
add_all("cell", {
    "decimal": lambda: cells(decimal.Decimal("1.10"), decimal.Decimal("-20.05"), None, decimal.Decimal("0.00")),
    "decimal_scales": lambda: cells(decimal.Decimal("1.1"), decimal.Decimal("2.25"), decimal.Decimal("3")),
    "decimal_wide": lambda: cells(decimal.Decimal("1E+50"), decimal.Decimal("1E-20")),
    "decimal_nan": lambda: cells(decimal.Decimal("NaN"), decimal.Decimal("1.5")),
    "decimal_infinite": lambda: cells(decimal.Decimal("Infinity"), decimal.Decimal("1.5")),
}, row="object: Decimal")  # fmt: skip
add_all("cell", {
    "uuid": lambda: cells(uuid.UUID(int=0), uuid.UUID("12345678123456781234567812345678"), None),
}, row="object: UUID")  # fmt: skip
add_all("cell", {
    "date": lambda: cells(datetime.date(2020, 1, 2), datetime.date(1, 1, 1), datetime.date(9999, 12, 31), None),
}, row="object: date")  # fmt: skip
add_all("cell", {
    "time": lambda: cells(datetime.time(1, 2, 3, 4), datetime.time(23, 59), None),
}, row="object: time")  # fmt: skip
add_all("cell", {
    "datetime": lambda: cells(datetime.datetime(2020, 1, 2, 3, 4, 5, 678_901), datetime.datetime(1970, 1, 1), None),
    "datetime_far": lambda: cells(datetime.datetime(1, 1, 1), datetime.datetime(9999, 12, 31, 23, 59, 59)),
    "datetime_utc": zoned(plain_utc),
    "datetime_paris": zoned(paris),
    "datetime_zones": zones,
    "timestamp": lambda: cells(pd.Timestamp("2020-01-01 00:00:00.000000001"), pd.Timestamp("2021-01-01"), pd.NaT),
    "timestamp_utc": lambda: cells(pd.Timestamp("2020-01-01", tz="UTC"), pd.NaT),
    "timestamp_zones": lambda: cells(pd.Timestamp("2020-01-01", tz="UTC"), pd.Timestamp("2020-07-01", tz="Europe/Paris")),
    "datetime64": lambda: cells(np.datetime64("2020-01-01"), np.datetime64("2020-01-02")),
}, row="object: datetime, Timestamp")  # fmt: skip
add_all("cell", {
    "timedelta": lambda: cells(datetime.timedelta(1, 2, 3), datetime.timedelta(-1), None),
    "timedelta_pandas": lambda: cells(pd.Timedelta("1s"), pd.Timedelta("1ns")),
    "timedelta64": lambda: cells(np.timedelta64(5, "D"), np.timedelta64(1, "D")),
}, row="object: timedelta")  # fmt: skip
add_all("cell", {
    "period": lambda: cells(pd.Period("2020-01", "M"), pd.Period("2020-02", "M")),
    "period_mixed": lambda: cells(pd.Period("2020-01", "M"), pd.Period("2020-01-01", "D")),
    "interval": lambda: cells(pd.Interval(0, 1), pd.Interval(1, 2)),
    "interval_mixed": lambda: cells(pd.Interval(0, 1), pd.Interval(1.5, 2.5, "left")),
}, row="object: Period, Interval")  # fmt: skip
add_all("list", {
    "float": lambda: cells([0.5, 1.5], [2.5, 3.5], [4.5, 5.5]),
    "float_ragged": lambda: cells([0.5, 1.5], [2.5], [], None),
    "float_lengths": lambda: cells(*([step / 7 for step in range(count)] for count in (1, 2, 999, 1000, 1001, 2001))),
    "float_missing": lambda: cells([0.5, 1.5], None, [4.5, 5.5]),
    "float_shared": shared_list,
    "float_numpy": lambda: cells([np.float64(0.5), np.float64(1.5)], [np.float64(0.25), np.float64(1.0)]),
    "float_numpy_32": lambda: cells([np.float32(0.5), np.float32(1.5)]),
    "float_inner_missing": lambda: cells([0.5, None], [1.5, NAN]),
    "int": lambda: cells([1, 2, 3], [300, 70_000, -1]),
    "int_ragged": lambda: cells([1, 2, 3], [2**40], []),
    "int_and_float": lambda: cells([1, 2.5], [0.5, 2]),
    "bool": lambda: cells([True, False], [False]),
    "empty": lambda: cells([], [], []),
    "of_lists": lambda: cells([[1.0, 2.0], [3.0]], [[]], [[4.0]]),
    "tuple": lambda: cells((1, 2), (3, 4)),
    "tuple_ragged": lambda: cells((), (1,), (1, 2, 3, 4)),
    "set": lambda: cells({1, 2}, set(), frozenset([3])),
    "deque": lambda: cells(collections.deque([1, 2], maxlen=5), collections.deque([3])),
    "array_module": lambda: cells(array.array("d", [1.0, 2.0]), array.array("d", [3.0, 4.0])),
    "range": lambda: cells(range(3), range(2, 5)),
}, row=LISTS)  # fmt: skip
add_all("list", {
    "text": lambda: cells(["a", "b"], ["c"], []),
    "text_missing": lambda: cells(["a", None], None, ["b", "c"]),
    "text_tuple": lambda: cells(("a", "b"), ("c", "d")),
    "text_set": lambda: cells({"a"}, frozenset(["b"])),
}, row="object: list of str")  # fmt: skip
add_all("list", {
    "dates": lambda: cells([datetime.date(2020, 1, 1)], []),
    "dicts": lambda: cells([{"a": 1}, {"a": 2}], []),
    "mixed": lambda: cells([1, "a"], [None]),
    "tuples_mixed": lambda: cells((1, "a", None), (2, "b", 0.5)),
})  # fmt: skip
add_all("vector", {
    **{kind: owned(kind) for kind in ("float32", "float64", "float16", "int64", "int8", "bool")},
    "float32_big_endian": owned(">f4"),
    "float32_views": lambda: cells(*vectors()),
    "float64_views": lambda: cells(*vectors("float64")),
    "fortran_views": lambda: cells(*np.asfortranarray(vectors("float64"))),
    "reversed": lambda: cells(*(row[::-1] for row in vectors())),
    "shared": shared_array,
    "read_only": frozen,
    "missing": lambda: cells(np.arange(3.0), None, np.arange(3.0)),
    "ragged": lambda: cells(np.arange(3.0), None, np.empty(0), np.arange(2.0)),
    "kinds": lambda: cells(np.arange(3, dtype="float64"), np.arange(3, dtype="float32")),
    "list_and_array": lambda: cells([1.0, 2.0], np.array([1.0, 2.0]), (1.0, 2.0)),
    "text": lambda: cells(np.array(["a", "b"]), np.array(["c", "ddd"])),
    "text_object": lambda: cells(np.array(["a", "b"], dtype=object), np.array(["c"], dtype=object)),
    "datetimes": lambda: cells(np.array(["2020-01-01", "NaT"], dtype="M8[ns]"), np.array(["2021-01-01"], dtype="M8[ns]")),
    "many": lambda: cells(*np.arange(40_000, dtype="float32").reshape(2500, 16)),
}, row="object: ndarray")  # fmt: skip
add_all("vector", {
    "matrix": lambda: cells(np.arange(6.0).reshape(2, 3), np.arange(6.0).reshape(2, 3) + 1),
    "matrix_fortran": lambda: cells(np.asfortranarray(np.arange(6.0).reshape(2, 3)), np.arange(6.0).reshape(3, 2).T),
    "matrix_shapes": lambda: cells(np.arange(6.0).reshape(2, 3), np.arange(4.0).reshape(2, 2)),
    "no_dimension": lambda: cells(np.array(1.5), np.array(2.5)),
    "numpy_matrix": lambda: cells(np.matrix([[1.0, 2.0]])),
}, row="object: ndarray of two or no dimensions")  # fmt: skip
add_all("dict", {
    "same_keys": lambda: cells({"a": 1, "b": "x"}, {"a": 2, "b": "y"}),
    "other_keys": lambda: cells({"a": 1}, {"a": 1, "b": 2.5}, None),
    "nested": lambda: cells({"a": {"b": [1, 2]}}, {"a": {"b": []}}),
    "ordered": lambda: cells(collections.OrderedDict([("b", 1), ("a", 2)])),
    "default": lambda: cells(collections.defaultdict(list, {"a": [1]})),
    "counter": lambda: cells(collections.Counter("aab")),
    "many_keys": lambda: cells({f"k{n:04}": n for n in range(1001)}, {}),
    "empty": lambda: cells({}, {}),
}, row="object: dict")  # fmt: skip
add_all("dict", {
    "other_types": lambda: cells({"a": 1}, {"a": "x"}),
    "number_keys": lambda: cells({1: "x"}, {2: "y"}),
    "mixed_keys": lambda: cells({1: "x", (1, 2): "y"}),
})  # fmt: skip
add_all("mixed", {
    "all_kinds_of_missing": lambda: cells(None, NAN, pd.NaT, pd.NA, np.float64("nan"), np.datetime64("NaT")),
    "int_and_text": lambda: cells(1, "a", None),
    "bool_and_int": lambda: cells(True, 2),
    "text_and_bytes": lambda: cells("a", b"b"),
    "many_kinds": lambda: cells(1, 1.5, "a", True, None, b"x"),
    "date_and_datetime": lambda: cells(datetime.date(2020, 1, 1), datetime.datetime(2020, 1, 1, 12)),
    "list_and_text": lambda: cells([1, 2], "a"),
    "na_and_text": lambda: cells("a", pd.NA, "b"),
    "na_and_int": lambda: cells(1, pd.NA, 3),
}, row="object: mixed")  # fmt: skip
add_all("odd", {
    "complex": lambda: cells(1 + 2j, 0j),
    "fraction": lambda: cells(fractions.Fraction(1, 3)),
    "slice": lambda: cells(slice(1, None, 2)),
    "ellipsis": lambda: cells(Ellipsis, NotImplemented),
    "enum": lambda: cells(Colour.RED),
    "named_tuple": lambda: cells(Pair(1, 2), Pair(3, 4)),
    "class": lambda: cells(Plain(1), Plain([1])),
    "type": lambda: cells(int, dict, np.float64),
    "dtype": lambda: cells(np.dtype("f8"), np.dtype("M8[ns]")),
    "frame": lambda: cells(pd.DataFrame({"a": [1]}), pd.DataFrame({"a": [2]})),
    "series": lambda: cells(pd.Series([1]), pd.Series([2.5], name="q")),
    "category": lambda: cells(pd.Categorical(["a"])),
    "exception": lambda: cells(ValueError("boom")),
    "path": lambda: cells(pathlib.PurePosixPath("/a/b")),
    "address": lambda: cells(ipaddress.ip_address("10.0.0.1"), ipaddress.ip_address("::1")),
}, row="object: anything else")  # fmt: skip


def everything():
    return pd.DataFrame({
        "id": np.arange(4),
        "name": boxed(["Acme", "Acme", None, "Zed"]),
        "years": [1.5, NAN, 0.0, 10.0],
        "flag": [True, False, True, True],
        "when": pd.to_datetime(["2020-01-01", None, "2021-01-01", "2022-01-01"]),
        "group": pd.Categorical(["a", "b", None, "a"]),
        "vector": boxed([[0.5, 1.5], [2.5, 3.5], [4.5, 5.5], [6.5, 7.5]]),
        "array": boxed(np.arange(8, dtype="float32").reshape(4, 2)),
    })  # fmt: skip


add_all("frame", {"everything": everything})
