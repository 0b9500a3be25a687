"""Why a file of the corpus may come back other than it was: the sentences of the README, and what each covers.

A loss (strict.py finds them) is a difference that is explained exactly. A refusal is a message of brine that fits the pattern, for
a case that fits the other pattern: so nothing that should work can be excused by a message that happens to be alike.
"""

import re

LOSSES = {
    "freq": "the `freq` of an index of times: neither Arrow nor Parquet has a place for it, and pandas' own writer loses it too",
    "attrs": "`DataFrame.attrs` of a pandas before 2.1, which does not read them from Parquet",
    "flags": "`allows_duplicate_labels`: pandas does not read it from Parquet",
    "subclass": "a frame of somebody's subclass of DataFrame comes back as a DataFrame",
    "byte order": "numbers whose bytes stood the other way round come back in the machine's order",
    "labels": "labels that are no text, of columns that pandas did not write, come back as text",
    "repeated": "columns of one name get a number behind it, because a table's columns need different names",
    "storage": "`string` comes back in the storage that pandas prefers at the time (Python or Arrow)",
    "unit": "times in a unit that Parquet lacks come back in the next finer one",
    "zone": "a zone of another class or spelling (dateutil, fixed offsets) with the same instants and the same local times",
    "dense": "`Sparse` comes back as ordinary values",
    "str": "text in an object column comes back as `str`, which is how pandas 3 reads text",
    "missing": "None, NaN, NaT and pd.NA in an object column all become null, and come back as None (pandas 3: as it reads text, NaN)",
    "scalars": "scalars of NumPy and subclasses of str, bytes and dict come back as the plain ones",
    "uuid": "UUIDs come back as their 16 bytes",
    "decimal": "the Decimals of a column have one scale (1.1 comes back as 1.10), and integers beyond 64 bits are Decimals",
    "text": "fractions, paths and addresses in cells come back as their text",
    "complex": "complex numbers come back as structs of their two parts: neither Arrow nor Parquet has such a type",
    "lists": "lists, tuples and sets in cells come back as NumPy arrays, which is how pandas reads an Arrow list",
    "empty lists": "an empty list in a cell comes back as an empty array of the column's type",
    "keys": "dicts in cells are structs: a key that a row lacks comes back as None",
    "categories": "categories come back with the type that pandas gives to their values",
    "arrow type": "an `ArrowDtype` comes back as the Arrow type that Parquet has for it, with the same values",
    "arrow": "an `ArrowDtype` comes back as the column that pandas has for it",
    "retyped": "an object column whose cells are all of one kind of number, time or bool comes back with that type",
    "label class": "the labels come back in another class of index",
}
REFUSALS = {
    "no data": (
        "a class or function of somebody's program is never imported",
        r"is not one of those that make data|none of those that make data|no class of a program is known",
        r"^(odd_|held_named_tuple|held_frame_and_object|plain_list_of_(named_tuples|objects)|frame_subclass|series_subclass|text_subclass|"
        r"obj_(enum|namedtuple|class|slots|dictsub|exception|path_ip|type_ref|range_slice|ellipsis|strsub)|st_subclass_metadata|top_series_subclass)",
    ),
    "no table": (
        "the value holds no table: a scalar, plain values, an array of other than one or two dimensions, a bare dtype",
        r"no table|which is no table|holds no table|a single value",
        r"^(alone_|plain_|held_empty|array_(scalar|no_dimension|three|void|odd_step|structured)|scalar_|py_|nd_|dtype_|arr_|arrow_(table|schema|record_batch))",
    ),
    "complex": (
        "neither Arrow nor Parquet has complex numbers",
        r"complex|dtype \"c",
        r"complex|^nd_(be_)?c(8|16)$",
    ),
    "longdouble": ("there is no Arrow type of 80 or 128 bits", r"\"f16\"|longdouble|float128", r"longdouble"),
    "mixed": (
        "cells of kinds without a common type (`--mixed json` keeps them as JSON text)",
        r"mixes|no one type for both|--mixed json",
        r"^(mixed_|(index|rows|columns)_(mixed|multi_missing)|list_(mixed|tuples_mixed)|dict_(other_types|mixed_keys|number_keys)|block_(objects|object_2d)|"
        r"cell_(float_and_large_int|timestamp_zones|datetime_zones|period_mixed|interval_mixed)|category_mixed|vector_matrix_shapes|frame_described|"
        r"obj_(mixed|list_mixed|dict|tuple|period|interval|np_scalars|timestamp|missing_kinds|tz_|int_huge|fraction)|ext_cat_mixed|emb_(mixed|f8_2d|str)|"
        r"index_object|plain_scalars|py_scalars|array_structured_objects|nd_object)",
    ),
    "surrogate": ("half a character (a lone surrogate) is no text in Arrow", r"not valid UTF-8", r"surrogate"),
    "cells": (
        "cells of an object column that have no Arrow type: frames, series, slices, classes, numbers beyond 76 digits",
        r"has no Arrow type here",
        r"^(odd_|series_of_series|cell_int_huge|top_series_of_series|obj_(frame_cell|ext_array_cell|int_huge_long4|int_big|complex|fraction|dtype|type_ref|range_slice|ellipsis|"
        r"exception|array_array|deque))",
    ),
}


def refusal(case, message):
    """The reason that covers a refusal of a case, or None."""
    for name, (_, pattern, cases) in REFUSALS.items():
        if re.search(pattern, message) and re.search(cases, case):
            return name
    return None


def sentence(outcome):
    """What an outcome such as `losses lists, missing` or `refused mixed` means, one sentence for each part."""
    kind, names = outcome.split(" ", 1)
    table = LOSSES if kind == "losses" else {name: entry[0] for name, entry in REFUSALS.items()}
    return [table[name] for name in names.split(", ")]
