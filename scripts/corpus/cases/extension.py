"""Columns of extension arrays: nullable kinds, strings, categories, zones, periods, intervals, sparse, Arrow."""

import datetime
import decimal

import numpy as np
import pandas as pd

from .registry import NAN, PANDAS, Unavailable, add, add_all, arrow, case, column

DAYS = ["2020-01-01", "2020-07-01", None]

for _kind in ("Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64"):
    add(f"nullable_{_kind}", (lambda kind: lambda: column([0, None, np.iinfo(kind.lower()).max, np.iinfo(kind.lower()).min], kind))(_kind), row=_kind)
for _kind in ("Float32", "Float64"):
    add(f"nullable_{_kind}", (lambda kind: lambda: column([1.5, None, -0.0, np.inf], kind))(_kind), row=_kind)
add("nullable_boolean", lambda: column([True, None, False], "boolean"), row="boolean")
add("nullable_nan_and_na", lambda: pd.DataFrame({"c": pd.arrays.FloatingArray(np.array([1.0, NAN, 3.0]), np.array([False, False, True]))}))
add("nullable_no_rows", lambda: column([], "Int64"))
add("nullable_all_missing", lambda: column([None, None], "Int16"))


def string(storage, missing=None, values=("a", None, "béta", "")):
    def build():
        if storage == "pyarrow":
            arrow()
        dtype = pd.StringDtype(storage) if missing is None else pd.StringDtype(storage, na_value=missing)
        return column(list(values), dtype)

    return build


add("string_python", string("python"), row="string")
add("string_pyarrow", string("pyarrow"), row="string")
add("string_default", lambda: column(["a", None, "b"], "string"))
add("string_pyarrow_numpy", lambda: column(["a", None, "b"], "string[pyarrow_numpy]"), since=(2, 1), before=(3, 0))
add("str_pyarrow", string("pyarrow", NAN), row="str (the text of pandas 3)", since=(2, 3))
add("str_python", string("python", NAN), row="str (the text of pandas 3)", since=(2, 3))
add("str_inferred", lambda: pd.DataFrame({"c": ["a", None, "b"]}), since=(3, 0))
add("string_sliced", lambda: column([f"s{n}" for n in range(100)], "string[pyarrow]").iloc[10:13])
add("string_chunked", lambda: pd.concat([column(["a", "b"], "string[pyarrow]")] * 3, ignore_index=True))
add("string_no_rows", lambda: column([], "string"))


def category(values, **how):
    return lambda: column(pd.Categorical(values, **how))


add_all("category", {
    "text": category(["a", "b", None, "a"]),
    "ordered": category(["lo", "hi", "lo"], categories=["lo", "mid", "hi"], ordered=True),
    "unsorted": category(["b", "a"], categories=["z", "b", "a"]),
    "unused_only": category([None, None], categories=["a", "b"]),
    "int": category([10, 20, 10]),
    "float": category([1.5, None, 0.5]),
    "bool": category([True, False]),
    "datetime": category(pd.to_datetime(DAYS)),
    "datetime_zone": category(pd.to_datetime(DAYS).tz_localize("UTC")),
    "timedelta": category(pd.to_timedelta([1, 2], unit="D")),
    "date": category([datetime.date(2020, 1, 1), datetime.date(2020, 1, 2)]),
    "300": category([f"c{n % 300:03}" for n in range(400)]),
    "no_rows": category([], categories=["a"]),
    "all_missing": category([None, None]),
}, row="category")  # fmt: skip
add_all("category", {
    "interval": lambda: column(pd.cut([1, 5, 9], [0, 4, 8, 12])),
    "period": category(pd.period_range("2020-01", periods=2, freq="M")),
    "mixed": category(["a", 1, None]),
    "string": lambda: column(pd.Categorical(pd.array(["a", "b"], dtype="string"))),
})  # fmt: skip


def zoned(zone, unit="ns"):
    return lambda: pd.DataFrame({"c": pd.Series(pd.to_datetime(DAYS)).astype(f"M8[{unit}]").dt.tz_localize(zone())})


def pytz(name):
    import pytz

    return pytz.timezone(name)


def fixed():
    import pytz

    return pytz.FixedOffset(330)


def dateutil(name):
    import dateutil.tz

    return dateutil.tz.gettz(name)


def zoneinfo(name):
    import zoneinfo

    return zoneinfo.ZoneInfo(name)


for _unit in ("s", "ms", "us", "ns"):
    add(f"zone_utc_{_unit}", zoned(lambda: "UTC", _unit), row=f"datetime64[{_unit}, tz]", since=None if _unit == "ns" else (2, 0))
