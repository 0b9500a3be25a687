"""Are two frames the same? Stricter than pandas' own assertion, which takes a list for an array and None for NaN.

`differences(expected, actual)` names what is not the same. `losses(expected, actual)` finds the fewest of the `LOSSES` (things that
a round trip through Parquet is known to change) under which the two are the same, or says that there are none.
"""

import array
import collections
import datetime
import decimal
import fractions
import ipaddress
import pathlib
import uuid

import numpy as np
import pandas as pd

# Dicts of a column that have more keys than this between them become maps.
STRUCT_FIELDS_MAX = 1024
SEQUENCES = (list, tuple, set, frozenset, collections.deque, range, array.array, np.ndarray)


# ---- cells

def missing(value):
    """None, NaN, NaT, pd.NA of any kind; not an array or a list."""
    if value is None or value is pd.NaT or value is pd.NA:
        return True
    if isinstance(value, (float, np.floating, decimal.Decimal)):
        return bool(value != value)
    return isinstance(value, (np.datetime64, np.timedelta64)) and bool(np.isnat(value))


def same_number(left, right):
    if left != left or right != right:
        return left != left and right != right
    return left == right and np.signbit(left) == np.signbit(right)


def same(left, right):
    """The same type and the same value, all the way down."""
    if type(left) is not type(right):
        return False
    if isinstance(left, (float, np.floating)):
        return same_number(left, right)
    if missing(left) or missing(right):
        return missing(left) and missing(right)
    if isinstance(left, np.ndarray):
        if left.dtype != right.dtype or left.shape != right.shape:
            return False
        return all(map(same, left.ravel().tolist(), right.ravel().tolist()))
    if isinstance(left, (list, tuple, collections.deque)):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict):
        return list(left) == list(right) and all(same(left[key], right[key]) for key in left)
    if isinstance(left, (pd.DataFrame, pd.Series, pd.Index)):
        return left.equals(right)
    return bool(left == right) and str(left) == str(right)


class Elements(collections.namedtuple("Elements", "kind values")):
    """A sequence of whatever class, with the NumPy type that its elements have in common."""


def kind_of(values):
    kinds = {type(value) for value in values if not missing(value) or isinstance(value, float)}
    if kinds and kinds <= {float, int}:
        return "float64" if float in kinds or any(map(missing, values)) else "int64"
    return "bool" if kinds == {bool} and not any(map(missing, values)) else "object"


def sequence(value):
    """Any sequence as `Elements`, and so what is in it."""
    if isinstance(value, dict):
        return {key: sequence(inner) for key, inner in value.items()}
    if not isinstance(value, SEQUENCES) or isinstance(value, np.ndarray) and value.ndim == 0:
        return value
    if isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype.kind in "biufmM":
        return Elements(value.dtype.name, value.tolist())
    values = list(np.asarray(value) if isinstance(value, np.ndarray) else value)  # a row of a matrix is a matrix, without end
    if isinstance(value, (set, frozenset)):
        values.sort(key=repr)
    kinds = {inner.dtype.name if isinstance(inner, np.number) else None for inner in values}
    values = [inner.item() if isinstance(inner, (np.number, np.str_)) and not isinstance(inner, np.timedelta64) else inner for inner in values]
    if len(kinds) == 1 and kinds != {None}:
        return Elements(*kinds, values)
    kind = kind_of(values)
    if kind == "float64":
        values = [float("nan") if inner is None else float(inner) for inner in values]
    return Elements(kind, [sequence(inner) for inner in values] if kind == "object" else values)


def without_kind(value):
    """Empty sequences have no type to compare."""
    if isinstance(value, dict):
        return {key: without_kind(inner) for key, inner in value.items()}
    if not isinstance(value, Elements):
        return value
    return Elements(value.kind if value.values else "object", [without_kind(inner) for inner in value.values])


