"""The tables of an unpickled object, each with its path: what brine should make of it, said with pandas."""

import numpy as np
import pandas as pd
import pyarrow

# No name of a file gets more of a path than this.
MEMBER_BYTES_MAX = 120
SINGLE = (str, bytes, int, float, bool, type(None), np.generic)


def boxed(values):
    cells = np.empty(len(values), dtype=object)
    for row, value in enumerate(values):
        cells[row] = value
    return pd.Series(cells, dtype=object)


def table(value):
    """The frame that this value becomes, or None if it is no table."""
    if isinstance(value, pd.DataFrame):
        return value
    if isinstance(value, pd.Series):
        return one_label(value.to_frame(), value.name)
    if isinstance(value, pd.Index):
        return value.to_frame(index=False) if value.nlevels > 1 else one_label(value.to_frame(index=False), value.name)
    if isinstance(value, np.ma.MaskedArray):
        return masked_table(value)
    if isinstance(value, np.ndarray):
        return array_table(value)
    if isinstance(value, (pyarrow.Array, pyarrow.ChunkedArray)):
        return pd.DataFrame({"0": pd.array(value.to_pylist(), dtype=pd.ArrowDtype(value.type))})
    if isinstance(value, pd.api.extensions.ExtensionArray):
        return pd.DataFrame({"0": value})
    if holds_frames(value):
        return None
    if isinstance(value, dict):
        return columns_table(value)
    return rows_table(value) if isinstance(value, list) else None


def holds_frames(value, depth=0):
    """Whether there is something of pandas in it: then it is a container, whatever its form."""
    if isinstance(value, (pd.DataFrame, pd.Series, pd.Index)):
        return True
    if not isinstance(value, (dict, list, tuple)) or depth > 300:
        return False
    return any(holds_frames(cell, depth + 1) for cell in (value.values() if isinstance(value, dict) else value))


def one_label(frame, name):
    """A name that is a tuple is one label, not a place in a tree of them."""
    if isinstance(name, tuple):
        frame.columns = pd.Index([name], tupleize_cols=False)
    return frame


def array_table(value):
    """A column of vectors, rows and columns, or one column; records by their fields."""
    if is_matrix(value):
        return pd.DataFrame({"vector": vectors(value)})
    try:
        if value.dtype.names and value.ndim == 1:
            return pd.DataFrame(dict(fields(value)))
        return pd.DataFrame(column_values(value)) if value.ndim in (1, 2) else None
    except (AssertionError, TypeError, ValueError):  # kinds of elements that pandas has no column for
        return None


def is_matrix(value):
    """Floats of two dimensions, as embeddings are kept."""
    return value.ndim == 2 and value.dtype.kind == "f" and value.shape[1] > 0


def vectors(value):
    return boxed(list(np.asarray(value)))


def fields(value, above=""):
    """(name, column) of each field of records, with those of inner records; a field of several values is a vector."""
    for name in value.dtype.names:
        inner = np.asarray(value[name])
        if inner.dtype.names:
            yield from fields(inner, f"{above}{name}.")
        else:
            yield above + name, column_values(inner) if inner.ndim == 1 else vectors(inner.reshape(len(inner), -1))


def column_values(value):
    """What pandas has a column for: bytes as objects, and times in steps of one unit."""
    if value.dtype.kind == "S":
        return value.astype(object)
    if value.dtype.kind in "mM":
        unit, count = np.datetime_data(value.dtype)
        if unit == "generic" or count != 1:  # without a unit there is only NaT
            return value.astype(f"{value.dtype.kind}8[{'ns' if unit == 'generic' else unit}]")
    return value


def masked_table(value):
    """A column of a nullable type, which is what keeps both the kind and the mask."""
    if value.ndim == 2:
        return pd.concat([masked_table(column).set_axis([str(place)], axis=1) for place, column in enumerate(value.T)], axis=1)
    if value.ndim != 1 or value.dtype.kind not in "biuf":
        return array_table(value)
    kind = value.dtype.name.replace("int", "Int").replace("u", "U").replace("float", "Float")
    return pd.DataFrame({"0": pd.array(value.tolist(), dtype="boolean" if kind == "bool" else kind)})


def columns_table(value):
    """A dict of lists and arrays of one length."""
    columns = list(value.values())
    if not columns or not all(isinstance(column, (list, tuple)) or isinstance(column, np.ndarray) and column.ndim for column in columns):
        return None
    if len({len(column) for column in columns}) > 1:
        return None
    return pd.DataFrame({key: vectors(column) if isinstance(column, np.ndarray) and is_matrix(column) else column for key, column in value.items()})


def rows_table(value):
    """A list of dicts, of rows of one length, or of vectors of one length."""
    if value and all(isinstance(row, dict) for row in value):
        return None if any(table(cell) is not None for row in value for cell in row.values() if not isinstance(cell, (list, dict))) else pd.DataFrame(value)
    if not value or not all(isinstance(row, (list, tuple)) or isinstance(row, np.ndarray) and row.ndim == 1 for row in value):
        return None
    if len({len(row) for row in value}) > 1 or not len(value[0]):
        return None
    if all(isinstance(cell, float) for row in value for cell in row):
        return pd.DataFrame({"vector": boxed(value)})
    if all(isinstance(cell, SINGLE) or cell == [[]] for row in value for cell in row):
        return pd.DataFrame([list(row) for row in value], columns=[str(place) for place in range(len(value[0]))])
    return None


def tables(value, path=(), above=()):
    """(path, frame) for each table in a value; what is no table is passed over."""
    if any(value is outer for outer in above) or len(path) > 300:
        return
    if isinstance(value, (dict, list, tuple)) and holds_itself(value, above):
        frame = None
    else:
        frame = table(value)
    if frame is not None:
        yield path, frame
        return
    if isinstance(value, dict):
        entries = value.items()
    elif isinstance(value, (list, tuple)):
        entries = enumerate(value)
    else:
        return
    for key, inner in entries:
        yield from tables(inner, (*path, key), (*above, value))


def holds_itself(value, above):
    inner = value.values() if isinstance(value, dict) else value
    return any(cell is value or any(cell is outer for outer in above) for cell in inner)


def key_text(key):
    if isinstance(key, (str, int, float, type(None))):
        return str(key)
    if isinstance(key, tuple):
        # As far as brine writes them: long texts are cut, and so are long tuples.
        return f"({', '.join(repr(part[:32]) if isinstance(part, str) else key_text(part) for part in key[:8])})"
    return type(key).__name__


def names(stem, paths):
    """The name of the data set of each path: what a file name had better not hold is replaced, and no name comes twice."""
    taken = []
    for path in paths:
        text = ""
        for key in path:
            text = f"{text}.{key_text(key)}" if text else key_text(key)
        text = "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in text)
        text = text.encode()[:MEMBER_BYTES_MAX].decode(errors="ignore")
        wanted = f"{stem}.{text}" if text else stem
        name, number = wanted, 2
        while name in taken:
            name, number = f"{wanted}-{number}", number + 1
        taken.append(name)
    return taken