add_all("zone", {
    "name": zoned(lambda: "Europe/Paris"),
    "offset_text": lambda: pd.DataFrame({"c": pd.to_datetime(["2020-01-01T00:00:00+05:30"])}),
    "datetime_utc": zoned(lambda: datetime.timezone.utc),
    "datetime_offset": zoned(lambda: datetime.timezone(datetime.timedelta(hours=-3, minutes=-30))),
    "pytz": zoned(lambda: pytz("America/New_York")),
    "pytz_utc": zoned(lambda: pytz("UTC")),
    "pytz_offset": zoned(fixed),
    "zoneinfo": zoned(lambda: zoneinfo("Europe/Paris")),
    "zoneinfo_utc": zoned(lambda: zoneinfo("UTC")),
    "dateutil": lambda: column(pd.to_datetime(["2020-01-01", "2020-07-01"]).tz_localize(dateutil("Europe/Paris"))),
    "dateutil_utc": zoned(lambda: dateutil("UTC")),
})  # fmt: skip
add("zone_two_columns", lambda: pd.DataFrame({name: pd.to_datetime(DAYS).tz_localize("UTC") for name in "ab"}))

add_all("period", {
    "month": lambda: column(pd.period_range("2020-01", periods=2, freq="M")),
    "day_missing": lambda: column(pd.PeriodIndex(["2020-01-01", "NaT"], freq="D")),
    "quarter": lambda: column(pd.period_range("2020Q1", periods=2, freq="Q-DEC")),
    "two_hours": lambda: column(pd.period_range("2020-01-01", periods=2, freq=pd.offsets.Hour(2))),
    "week": lambda: column(pd.period_range("2020-01-01", periods=2, freq="W-SUN")),
    "second": lambda: column(pd.period_range("2020-01-01", periods=2, freq=pd.offsets.Second())),
}, row="period")  # fmt: skip
add_all("interval", {
    "int": lambda: column(pd.interval_range(0, 2)),
    "float_missing": lambda: column(pd.IntervalIndex.from_tuples([(0.5, 1.5), None], closed="left")),
    "datetime": lambda: column(pd.interval_range(pd.Timestamp("2020-01-01"), periods=2)),
    "datetime_zone": lambda: column(pd.interval_range(pd.Timestamp("2020-01-01", tz="UTC"), periods=2)),
    "both": lambda: column(pd.interval_range(0, 2, closed="both")),
    "neither": lambda: column(pd.interval_range(0, 2, closed="neither")),
}, row="interval")  # fmt: skip
add_all("sparse", {
    "float": lambda: pd.DataFrame({"c": pd.arrays.SparseArray([NAN, 1.0, NAN, 2.0])}),
    "int": lambda: pd.DataFrame({"c": pd.arrays.SparseArray([0, 0, 3], fill_value=0)}),
    "bool": lambda: pd.DataFrame({"c": pd.arrays.SparseArray([False, True], fill_value=False)}),
    "block": lambda: pd.DataFrame({"c": pd.arrays.SparseArray([NAN, 1.0, 1.0, NAN], kind="block")}),
    "other_fill": lambda: pd.DataFrame({"c": pd.arrays.SparseArray([7.5, 1.0, 7.5], fill_value=7.5)}),
    "text": lambda: pd.DataFrame({"c": pd.arrays.SparseArray(["a", "a", "b"], fill_value="a", dtype=pd.SparseDtype(object, "a"))}),
}, row="Sparse")  # fmt: skip


def arrowed(make):
    def build():
        values = make(arrow())
        return pd.DataFrame({"c": pd.arrays.ArrowExtensionArray(values)})

    return build


DATE, TIME = datetime.date(2020, 1, 1), datetime.time(1, 2, 3)
NUMBERS = "int8 int16 int32 int64 uint8 uint16 uint32 uint64".split()
for _kind in NUMBERS:
    add(f"arrow_{_kind}", arrowed(lambda pa, kind=_kind: pa.array([0, None, 100], getattr(pa, kind)())), row="ArrowDtype: numbers, bool")