def to_none(value):
    if isinstance(value, Elements):
        return Elements(value.kind, [to_none(inner) for inner in value.values]) if value.kind == "object" else value
    if isinstance(value, (list, tuple)) and type(value) in (list, tuple):
        return type(value)(to_none(inner) for inner in value)
    return None if missing(value) else value


def plain(value):
    """NumPy's scalars, arrays that are one value, and subclasses of Python's classes as the plain ones."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if isinstance(value, np.datetime64) and np.datetime_data(value.dtype)[0] == "D" and not missing(value):
        return value.item()
    if isinstance(value, (np.datetime64, np.timedelta64)):
        return pd.Timestamp(value) if isinstance(value, np.datetime64) else pd.Timedelta(value)
    if isinstance(value, np.generic):
        return value.item()
    for base in (str, bytes, bytearray):
        if isinstance(value, base):
            return bytes(value) if base is bytearray else base(value)
    if isinstance(value, dict):
        return dict(value)
    return value


def moment(value):
    """Python's and NumPy's times as those of pandas: nanoseconds, however many, and the zone."""
    if missing(value):
        return value
    try:
        if isinstance(value, (datetime.datetime, np.datetime64)):
            value = pd.Timestamp(value)
            return ("moment", nanoseconds(value.asm8), str(value.tz))
        if isinstance(value, (datetime.timedelta, np.timedelta64)):
            return ("span", nanoseconds(pd.Timedelta(value).asm8))
    except (OverflowError, ValueError):  # beyond what this pandas holds
        return value
    return value


def nanoseconds(value):
    unit, count = np.datetime_data(value.dtype)
    return int(value.view("int64")) * count * {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}[unit]


def python_values(value):
    """Arrays as lists, all the way down."""
    if isinstance(value, dict):
        return {key: python_values(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [python_values(inner) for inner in (value.tolist() if isinstance(value, np.ndarray) else value)]
    return value


def floats(values, needed):
    """Integers as floats, where floats are needed and hold them."""
    if not needed:
        return values
    return [float(value) if type(value) is int and int(float(value)) == value else value for value in values]


def struct_cells(values):
    """Dicts as pyarrow reads structs: an absent key is one with None, and where a key is absent, integers of it are floats."""
    dicts = [value for value in values if isinstance(value, dict)]
    if not dicts:
        return values
    columns = {}
    for key in sorted({key for each in dicts for key in each}, key=str):
        cells = struct_cells([value.get(key) if isinstance(value, dict) else None for value in values])
        columns[key] = floats(cells, any(cell is None for cell in cells))
    present = [{key: cells[row] for key, cells in columns.items() if cells[row] is not None} for row in range(len(values))]
    return [there if isinstance(value, dict) else value for value, there in zip(values, present)]


def all_keys(value):
    """Absent keys of a dict are there with None; so the keys with None go on both sides."""
    if isinstance(value, Elements):
        return Elements(value.kind, [all_keys(inner) for inner in value.values])
    if isinstance(value, dict):
        return {key: all_keys(value[key]) for key in sorted(value, key=str) if value[key] is not None}
    if isinstance(value, (list, tuple)) and type(value) in (list, tuple):
        return type(value)(map(all_keys, value))
    return value


def uuid_bytes(value):
    return value.bytes if isinstance(value, uuid.UUID) else value


def as_text(value):
    """Small values of the standard library that have a text which is all of them."""
    kinds = (fractions.Fraction, pathlib.PurePath, ipaddress.IPv4Address, ipaddress.IPv6Address)
    return str(value) if isinstance(value, kinds) else value


def range_parts(value):
    return {"start": value.start, "stop": value.stop, "step": value.step} if isinstance(value, range) else value


def exact(value):
    """Integers and decimals by their value, without the scale."""
    if isinstance(value, bool) or not isinstance(value, (int, decimal.Decimal)) or missing(value):
        return value
    value = decimal.Decimal(value)
    return value.normalize(decimal.Context(prec=1000)) + 0 if value.is_finite() else value  # -0 + 0 is 0


# ---- columns: each takes the expected and the actual column and gives them back in a form in which the loss does not show

def by_cell(change):
    def apply(expected, actual):
        if expected.dtype != object or actual.dtype != object:
            return expected, actual
        return tuple(rebuilt(column, [change(value) for value in column]) for column in (expected, actual))

    return apply


def rebuilt(column, values):
    values = list(values)
    cells = np.empty(len(values), dtype=object)
    for row, value in enumerate(values):
        cells[row] = value
    return pd.Series(cells, index=column.index, name=column.name, dtype=object)


def retyped(expected, actual):
    if expected.dtype == object and actual.dtype != object:
        return simple_cells(expected, actual)
    return expected, actual


def simple_cells(expected, actual):
    """Both as objects of Python; integers as floats if that is what the actual column holds."""
    wanted, got = ([to_none(plain(moment(value))) for value in column] for column in (expected, actual))
    return rebuilt(expected, floats(wanted, getattr(actual.dtype, "kind", "O") == "f")), rebuilt(actual, got)


def index_type(expected, actual):
    """The values of an index of a nullable or Arrow type in an ordinary one."""
    if getattr(expected.dtype, "na_value", None) is pd.NA and isinstance(actual.dtype, np.dtype):
        return simple_cells(expected, actual)
    return expected, actual


def as_object(expected, actual):
    if isinstance(expected.dtype, pd.StringDtype) and actual.dtype == object:
        return rebuilt(expected, map_missing(expected)), rebuilt(actual, map_missing(actual))
    return expected, actual


def as_str(expected, actual):
    if expected.dtype == object and isinstance(actual.dtype, pd.StringDtype):
        return expected, rebuilt(actual, [None if missing(value) else value for value in actual])
    return expected, actual


def complex_parts(expected, actual):
    """Complex numbers as the two floats of a struct."""
    kinds = (complex, np.complexfloating)
    if actual.dtype != object or not any(isinstance(value, kinds) for value in expected):
        return expected, actual
    cells = rebuilt(expected, [[value.real, value.imag] if isinstance(value, kinds) else value for value in expected])
    return by_cell(plain_list)(cells, rebuilt(actual, [list(value.values()) if isinstance(value, dict) else value for value in actual]))


def plain_list(value):
    return list(map(float, value)) if isinstance(value, list) else value


def beyond_decimals(expected, actual):
    """A column with a number that no Decimal of Arrow holds as the texts of its numbers."""
    if expected.dtype != object or not any(map(beyond_decimal, expected)):
        return expected, actual
    numbers = (int, decimal.Decimal)
    return rebuilt(expected, [str(value) if isinstance(value, numbers) and not isinstance(value, bool) else value for value in expected]), actual


def beyond_decimal(value):
    if isinstance(value, decimal.Decimal):
        return value.is_infinite()
    return isinstance(value, int) and abs(value) >= 10**76


def one_kind(expected, actual):
    """Vectors of unlike kinds of number as vectors of the kind that holds all of them."""
    arrays = [value for value in expected if isinstance(value, np.ndarray)] if expected.dtype == object else []
    if len({array.dtype for array in arrays}) < 2 or not all(array.dtype.kind in "biuf" for array in arrays):
        return expected, actual
    kind = np.result_type(*arrays)
    return rebuilt(expected, [value.astype(kind) if isinstance(value, np.ndarray) else value for value in expected]), actual


def pair_order(expected, actual):
    """Dicts with their keys in the order of the pairs that came back."""
    if expected.dtype != object or actual.dtype != object:
        return expected, actual
    return rebuilt(expected, map(reordered, expected, actual)), actual


def reordered(wanted, got):
    is_pairs = isinstance(wanted, dict) and isinstance(got, list) and all(isinstance(pair, tuple) for pair in got)
    return dict(got) if is_pairs and len(got) == len(wanted) and dict(got) == wanted else wanted


def maps(expected, actual):
    """Dicts with keys that are no text or more than a struct may have, or of nothing but empty dicts, as lists of pairs."""
    dicts = [value for value in expected if isinstance(value, dict)] if expected.dtype == object else []
    keys = {key for each in dicts for key in each}
    if not dicts or keys and len(keys) <= STRUCT_FIELDS_MAX and all(isinstance(key, str) for key in keys):
        return expected, actual
    return rebuilt(expected, [list(value.items()) if isinstance(value, dict) else value for value in expected]), actual


def structs(expected, actual):
    if expected.dtype != object or actual.dtype != object:
        return expected, actual
    return tuple(rebuilt(column, struct_cells(list(map(all_keys, column)))) for column in (expected, actual))


def python_2_bytes(expected, actual):
    """The str of Python 2 in a column where not all of them are ASCII."""
    kinds = {type(value) for value in expected if not missing(value)} if expected.dtype == object else set()
    if kinds != {str, bytes}:
        return expected, actual
    return rebuilt(expected, [value.encode("ascii") if isinstance(value, str) else value for value in expected]), actual


def without_categories(expected, actual):
    """A categorical column without rows, and so without a dictionary."""
    if len(expected) or not all(isinstance(column.dtype, pd.CategoricalDtype) for column in (expected, actual)):
        return expected, actual
    if expected.cat.ordered != actual.cat.ordered or len(actual.cat.categories):
        return expected, actual
    return expected.cat.codes, actual.cat.codes


def uncategorized(expected, actual):
    """The values themselves, where the categories are no text: Parquet has dictionaries of text only."""
    if not isinstance(expected.dtype, pd.CategoricalDtype) or isinstance(actual.dtype, pd.CategoricalDtype):
        return expected, actual
    categories = pd.Series(expected.cat.categories)
    if any(isinstance(category, str) for category in categories):
        return expected, actual
    values = categories.reindex(expected.cat.codes)  # the code of a missing cell, -1, is no label
    return pd.Series(values.array, index=expected.index, name=expected.name), actual


def zoned_intervals(expected, actual):
    """Intervals between times with a zone as structs of their sides."""
    if not isinstance(expected.dtype, pd.IntervalDtype) or actual.dtype != object or getattr(expected.dtype.subtype, "tz", None) is None:
        return expected, actual
    zone = str(expected.dtype.subtype.tz)
    wanted = [None if missing(value) else [moment(value.left), moment(value.right)] for value in expected]
    # pandas before 3 reads nanoseconds in a struct as their number.
    read = [None if missing(value) else [value["left"], value["right"]] for value in actual]
    got = [sides and [("moment", side, zone) if isinstance(side, int) else moment(side) for side in sides] for sides in read]
    return rebuilt(expected, wanted), rebuilt(actual, got)


def nan_is_missing(expected, actual):
    """NaN beside pd.NA among nullable floats."""
    if not str(expected.dtype).startswith("Float") or expected.dtype != actual.dtype:
        return expected, actual
    return rebuilt(expected, map_missing(expected)), rebuilt(actual, map_missing(actual))


def dense(expected, actual):
    return (expected.sparse.to_dense(), actual) if isinstance(expected.dtype, pd.SparseDtype) else (expected, actual)


def one_storage(expected, actual):
    if isinstance(expected.dtype, pd.StringDtype) and isinstance(actual.dtype, pd.StringDtype):
        return rebuilt(expected, map_missing(expected)), rebuilt(actual, map_missing(actual))
    return expected, actual


def map_missing(column):
    return [None if missing(value) else value for value in column]


def one_unit(expected, actual):
    """Times of another unit and the same instants."""
    kinds = [getattr(column.dtype, "kind", "O") for column in (expected, actual)]
    zones = [str(getattr(column.dtype, "tz", None)) for column in (expected, actual)]  # by name, as dtypes compare them
    if kinds[0] not in "mM" or kinds[0] != kinds[1] or zones[0] != zones[1] or same_unit(expected.dtype, actual.dtype):
        return expected, actual
    try:
        back = actual.astype(expected.dtype)
        return (expected, back) if back.astype(actual.dtype).equals(actual) else (expected, actual)
    except (ValueError, TypeError, OverflowError):
        return expected, actual


def one_end(expected, actual):
    """The same intervals, of which another end is closed."""
    if not all(isinstance(column.dtype, pd.IntervalDtype) for column in (expected, actual)):
        return expected, actual
    return pd.Series(expected.array.set_closed(actual.dtype.closed), index=expected.index, name=expected.name), actual


def same_unit(*dtypes):
    units = {getattr(dtype, "unit", None) or np.datetime_data(dtype)[0] for dtype in dtypes}
    return len(units) == 1


def one_zone(expected, actual):
    """Zones of another class or spelling and the same instants and offsets."""
    if not all(isinstance(column.dtype, pd.DatetimeTZDtype) for column in (expected, actual)):
        return expected, actual
    local = [column.dt.tz_localize(None) for column in (expected, actual)]
    return (local[0], local[1]) if local[0].equals(local[1]) else (expected, actual)


def arrow_values(expected, actual):
    """Another Arrow type, the same Python values."""
    dtype = getattr(pd, "ArrowDtype", None)
    if dtype is None or not isinstance(expected.dtype, dtype) or not isinstance(actual.dtype, dtype):
        return expected, actual
    return tuple(rebuilt(column, map(plain, column.array.__arrow_array__().to_pylist())) for column in (expected, actual))


def without_arrow(expected, actual):
    """An Arrow column that came back as the column that pandas itself has for it."""
    dtype = getattr(pd, "ArrowDtype", None)
    if dtype is None or not isinstance(expected.dtype, dtype) or isinstance(actual.dtype, dtype):
        return expected, actual
    cells = rebuilt(expected, expected.array.__arrow_array__().to_pylist())
    wanted, got = ([to_none(plain(moment(python_values(value)))) for value in column] for column in (cells, actual))
    floating = getattr(actual.dtype, "kind", "O") == "f"
    return rebuilt(expected, floats(struct_cells(wanted), floating)), rebuilt(actual, struct_cells(got))


def numpy_order(expected, actual):
    if isinstance(expected.dtype, np.dtype) and expected.dtype.byteorder == ">":
        return expected.astype(expected.dtype.newbyteorder("=")), actual
    return expected, actual


def halves(expected, actual):
    """16-bit floats, alone or in arrays, as 32-bit ones."""
    if isinstance(expected.dtype, np.dtype) and expected.dtype.kind == "f" and expected.dtype.itemsize == 2 and actual.dtype == np.float32:
        return expected.astype(np.float32), actual
    return rebuilt(expected, list(map(widened, expected))) if expected.dtype == object else expected, actual


def widened(value):
    return value.astype(np.float32) if isinstance(value, np.ndarray) and value.dtype == np.float16 else value


def category_values(expected, actual):
    """The same cells and order of categories, their type another one."""
    if not all(isinstance(column.dtype, pd.CategoricalDtype) for column in (expected, actual)):
        return expected, actual
    if expected.cat.ordered != actual.cat.ordered or not expected.cat.codes.equals(actual.cat.codes):
        return expected, actual
    wanted, got = (pd.Series(column.cat.categories) for column in (expected, actual))
    for loss in (as_str, as_object, one_storage, retyped, one_unit, one_zone):
        wanted, got = loss(wanted, got)
    return (expected.cat.codes, actual.cat.codes) if not column_difference(wanted, got) else (expected, actual)


# ---- frames

def frame_wide(change):
    def apply(expected, actual):
        if expected.shape != actual.shape:
            return expected, actual
        columns = [(expected.iloc[:, place], actual.iloc[:, place]) for place in range(expected.shape[1])]
        pairs = [change(*pair) for pair in columns]
        if unchanged(columns, pairs):
            return expected, actual
        return with_columns(expected, [pair[0] for pair in pairs]), with_columns(actual, [pair[1] for pair in pairs])

    return apply


def unchanged(before, after):
    return all(old is new for pairs in zip(before, after) for old, new in zip(*pairs))


def with_columns(frame, columns):
    made = pd.concat([column.reset_index(drop=True) for column in columns], axis=1) if columns else frame.copy()
    made.index, made.columns = frame.index, frame.columns
    made.attrs = frame.attrs
    made.flags.allows_duplicate_labels = frame.flags.allows_duplicate_labels
    return made


def level_wide(change):
    """Applies a change of columns to the index, level by level."""

    def apply(expected, actual):
        if expected.index.nlevels != actual.index.nlevels or len(expected) != len(actual):
            return expected, actual
        columns = list(zip(levels(expected.index), levels(actual.index)))
        pairs = [change(*pair) for pair in columns]
        if unchanged(columns, pairs):
            return expected, actual
        return with_index(expected, [pair[0] for pair in pairs]), with_index(actual, [pair[1] for pair in pairs])

    return apply


def levels(index):
    return [pd.Series(index.get_level_values(level)) for level in range(index.nlevels)]


def with_index(frame, columns):
    frame = frame.copy()
    names = frame.index.names
    made = [pd.Index(column, dtype=column.dtype, tupleize_cols=False) if isinstance(frame.index, pd.MultiIndex) or column.dtype == object else pd.Index(column) for column in columns]
    frame.index = made[0] if len(made) == 1 else pd.MultiIndex.from_arrays(made)
    frame.index.names = names
    return frame


def everywhere(change):
    """Both in columns and in the index."""
    columns, rows = frame_wide(change), level_wide(change)

    def apply(expected, actual):
        return rows(*columns(expected, actual))

    return apply


def without_freq(expected, actual):
    expected, actual = expected.copy(), actual.copy()
    for frame in (expected, actual):
        for axis in ("index", "columns"):
            index = getattr(frame, axis)
            if isinstance(index, (pd.DatetimeIndex, pd.TimedeltaIndex)):
                setattr(frame, axis, index._with_freq(None))
    return expected, actual


def without_attrs(expected, actual):
    expected = expected.copy()
    expected.attrs = actual.attrs
    return expected, actual


def without_flags(expected, actual):
    return expected.set_flags(allows_duplicate_labels=actual.flags.allows_duplicate_labels), actual


def plain_frame(expected, actual):
    made = pd.DataFrame(expected)
    made.attrs = expected.attrs
    return made, actual


def text_labels(expected, actual):
    if isinstance(expected.columns, pd.MultiIndex) or len(expected.columns) != len(actual.columns):
        return expected, actual
    labels = [str(wanted) if isinstance(got, str) else wanted for wanted, got in zip(expected.columns, actual.columns)]
    if labels == list(expected.columns):
        return expected, actual
    expected = expected.copy()
    expected.columns = pd.Index(labels, name=expected.columns.name, dtype=actual.columns.dtype, tupleize_cols=False)
    return expected, actual


def text_names(expected, actual):
    expected = expected.copy()
    expected.index.names = [str(name) if isinstance(name, tuple) else name for name in expected.index.names]
    return expected, actual


def one_order(expected, actual):
    """The same columns, or keys of dicts, in another order."""
    expected, actual = frame_wide(pair_order)(expected, actual)
    if list(expected.columns) == list(actual.columns) or not expected.columns.is_unique or set(expected.columns) != set(actual.columns):
        return expected, actual
    return expected[list(actual.columns)], actual


def without_rows(expected, actual):
    """A frame without columns, whose rows are only counted."""
    if expected.shape[1] or actual.shape != (0, 0) or not isinstance(expected.index, pd.RangeIndex):
        return expected, actual
    return (expected.iloc[:0], actual) if expected.index.equals(pd.RangeIndex(len(expected))) else (expected, actual)


def numbered_labels(expected, actual):
    """Labels that come twice have a number behind them."""
    if expected.columns.is_unique or len(expected.columns) != len(actual.columns):
        return expected, actual
    if all(str(got).startswith(str(wanted)) for wanted, got in zip(expected.columns, actual.columns)):
        actual = actual.copy()
        actual.columns = expected.columns
    return expected, actual


def label_class(expected, actual):
    """The same labels in another class of index."""
    if list(map(str, expected.columns)) == list(map(str, actual.columns)):
        expected, actual = expected.copy(), actual.copy()
        if [label for label in expected.columns if not isinstance(label, str)] == [label for label in actual.columns if not isinstance(label, str)]:
            expected.columns = actual.columns.set_names(expected.columns.names)
    return expected, actual


# Those that explain one thing come first, those that explain much last.
LOSSES = {
    "freq": without_freq,
    "attrs": without_attrs,
    "flags": without_flags,
    "subclass": plain_frame,
    "byte order": everywhere(numpy_order),
    "halves": frame_wide(halves),
    "labels": text_labels,
    "names": text_names,
    "repeated": numbered_labels,
    "rows": without_rows,
    "order": one_order,
    "no categories": frame_wide(without_categories),
    "plain categories": everywhere(uncategorized),
    "storage": everywhere(one_storage),
    "unit": everywhere(one_unit),
    "zone": everywhere(one_zone),
    "closed": everywhere(one_end),
    "zoned intervals": frame_wide(zoned_intervals),
    "nan": frame_wide(nan_is_missing),
    "dense": frame_wide(dense),
    "str": everywhere(as_str),
    "object": everywhere(as_object),
    "missing": everywhere(by_cell(to_none)),
    "scalars": everywhere(by_cell(plain)),
    "python 2": frame_wide(python_2_bytes),
    "uuid": frame_wide(by_cell(uuid_bytes)),
    "beyond decimals": frame_wide(beyond_decimals),
    "decimal": frame_wide(by_cell(exact)),
    "text": frame_wide(by_cell(as_text)),
    "complex": frame_wide(complex_parts),
    "ranges": frame_wide(by_cell(range_parts)),
    "maps": frame_wide(maps),
    "kinds": frame_wide(one_kind),
    "lists": frame_wide(by_cell(sequence)),
    "empty lists": frame_wide(by_cell(without_kind)),
    "keys": frame_wide(structs),
    "categories": everywhere(category_values),
    "arrow type": everywhere(arrow_values),
    "index type": level_wide(index_type),
    "arrow": everywhere(without_arrow),
    "retyped": everywhere(retyped),
    "label class": label_class,
}


# ---- comparing

def index_difference(expected, actual, what):
    if type(expected) is not type(actual):
        return f"{what} is {type(actual).__name__}, not {type(expected).__name__}"
    if len(expected) != len(actual):
        return f"{what} has {len(actual)} entries, not {len(expected)}"
    names = list(expected.names), list(actual.names)
    if not same(*names):
        return f"{what} is named {names[1]}, not {names[0]}"
    if expected.nlevels != actual.nlevels:
        return f"{what} has {actual.nlevels} levels, not {expected.nlevels}"
    if isinstance(expected, pd.RangeIndex) and not expected.equals(actual):
        return f"{what} is {actual}, not {expected}"
    for level, (wanted, got) in enumerate(zip(levels(expected), levels(actual))):
        if text := column_difference(wanted, got):
            return f"{what}, level {level}: {text}"
    freq = [getattr(index, "freq", None) for index in (expected, actual)]
    return f"{what}: freq is {freq[1]}, not {freq[0]}" if freq[0] != freq[1] else None


def column_difference(expected, actual):
    if not same_dtype(expected.dtype, actual.dtype):
        return f"dtype is {actual.dtype!r}, not {expected.dtype!r}"
    if len(expected) != len(actual):
        return f"{len(actual)} rows, not {len(expected)}"
    if isinstance(expected.dtype, pd.CategoricalDtype):
        wanted, got = (pd.Series(column.cat.categories) for column in (expected, actual))
        if text := column_difference(wanted, got):
            return f"categories: {text}"
        return None if expected.cat.codes.equals(actual.cat.codes) else "other codes"
    if isinstance(expected.dtype, np.dtype) and expected.dtype.kind in "biufmM" and expected.to_numpy().tobytes() == actual.to_numpy().tobytes():
        return None
    for row, (wanted, got) in enumerate(zip(expected, actual)):
        if not same(wanted, got):
            return f"row {row} is {shown(got)}, not {shown(wanted)}"
    return None


def same_dtype(expected, actual):
    if isinstance(expected, np.dtype) and isinstance(actual, np.dtype):
        return expected == actual and expected.byteorder == actual.byteorder
    if isinstance(expected, pd.CategoricalDtype) and isinstance(actual, pd.CategoricalDtype):
        return expected.ordered == actual.ordered
    return type(expected) is type(actual) and expected == actual and str(expected) == str(actual) and repr(expected) == repr(actual)


def shown(value):
    text = repr(value).replace("\n", " ")
    return text if len(text) <= 80 else text[:77] + "..."


def differences(expected, actual):
    """What is not the same, as sentences; the first one of each part of the frames."""
    found = []
    if type(expected) is not type(actual):
        found.append(f"class is {type(actual).__name__}, not {type(expected).__name__}")
    if expected.shape != actual.shape:
        return [*found, f"shape is {actual.shape}, not {expected.shape}"]
    found += filter(None, [index_difference(expected.columns, actual.columns, "columns"), index_difference(expected.index, actual.index, "index")])
    for place, label in enumerate(expected.columns):
        if text := column_difference(expected.iloc[:, place], actual.iloc[:, place]):
            found.append(f"column {label!r}: {text}")
    if expected.attrs != actual.attrs:
        found.append(f"attrs are {shown(actual.attrs)}, not {shown(expected.attrs)}")
    if expected.flags.allows_duplicate_labels != actual.flags.allows_duplicate_labels:
        found.append("allows_duplicate_labels differs")
    return found


def under(names, expected, actual):
    """What is not the same when these losses are taken as known."""
    for name, apply in LOSSES.items():
        if name in names:
            try:
                expected, actual = apply(expected, actual)
            except (ArithmeticError, AttributeError, TypeError, ValueError):
                continue  # it does not fit what is there, so it explains nothing
    return differences(expected, actual)


def losses(expected, actual, likely=()):
    """The fewest losses that explain every difference, or None. `likely` are tried first: finding them is slow."""
    expected, actual = only_different(expected, actual)
    if likely and not under(likely, expected, actual):
        return fewest(expected, actual, likely)
    if not under(LOSSES, expected, actual):
        return fewest(expected, actual, LOSSES)
    # Some losses hide each other, so one alone may explain what all together do not.
    return next(([name] for name in LOSSES if not under([name], expected, actual)), None)


def fewest(expected, actual, names):
    """Without each that is not needed; those that explain most are tried first, so that the most exact are left."""
    needed = list(names)
    for name in sorted(names, key=list(LOSSES).index, reverse=True):
        fewer = [other for other in needed if other != name]
        if not under(fewer, expected, actual):
            needed = fewer
    return needed


def only_different(expected, actual):
    """Without the columns that are the same, where the frames have the same columns."""
    if expected.shape != actual.shape or index_difference(expected.columns, actual.columns, "columns"):
        return expected, actual
    if any(getattr(dtype, "byteorder", "=") == ">" for dtype in expected.dtypes):
        return expected, actual  # pandas cannot pick such columns
    places = [place for place in range(expected.shape[1]) if column_difference(expected.iloc[:, place], actual.iloc[:, place])]
    return expected.iloc[:, places], actual.iloc[:, places]
