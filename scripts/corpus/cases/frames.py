"""Frames and series as wholes: shapes, names, what hangs on them, what comes out of other operations."""

import numpy as np
import pandas as pd

from .registry import NAN, add_all, boxed, case


class OwnFrame(pd.DataFrame):
    """Somebody's subclass, with something of its own."""

    _metadata = ["extra"]

    @property
    def _constructor(self):
        return OwnFrame


class OwnSeries(pd.Series):
    pass


def letters():
    return pd.DataFrame({"k": list("aab"), "c": list("xyx"), "v": [1, 2, 3]})


add_all("frame", {
    "int": lambda: pd.DataFrame({"a": [1, 2, 3]}),
    "mixed": lambda: pd.DataFrame({"i": [1, 2, 3], "f": [0.5, NAN, -1e300], "b": [True, False, True], "s": ["x", None, "z"], "d": pd.to_datetime(["2020-01-01", None, "1969-12-31"])}),
    "empty": lambda: pd.DataFrame(),
    "no_rows": lambda: pd.DataFrame({"a": np.array([], dtype="int64"), "b": np.array([], dtype=object), "c": pd.Categorical([]), "d": pd.to_datetime([])}),
    "no_columns": lambda: pd.DataFrame(index=range(3)),
    "no_columns_text_index": lambda: pd.DataFrame(index=["a", "b"]),
    "one_cell": lambda: pd.DataFrame([[None]], columns=["a"], dtype=object),
    "filtered": lambda: (lambda frame: frame[frame["a"] > 6])(pd.DataFrame({"a": range(10), "s": list("abcdefghij")})),
    "every_second_row": lambda: pd.DataFrame({"a": range(10)}).iloc[1:9:2],
    "grouped": lambda: letters().groupby("k").agg({"v": ["sum", "mean"]}),
    "pivoted": lambda: letters().pivot_table(index="k", columns="c", values="v"),
    "described": lambda: letters().describe(include="all"),
    "looked_at": lambda: looked_at(),
    "repeated_rows": lambda: pd.DataFrame({"a": [1, 2]}, index=["x", "x"]),
})  # fmt: skip


def looked_at():
    frame = pd.DataFrame({"a": [1, 2], "b": [1.5, 2.5]})
    frame["a"], frame["b"]
    return frame


@case()
def frame_attrs():
    frame = pd.DataFrame({"a": [1]})
    frame.attrs.update(source="unit", n=[1, 2.5])
    return frame


@case()
def frame_unique_labels():
    return pd.DataFrame({"a": [1]}).set_flags(allows_duplicate_labels=False)


@case()
def frame_subclass():
    frame = OwnFrame({"a": [1, 2]})
    frame.extra = {"unit": "m"}
    return frame


add_all("series", {
    "int": lambda: pd.Series([1, 2, 3]),
    "named": lambda: pd.Series([1.5, 2.5], name="val", index=["a", "b"]),
    "text": lambda: pd.Series(["a", "b", None]),
    "objects": lambda: boxed(["a", None]),
    "tuple_name": lambda: pd.Series([1, 2], name=("a", 1)),
    "int_name": lambda: pd.Series([1, 2], name=5),
    "empty": lambda: pd.Series([], dtype="float64"),
    "category": lambda: pd.Series(pd.Categorical(["a", "b", "a"]), name="c"),
    "datetime_zone": lambda: pd.Series(pd.date_range("2020", periods=2, tz="Europe/Paris"), name="t"),
    "masked": lambda: pd.Series([1, None], dtype="Int8", name="m"),
    "vectors": lambda: boxed([[0.5, 1.5], [2.5, 3.5]]).rename("v"),
    "multi_rows": lambda: letters().groupby(["k", "c"])["v"].sum(),
    "of_column": lambda: pd.DataFrame({"a": [1, 2], "b": [1.5, 2.5]})["b"],
    "counted": lambda: pd.Series(list("aab")).value_counts(),
}, row="Series")  # fmt: skip


@case()
def series_subclass():
    return OwnSeries([1, 2])


@case()
def series_of_series():
    return boxed([pd.Series([1]), pd.Series([2.5], name="q")])
