"""The truth that stands beside the pickles of old pandas (tests/fixtures/old), made objects of this pandas again.

What JSON has no form for is an object with one key, which says what it is; `DECODERS` has an entry for each. Times are
numbers of nanoseconds since 1970, categories codes, periods ordinals. What no pandas of today can hold is `Opaque`.
"""

import array as arrays
import ast
import collections
import datetime
import decimal
import fractions
import json
import re
import uuid

import numpy as np
import pandas as pd
from members import boxed

NAT = {"nat": True}
SPECIAL = {"nan": float("nan"), "inf": float("inf"), "-inf": float("-inf")}


class Opaque:
    """A value of a class that means nothing here; equal to nothing."""

    def __init__(self, said):
        self.said = said

    def __repr__(self):
        return f"Opaque({self.said!r})"


def load(path):
    """The object whose truth a file holds."""
    return decode(json.loads(path.read_text()))


def decode(value):
    if not isinstance(value, dict):
        return value
    if "tz" in value and "datetime" in value:
        return zoned(value)
    (kind, inner), *more = value.items()
    if more or kind not in DECODERS:
        return Opaque(value)
    return DECODERS[kind](inner)


def zone(said):
    """A zone by its name, or the offset that its text says."""
    if said is None:
        return None
    text = said["str"]
    for prefix in ("dateutil/", "tzfile('", "tzutc()"):
        if text.startswith(prefix):
            text = "UTC" if prefix == "tzutc()" else text[len(prefix):].split("zoneinfo/")[-1].rstrip("')").lstrip("/")
    if "FixedOffset(" in text:
        return datetime.timezone(datetime.timedelta(minutes=int(text.split("(")[1].split(")")[0])))
    return text


def zoned(value):
    try:
        moment = datetime.datetime.fromisoformat(value["datetime"])
    except ValueError:
        return Opaque(value)
    return moment if value["tz"] is None or moment.tzinfo else Opaque(value)


def scalar(said):
    """A scalar of NumPy."""
    dtype, value = np.dtype(said["dtype"]), said["value"]
    if dtype.kind in "mM":
        return np.array(missing_time(value), dtype="int64").view(dtype.newbyteorder("="))[()]
    if dtype.kind == "c":
        return np.array(complex(*map(decode, value)), dtype=dtype)[()]
    return np.array(decode(value), dtype=dtype.newbyteorder("="))[()]


def missing_time(value):
    return np.iinfo("int64").min if value == NAT else value


# Classes of the standard library whose text is all of them.
SPOKEN = {
    "collections.Counter": collections.Counter,
    "collections.OrderedDict": collections.OrderedDict,
    "collections.defaultdict": lambda value: collections.defaultdict(list, value),
    "collections.deque": collections.deque,
    "array.array": lambda kind, values: arrays.array(kind, values),
    "fractions.Fraction": fractions.Fraction,
}


def spoken(said):
    """An object by its class and its text, such as `deque([1, 2], maxlen=5)`."""
    made = SPOKEN.get(said.get("class"))
    if made is None:
        return spoken_array(said)
    inner = re.fullmatch(r"\w+\((?:<(?:class|type) 'list'>, )?(.*?)(?:, maxlen=\d+)?\)", said["repr"])[1]
    return made(*ast.literal_eval(f"({inner},)"))


def spoken_array(said):
    """A short array of pandas by its text, such as `<PeriodArray>\\n['2020-01-01']\\nLength: 1, dtype: period[D]`."""
    made = ARRAYS.get(str(said.get("class")).rsplit(".", 1)[-1])
    if made is None:
        return Opaque(said)
    cells = [cell.strip().strip("'") for cell in re.search(r"\[(.*?)\]", said["repr"])[1].split(",")]
    return made([None if cell in ("<NA>", "nan", "NaN") else cell for cell in cells], said["repr"])


ARRAYS = {
    "Categorical": lambda cells, _: pd.Categorical(cells),
    "IntegerArray": lambda cells, _: pd.array([None if cell is None else int(cell) for cell in cells], dtype="Int64"),
    "DatetimeArray": lambda cells, _: pd.array(pd.to_datetime(cells)),
    "PeriodArray": lambda cells, text: pd.array(pd.PeriodIndex(cells, freq=re.search(r"period\[(.*?)\]", text)[1])),
    "PandasArray": lambda cells, _: pd.arrays.PandasArray(np.array(list(map(int, cells)))),
}


def records(said):
    """An array with fields, whose values are tuples."""
    dtype = ast.literal_eval(re.sub(r"^\(numpy\.record, (.*)\)$", r"\1", said["dtype"]))
    dtype = np.dtype(dtype if isinstance(dtype, (list, dict)) else said["dtype"])
    made = np.empty(len(said["values"]), dtype=dtype)
    for row, value in enumerate(said["values"]):
        made[row] = decode(value)
    return made.reshape(said["shape"])


def array(said):
    if said["dtype"][0] in "[{(":
        return records(said)
    if said["dtype"][0] in "[{(V|" and not said["dtype"].startswith(("|O", "|S", "|b1", "|i1", "|u1")):
        return Opaque(said)
    return typed(said["values"], np.dtype(said["dtype"])).reshape(said["shape"])


def typed(values, dtype):
    """A NumPy array of one dimension."""
    if dtype.kind in "mM":
        return np.array([missing_time(value) for value in values], dtype="int64").view(dtype.newbyteorder("="))
    if dtype.kind == "c":
        return np.array([complex(*map(decode, value)) for value in values], dtype=dtype)
    if dtype.kind == "O":
        return boxed([decode(value) for value in values]).to_numpy()
    return np.array([decode(value) for value in values], dtype=dtype.newbyteorder("="))


