"""The tables of an unpickled object, each with its path: what brine should make of it, said with pandas."""

import numpy as np
import pandas as pd


def table(value):
    """The frame that this value becomes, or None if it is no table."""
    if isinstance(value, pd.DataFrame):
        return value
    if isinstance(value, pd.Series):
        return value.to_frame()
    if isinstance(value, pd.Index):
        return value.to_frame(index=False)
    if isinstance(value, np.ndarray) and value.ndim in (1, 2) and value.dtype.names is None:
        return array_table(value)
    return None


def array_table(value):
    try:
        return pd.DataFrame(value)
    except (AssertionError, TypeError, ValueError):  # kinds of elements that pandas has no column for
        return None


def tables(value, path=(), above=()):
    """(path, frame) for each table in a value; what is no table is passed over."""
    frame = table(value)
    if frame is not None:
        yield path, frame
        return
    if any(value is outer for outer in above) or len(path) > 300:
        return
    if isinstance(value, dict):
        entries = value.items()
    elif isinstance(value, (list, tuple)):
        entries = enumerate(value)
    else:
        return
    for key, inner in entries:
        yield from tables(inner, (*path, key), (*above, value))


def name(stem, path):
    """The name of the data set of a path."""
    return ".".join([stem, *(str(key) for key in path)])
