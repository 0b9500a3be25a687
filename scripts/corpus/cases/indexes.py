"""Every kind of index: as rows of a frame, as columns of a frame, and alone."""

import datetime

import numpy as np
import pandas as pd

from .registry import NAN, add, add_all, arrow

DAY = "2020-01-01"


def days(**how):
    return lambda: pd.date_range(DAY, periods=3, **how)


INDEXES = {
    "range": lambda: pd.RangeIndex(3),
    "range_named": lambda: pd.RangeIndex(5, 20, 5, name="r"),
    "range_down": lambda: pd.RangeIndex(3, 0, -1),
    "int64": lambda: pd.Index([3, 1, 2], name="k"),
    "int64_unnamed": lambda: pd.Index([30, 10, 20]),
    "int64_repeated": lambda: pd.Index([1, 1, 2]),
    "uint64": lambda: pd.Index(np.array([3, 2**63, 1], dtype="uint64")),
    "int8": lambda: pd.Index(np.array([3, -2, 1], dtype="int8")),
    "float64": lambda: pd.Index([3.5, NAN, 1.0]),
    "float32": lambda: pd.Index(np.array([3.5, 0.25, 1.0], dtype="float32")),
    "bool": lambda: pd.Index([True, False, True]),
    "text": lambda: pd.Index(["x", "y", "z"], name="s"),
    "text_missing": lambda: pd.Index(["x", None, "z"]),
    "text_object": lambda: pd.Index(["x", "y", "z"], dtype=object),
    "bytes": lambda: pd.Index([b"x", b"y", b"\xff"]),
    "mixed": lambda: pd.Index(["a", 1, 2.5], dtype=object),
    "date": lambda: pd.Index([datetime.date(2020, 1, day) for day in (1, 2, 3)], name="day"),
    "tuple_name": lambda: pd.Index([1, 2, 3], name=("a", 1)),
    "int_name": lambda: pd.Index(["a", "b", "c"], name=7),
    "datetime": lambda: pd.DatetimeIndex([DAY, "2020-03-01", None], name="when"),
    "datetime_daily": days(freq="D"),
    "datetime_business": days(freq="B"),
    "datetime_six_hours": days(freq=pd.offsets.Hour(6)),
    "datetime_month_end": days(freq=pd.offsets.MonthEnd(2)),
    "datetime_weekly": days(freq="W-WED"),
    "datetime_quarterly": days(freq=pd.offsets.QuarterEnd(startingMonth=2)),
    "datetime_holidays": days(freq=pd.offsets.CustomBusinessDay(holidays=["2020-01-02"])),
    "datetime_offset": days(freq=pd.DateOffset(days=1, hours=3)),
    "datetime_utc": days(freq="D", tz="UTC"),
    "datetime_paris": lambda: pd.date_range("2020-03-28", periods=3, freq="D", tz="Europe/Paris"),
    "timedelta": lambda: pd.TimedeltaIndex(["1 days", None, "-3h"]),
    "timedelta_daily": lambda: pd.timedelta_range("1 days", periods=3, freq="D"),
    "period": lambda: pd.period_range("2020-01", periods=3, freq="M", name="month"),
    "period_quarter": lambda: pd.period_range("2020Q1", periods=3, freq="Q-NOV"),
    "interval": lambda: pd.interval_range(0, 3),
    "interval_float": lambda: pd.IntervalIndex.from_tuples([(0.5, 1.0), None, (2.0, 2.5)], closed="both"),
    "interval_datetime": lambda: pd.IntervalIndex.from_breaks(pd.date_range(DAY, periods=4), closed="left"),
    "category": lambda: pd.CategoricalIndex(["a", "b", "a"], name="cat"),
    "category_missing": lambda: pd.CategoricalIndex(["a", None, "b"], categories=["b", "a", "z"], ordered=True),
    "multi": lambda: pd.MultiIndex.from_tuples([("a", 1), ("a", 2), ("b", 1)], names=["x", "y"]),
    "multi_unnamed": lambda: pd.MultiIndex.from_tuples([("a", 1), ("a", 2), ("b", 1)]),
    "multi_missing": lambda: pd.MultiIndex.from_tuples([("a", 1.0), (None, 2.0), ("a", NAN)]),
    "multi_dates": lambda: pd.MultiIndex.from_arrays([pd.date_range(DAY, periods=3, tz="UTC"), pd.Categorical(["q", "r", "q"])], names=["t", "c"]),
    "multi_unused": lambda: pd.MultiIndex.from_product([["a", "b", "c"], [1, 2]], names=["x", "y"])[1:4],
    "multi_three": lambda: pd.MultiIndex.from_arrays([["a", "b", "c"], [0.5, 1.5, 2.5], pd.period_range("2020", periods=3, freq="M")]),
    "empty": lambda: pd.Index([], dtype=object),
}  # fmt: skip
NEWER = {
    "datetime_us": lambda: pd.DatetimeIndex(np.array([DAY, "NaT", "2020-01-01T00:00:00.000001"], dtype="M8[us]")),
    "arrow": lambda: pd.Index(pd.array([1, None, 3], dtype=pd.ArrowDtype(arrow().int64()))),
    "arrow_text": lambda: pd.Index(pd.array(["a", None, "b"], dtype="string[pyarrow]")),
    "masked": lambda: pd.Index(pd.array([1, None, 3], dtype="Int64"), name="m"),
    "masked_float": lambda: pd.Index(pd.array([1.5, None, 3.0], dtype="Float64")),
    "masked_bool": lambda: pd.Index(pd.array([True, None, False], dtype="boolean")),
}