def values(dtype, cells):
    """What a column or an index of this dtype holds."""
    kind = dtype["class"].rsplit(".", 1)[-1]
    if kind == "dtype":
        return typed(cells, np.dtype(dtype["numpy"]))
    if kind == "CategoricalDtype":
        return pd.Categorical.from_codes(cells, categories=index(dtype["categories"]), ordered=dtype["ordered"])
    if kind == "DatetimeTZDtype":
        times = np.array([missing_time(cell) for cell in cells], dtype="int64").view(f"M8[{dtype['unit']}]")
        return pd.DatetimeIndex(times).tz_localize("UTC").tz_convert(zone(dtype["tz"])).array
    if kind == "PeriodDtype":
        ordinals = np.array([missing_time(cell) for cell in cells], dtype="int64")
        return pd.PeriodIndex.from_ordinals(ordinals, freq=dtype["freq"]).array if len(cells) else pd.PeriodIndex([], freq=dtype["freq"]).array
    if kind == "IntervalDtype":
        return intervals(dtype, cells)
    if kind == "SparseDtype":
        fill = decode(dtype["fill_value"])
        return pd.arrays.SparseArray([decode(cell) for cell in cells], dtype=pd.SparseDtype(dtype["subtype"], fill))
    if kind == "StringDtype":
        return pd.array([decode(cell) for cell in cells], dtype=f"string[{dtype.get('storage') or 'python'}]")
    if kind == "FloatingDtype" or kind.startswith("Float"):
        cells = [decode(cell) for cell in cells]
        masked = np.array([cell is pd.NA for cell in cells])
        numbers = np.array([0.0 if cell is pd.NA else cell for cell in cells], dtype=dtype["str"].lower())
        return pd.arrays.FloatingArray(numbers, masked)
    return pd.array([None if decode(cell) is pd.NA or decode(cell) != decode(cell) else decode(cell) for cell in cells], dtype=dtype["str"])


def intervals(dtype, cells):
    closed = dtype.get("closed") or (cells and "right")
    pairs = [None if cell is None else tuple(map(decode, cell)) for cell in cells]
    return pd.arrays.IntervalArray.from_tuples(pairs, closed=closed or "right")


def index(said):
    names = [decode(name) for name in said["names"]]
    kind = said["class"].rsplit(".", 1)[-1]
    if "levels" in said:
        levels = [index(level) for level in said["levels"]]
        return pd.MultiIndex(levels=levels, codes=said["codes"], names=names)
    if "range" in said:
        return pd.RangeIndex(*said["range"], name=names[0])
    made = pd.Index(values(said["dtype"], said["values"]), name=names[0], tupleize_cols=False)
    if kind in ("Index", "Int64Index", "UInt64Index", "Float64Index") and said["dtype"]["str"] == "object":
        made = pd.Index(values(said["dtype"], said["values"]), name=names[0], dtype=object, tupleize_cols=False)
    if "freq" in said and isinstance(made, (pd.DatetimeIndex, pd.TimedeltaIndex)):
        made = with_freq(made, said["freq"])
    return made


def with_freq(made, freq):
    try:
        made.freq = pd.tseries.frequencies.to_offset(freq)
        return made
    except ValueError:  # spelt as no pandas of today reads it
        return made


def series(said):
    return column(said, index(said["index"])).rename(decode(said["name"]))


def column(said, rows):
    held = values(said["dtype"], said["values"])
    return pd.Series(held, index=rows, dtype=object if said["dtype"]["str"] == "object" else None)


def frame(said):
    rows = index(said["index"])
    columns = {place: column(one, rows) for place, one in enumerate(said["data"])}
    made = pd.DataFrame(columns, index=rows)
    made.index, made.columns = rows, index(said["columns"])
    made.attrs = decode(said["attrs"])
    if said["allows_duplicate_labels"] is False:
        made.flags.allows_duplicate_labels = False
    return made


def timestamp(said):
    moment, unit, where = said
    if where is None:
        return pd.Timestamp(moment, unit=unit)
    return pd.Timestamp(moment, unit=unit, tz="UTC").tz_convert(zone(where))


DECODERS = {
    "f": SPECIAL.get,
    "int": int,
    "complex": lambda pair: complex(*map(decode, pair)),
    "bytes": bytes.fromhex,
    "py2str": bytes.fromhex,
    "bytearray": lambda text: bytearray.fromhex(text),
    "na": lambda _: pd.NA,
    "nat": lambda _: pd.NaT,
    "surrogate": lambda text: bytes.fromhex(text).decode("utf-16-be", "surrogatepass"),
    "timestamp": timestamp,
    "timedelta": lambda said: pd.Timedelta(said[0], unit=said[1]),
    "period": lambda said: pd.Period(ordinal=said[0], freq=said[1]),
    "interval": lambda said: pd.Interval(decode(said[0]), decode(said[1]), said[2]),
    "date": datetime.date.fromisoformat,
    "time": datetime.time.fromisoformat,
    "datetime": datetime.datetime.fromisoformat,
    "pytimedelta": lambda said: datetime.timedelta(*said),
    "decimal": decimal.Decimal,
    "uuid": uuid.UUID,
    "list": lambda said: [decode(value) for value in said],
    "tuple": lambda said: tuple(decode(value) for value in said),
    "set": lambda said: {decode(value) for value in said},
    "frozenset": lambda said: frozenset(decode(value) for value in said),
    "dict": lambda said: {decode(key): decode(value) for key, value in said},
    "np": scalar,
    "ndarray": array,
    "frame": frame,
    "series": series,
    "index": index,
    "value": decode,
    "ref": Opaque,
    "object": spoken,
}
