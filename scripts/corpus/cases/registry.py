"""The list of cases, and the few shapes that most of them have."""

import re

import numpy as np
import pandas as pd

try:
    import pyarrow
except ImportError:
    pyarrow = None

PANDAS = tuple(int(part) for part in re.findall(r"\d+", pd.__version__)[:2])
CASES = {}
NAN = float("nan")


class Unavailable(Exception):
    """This pandas cannot make the object, and why."""


class Case:
    """One object to pickle: `make` builds it, `row` is its line in the table of types."""

    def __init__(self, name, make, row, since, before):
        self.name, self.make, self.row, self.since, self.before = name, make, row, since, before

    def build(self):
        if self.since and self.since > PANDAS:
            raise Unavailable("pandas before {}.{}".format(*self.since))
        if self.before and self.before <= PANDAS:
            raise Unavailable("pandas {}.{} and later".format(*self.before))
        return self.make()


def add(name, make, row=None, since=None, before=None):
    assert name not in CASES, f"two cases are called {name}"
    CASES[name] = Case(name, make, row, since, before)


def case(row=None, since=None, before=None):
    """Adds the decorated function, under its own name."""

    def note(make):
        add(make.__name__, make, row, since, before)
        return make

    return note


def add_all(prefix, makers, row=None, since=None, before=None):
    """Adds PREFIX_NAME for each name and maker."""
    for name, make in makers.items():
        add(f"{prefix}_{name}", make, row, since, before)


def column(values, dtype=None):
    """A frame of the one column `c`."""
    return pd.DataFrame({"c": pd.Series(values, dtype=dtype)})


def cells(*values):
    """A frame of one object column that holds just these objects; pandas gets no chance to make them something else."""
    return pd.DataFrame({"c": boxed(values)})


def boxed(values):
    values = list(values)
    array = np.empty(len(values), dtype=object)
    for row, value in enumerate(values):
        array[row] = value
    return pd.Series(array, dtype=object)


def arrow():
    """pyarrow, for the cases that need it."""
    if pyarrow is None:
        raise Unavailable("no pyarrow")
    return pyarrow