ARROW = {
    "ArrowDtype: numbers, bool": {
        "float16": lambda pa: pa.array(np.array([1.5, 2.5], dtype="float16")),
        "float32": lambda pa: pa.array([1.5, None], pa.float32()),
        "float64": lambda pa: pa.array([1.5, None, NAN], pa.float64(), from_pandas=False),
        "bool": lambda pa: pa.array([True, None, False]),
        "sliced": lambda pa: pa.array(list(range(100)), pa.int64()).slice(10, 3),
        "sliced_bool": lambda pa: pa.array([True, None] * 50).slice(3, 5),
        "chunked": lambda pa: pa.chunked_array([[1, 2], [3], [None]], pa.int64()),
        "no_chunks": lambda pa: pa.chunked_array([], pa.int64()),
        "null": lambda pa: pa.nulls(3),
    },
    "ArrowDtype: string, binary": {
        "string": lambda pa: pa.array(["a", None, "bc"], pa.string()),
        "large_string": lambda pa: pa.array(["a", None], pa.large_string()),
        "string_view": lambda pa: pa.array(["a", None, "a" * 20], pa.string_view()),
        "binary": lambda pa: pa.array([b"a", None], pa.binary()),
        "large_binary": lambda pa: pa.array([b"a", None], pa.large_binary()),
        "fixed_binary": lambda pa: pa.array([b"ab", None], pa.binary(2)),
    },
    "ArrowDtype: times": {
        "timestamp_s": lambda pa: pa.array([1, None], pa.timestamp("s")),
        "timestamp_ns": lambda pa: pa.array([1, None], pa.timestamp("ns")),
        "timestamp_utc": lambda pa: pa.array([1, None], pa.timestamp("us", "UTC")),
        "timestamp_paris": lambda pa: pa.array([1, None], pa.timestamp("ms", "Europe/Paris")),
        "date32": lambda pa: pa.array([DATE, None], pa.date32()),
        "date64": lambda pa: pa.array([DATE, None], pa.date64()),
        "time32": lambda pa: pa.array([TIME, None], pa.time32("ms")),
        "time64": lambda pa: pa.array([TIME, None], pa.time64("us")),
        "time64_ns": lambda pa: pa.array([TIME, None], pa.time64("ns")),
        "duration": lambda pa: pa.array([1, None], pa.duration("ms")),
        "duration_ns": lambda pa: pa.array([1, None], pa.duration("ns")),
    },
    "ArrowDtype: decimal": {
        "decimal128": lambda pa: pa.array([decimal.Decimal("1.10"), None], pa.decimal128(10, 2)),
        "decimal256": lambda pa: pa.array([decimal.Decimal("1.10"), None], pa.decimal256(50, 2)),
    },
    "ArrowDtype: list, struct, map": {
        "list": lambda pa: pa.array([[1.5, 2.5], None, []], pa.list_(pa.float32())),
        "large_list": lambda pa: pa.array([[1.5, 2.5], None, []], pa.large_list(pa.float64())),
        "fixed_list": lambda pa: pa.array([[1.5, 2.5], [0.5, 1.0]], pa.list_(pa.float32(), 2)),
        "list_of_lists": lambda pa: pa.array([[[1], [2, 3]], None]),
        "list_not_null": lambda pa: pa.array([[1]], pa.list_(pa.field("item", pa.int64(), nullable=False))),
        "list_sliced": lambda pa: pa.array([[n, n] for n in range(50)]).slice(7, 3),
        "struct": lambda pa: pa.array([{"a": 1, "b": "x"}, None]),
        "struct_of_lists": lambda pa: pa.array([{"a": [1.5, 2.5]}, {"a": None}]),
        "map": lambda pa: pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int32())),
    },
    "ArrowDtype: dictionary": {
        "dictionary": lambda pa: pa.array(["a", "b", "a", None]).dictionary_encode(),
        "dictionary_int": lambda pa: pa.array([10, 20, 10, None]).dictionary_encode(),
    },
    "ArrowDtype: run-end encoded": {
        "run_end": lambda pa: pa.RunEndEncodedArray.from_arrays(pa.array([2, 3], pa.int32()), pa.array(["a", "b"])),
    },
}
for _row, _makers in ARROW.items():
    add_all("arrow", {name: arrowed(make) for name, make in _makers.items()}, row=_row)


@case()
def arrow_filtered():
    frame = arrowed(lambda pa: pa.array(list(range(1000)), pa.int32()))()
    return frame[frame["c"] > 990]


@case()
def extension_every_kind():
    if PANDAS < (1, 5):
        raise Unavailable("Arrow columns")
    return pd.DataFrame({
        "i": pd.array([1, None, 3], dtype="Int32"),
        "b": pd.array([True, None, False], dtype="boolean"),
        "s": pd.array(["a", None, "b"], dtype="string"),
        "c": pd.Categorical(["x", None, "y"]),
        "t": pd.to_datetime(DAYS).tz_localize("UTC"),
        "p": pd.period_range("2020-01", periods=3, freq="M"),
        "v": pd.interval_range(0, 3),
    })  # fmt: skip


ALONE = {
    "arrow_table": lambda pa: pa.table({"a": [1, 2], "b": ["x", None]}),
    "arrow_record_batch": lambda pa: pa.RecordBatch.from_arrays([pa.array([1])], names=["a"]),
    "arrow_array": lambda pa: pa.array([1, None]),
}
add_all("alone", {name: (lambda make: lambda: make(arrow()))(make) for name, make in ALONE.items()})
add_all("alone", {
    "categorical": lambda: pd.Categorical(["a", "b", "a"]),
    "masked": lambda: pd.array([1, None], dtype="Int64"),
    "datetime_array": lambda: pd.array(pd.to_datetime(["2020-01-01"]), dtype="M8[ns]"),
    "period_array": lambda: pd.array(pd.period_range("2020", periods=2, freq="D")),
    "string_array": lambda: pd.array(["a", None], dtype="string"),
    "category_dtype": lambda: pd.api.types.CategoricalDtype(["a", "b"], ordered=True),
    "timestamp": lambda: pd.Timestamp("2020-01-01", tz="UTC"),
    "number": lambda: 1.5,
    "text": lambda: "text",
    "nothing": lambda: None,
})  # fmt: skip
