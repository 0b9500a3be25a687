"""What people put around frames, and what they pickle instead of frames."""

import collections

import numpy as np
import pandas as pd

from .registry import add_all, boxed, case


def small(start=1):
    return pd.DataFrame({"a": [start, start + 1], "s": boxed(["x", None])})


class Record:
    """An object of somebody's program: not data that means anything elsewhere."""

    def __init__(self, name):
        self.name = name


Named = collections.namedtuple("Named", "name value")


def same_twice():
    frame = small()
    return {"x": frame, "y": frame, "column": frame["a"]}


add_all("held", {
    "dict": lambda: {"train": small(), "test": small(5)},
    "dict_and_notes": lambda: {"train": small(), "meta": {"v": 1}, "note": "hello"},
    "dict_number_keys": lambda: {1: small(), 2: small(5)},
    "dict_tuple_keys": lambda: {("a", 1): small(), ("b", 2): small(5)},
    "dict_odd_keys": lambda: {"a/b": small(), "": small(5), "../up": small(7), "ü ß": small(9)},
    "dict_clash": lambda: {"a": {"b": small()}, "a.b": small(5)},
    "dict_none_key": lambda: {None: small(), True: small(5), 1.5: small(7)},
    "list": lambda: [small(), small(5)],
    "list_one": lambda: [small()],
    "tuple": lambda: (small(), small(5)),
    "nested": lambda: {"a": [small(), {"b": (small(5), small(9))}]},
    "series": lambda: {"s": pd.Series([1.5, 2.5], name="v"), "t": pd.Series(["x", "y"])},
    "index": lambda: [pd.Index([1, 2, 3], name="k"), pd.date_range("2020", periods=2)],
    "frame_and_series": lambda: [small(), pd.Series([1.5])],
    "ordered": lambda: collections.OrderedDict([("z", small()), ("a", small(5))]),
    "default": lambda: collections.defaultdict(list, {"a": small()}),
    "same_twice": same_twice,
    "many": lambda: {f"part{n}": small(n) for n in range(40)},
    "named_tuple": lambda: Named("x", small()),
    "arrays_and_frame": lambda: {"X": np.arange(6.0).reshape(3, 2), "y": np.array([1, 0, 1]), "names": small()},
    "frame_and_object": lambda: {"frame": small(), "model": Record("m")},
    "empty_dict": dict,
    "empty_list": list,
}, row="dict, list, tuple of tables")  # fmt: skip
add_all("plain", {
    "list_of_dicts": lambda: [{"id": n, "name": f"n{n}", "v": [0.5 * n, 1.0]} for n in range(5)],
    "list_of_dicts_missing": lambda: [{"a": 1, "b": "x"}, {"b": "y"}, {"a": None, "b": "z"}],
    "list_of_dicts_many": lambda: [{"id": n, "t": "x"} for n in range(1500)],
    "list_of_dicts_late_key": lambda: [{"a": 1}, {"a": 2, "b": 2.5}],
}, row="list of dicts")  # fmt: skip
add_all("plain", {
    "dict_of_lists": lambda: {"a": [1, 2, 3], "b": [0.5, 1.5, 2.5], "c": ["x", "y", None]},
    "dict_of_lists_one_row": lambda: {"a": [1], "b": ["x"]},
    "dict_of_lists_unequal": lambda: {"a": [1, 2, 3], "b": [1]},
    "dict_of_arrays": lambda: {"a": np.arange(3), "b": np.arange(3.0), "c": np.array(["x", "y", "z"])},
    "dict_of_arrays_wide": lambda: {"id": np.arange(3), "X": np.arange(6, dtype="float32").reshape(3, 2)},
    "dict_of_arrays_unequal": lambda: {"X": np.zeros((2, 3), dtype="float32"), "y": np.array([1, 0, 1])},
    "dict_of_vectors": lambda: {f"word{n}": np.arange(3, dtype="float32") + n for n in range(3)},
    "dict_of_float_lists": lambda: {f"k{n}": [float(n), 0.25] for n in range(3)},
    "dict_of_dicts": lambda: {"r1": {"a": 1}, "r2": {"a": 2}},
}, row="dict of lists or arrays")  # fmt: skip
add_all("plain", {
    "list_of_tuples": lambda: [(1, "a", 0.5), (2, "b", 1.5)],
    "list_of_lists": lambda: [[1, 2], [3, 4]],
    "list_of_tuples_unequal": lambda: [(1, "a"), (2,)],
    "list_of_named_tuples": lambda: [Named("a", 1), Named("b", 2)],
}, row="list of tuples or lists")  # fmt: skip
add_all("plain", {
    "list_of_arrays": lambda: [np.arange(3.0), np.arange(3.0) + 1],
    "tuple_of_arrays": lambda: (np.arange(3.0), np.arange(2)),
    "list_of_text": lambda: ["a", "b", "a"],
    "list_of_numbers": lambda: [1, 2, 3],
    "list_of_objects": lambda: [Record("a"), Record("b")],
    "set": lambda: set(range(1500)),
    "scalars": lambda: [None, True, 0, -1, 2**70, -0.0, "", b"y"],
    "dict_of_scalars": lambda: {"a": 1, "b": "x"},
})  # fmt: skip


@case()
def plain_recursive_list():
    value = [1]
    value.append(value)
    return value


@case()
def plain_recursive_dict():
    value = {"k": small()}
    value["self"] = value
    return value


@case()
def plain_recursive_tuple():
    inner = []
    value = (inner, 1)
    inner.append(value)
    return value


@case()
def plain_deep():
    value = small()
    for _ in range(100):
        value = [value]
    return value