def rows(make):
    def build():
        index = make()
        return pd.DataFrame({"a": np.arange(len(index)), "b": boxed_letters(len(index))}, index=index)

    return build


def boxed_letters(count):
    return np.array(list("pqrstuvwxyz")[:count], dtype=object)


def across(make):
    def build():
        index = make()
        return pd.DataFrame(np.arange(2.0 * len(index)).reshape(2, -1), columns=index)

    return build


add_all("index", INDEXES)
add_all("index", NEWER, since=(2, 0))
add_all("rows", {name: rows(make) for name, make in INDEXES.items()})
add_all("rows", {name: rows(make) for name, make in NEWER.items()}, since=(2, 0))

COLUMNS = "range int64 int64_unnamed float64 bool text text_object datetime_daily datetime_paris timedelta_daily period interval category multi multi_unnamed multi_missing empty".split()
add_all("columns", {name: across(INDEXES[name]) for name in COLUMNS})
add_all("columns", {
    "repeated": lambda: pd.DataFrame([[1, 2.5, "x"]], columns=["a", "a", "a"]),
    "repeated_numbers": lambda: pd.DataFrame([[1, 2.5]], columns=[0, 0]),
    "mixed": lambda: pd.DataFrame([[1, 2, 3, 4]], columns=["a", 1, None, ("t", 2)]),
    "number_and_its_text": lambda: pd.DataFrame([[1, 2]], columns=[1, "1"]),
    "empty_name": lambda: pd.DataFrame([[1, 2]], columns=["", " "]),
    "letters": lambda: pd.DataFrame([[1, 2, 3, 4]], columns=["größe", "数", "a.b/c\\d", "x\ny\t\"'"]),
    "like_index": lambda: pd.DataFrame({"__index_level_0__": [1, 2], "index": [3, 4]}, index=["x", "y"]),
    "as_index": lambda: pd.DataFrame({"a": [1, 2]}, index=pd.Index([7, 8], name="a")),
    "named": lambda: pd.DataFrame([[1, 2]], columns=pd.Index(["a", "b"], name="cn")),
    "multi_numbers": lambda: pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["x", "y"])),
})  # fmt: skip
add("rows_multi_both", lambda: pd.DataFrame(np.arange(4.0).reshape(2, 2), index=pd.MultiIndex.from_arrays([[1, 1], pd.to_datetime(["2020", "2021"])]), columns=pd.MultiIndex.from_product([["a"], ["p", "q"]])))
