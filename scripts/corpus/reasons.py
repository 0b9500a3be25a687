"""Why a file of the corpus may come back other than it was: the sentences of the README, and what each covers.

A loss (strict.py finds them) is a difference that is explained exactly. A refusal is a message of brine that fits the pattern, for
a case that fits the other pattern: so nothing that should work can be excused by a message that happens to be alike.
"""

import re

LOSSES = {
    "freq": "the `freq` of an index of times: neither Arrow nor Parquet has a place for it, and pandas' own writer loses it too",
    "far": "times beyond the years 1677 to 2262: a pandas before 2 cannot read them from Parquet, so pyarrow did",
    "attrs": "`DataFrame.attrs` of a pandas before 2.1, which does not read them from Parquet",
    "flags": "`allows_duplicate_labels`: pandas does not read it from Parquet",
    "subclass": "a frame of somebody's subclass of DataFrame comes back as a DataFrame",
    "byte order": "numbers whose bytes stood the other way round come back in the machine's order",
    "halves": "16-bit floats come back as 32-bit ones with the same values: several readers of Parquet do not know them",
    "labels": "labels that are no text come back as text where pandas did not write columns, or its metadata has no kind for the labels",
    "names": "the name of an index that is a tuple comes back as its text",
    "repeated": "columns of one name get a number behind it, because a table's columns need different names",
    "rows": "a frame without columns comes back without rows: pandas before 3 reads them from columns only",
    "order": "columns, or pairs of a map, in another order: the truth beside a file of Python 2 does not say which its dicts had",
    "no categories": "a categorical column without rows comes back without categories: Parquet keeps them with the rows",
    "plain categories": "a category of other than text comes back as its values: Parquet has dictionaries of text only, and pandas' own writer loses it too",
    "storage": "`string` comes back in the storage that pandas prefers at the time (Python or Arrow)",
    "unit": "times in a unit that Parquet lacks come back in the next finer one",
    "zone": "a zone of another class or spelling (dateutil, fixed offsets) with the same instants and the same local times",
    "closed": "intervals closed at another end: the truth beside a file of a pandas before 1.3 does not say at which",
    "zoned intervals": "intervals between times with a zone come back as structs of `left` and `right`: pandas before 3.1 fails on a file that calls them intervals",
    "nan": "NaN beside pd.NA in a nullable column is pd.NA to pandas 3 when it reads a file",
    "dense": "`Sparse` comes back as ordinary values",
    "str": "text in an object column comes back as `str`, which is how pandas 3 reads text",
    "object": "`string` in an index or as categories, and `str` in a pandas before 3, come back as object",
    "missing": "None, NaN, NaT and pd.NA in an object column all become null, and come back as None (pandas 3: as it reads text, NaN)",
    "scalars": "scalars of NumPy, arrays without a dimension, and subclasses of str, bytes and dict come back as the plain ones",
    "python 2": "a column of Python 2's str comes back as bytes when one of them is not ASCII",
    "uuid": "UUIDs come back as their 16 bytes",
    "beyond decimals": "a column with an infinite Decimal, or an integer beyond 76 digits, comes back as the text of its numbers",
    "decimal": "the Decimals of a column have one scale (1.1 comes back as 1.10) and zeros no sign, and integers beyond 64 bits are Decimals",
    "text": "fractions, paths and addresses in cells come back as their text",
    "complex": "complex numbers come back as structs of their two parts: neither Arrow nor Parquet has such a type",
    "ranges": "ranges in cells come back as dicts of their start, stop and step",
    "maps": "dicts in cells whose keys are no text or more than 1,024, or that are all empty, come back as lists of pairs, which is how pandas reads an Arrow map",
    "kinds": "arrays of several kinds of number in one column come back in the kind that holds them all",
    "lists": "lists, tuples and sets in cells come back as NumPy arrays, which is how pandas reads an Arrow list",
    "empty lists": "an empty list in a cell comes back as an empty array of the column's type",
    "keys": "dicts in cells are structs: a key that a row lacks comes back as None, and integers under it as floats",
    "categories": "categories come back with the type that pandas gives to their values",
    "arrow type": "an `ArrowDtype` comes back as the Arrow type that Parquet has for it, with the same values",
    "index type": "an index of a nullable type or an `ArrowDtype` comes back in the ordinary type, as from pandas' own writer",
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
    "raw": ("raw memory without fields means nothing outside the program that wrote it", r"is raw memory without fields", r"^(array_void|nd_void_V)$"),
    "zone rules": (
        "Python's datetimes in a named zone: the file has the local time and the zone's name, and not how far it is from UTC",
        r"whose rules are not in the file",
        r"^cell_datetime_paris$",
    ),
    "mixed": (
        "cells of kinds without a common type (`--mixed json` keeps them as JSON text)",
        r"mixes|no one type for both|--mixed json",
        r"^(mixed_|(index|rows|columns)_(mixed|multi_missing)|list_(mixed|tuples_mixed)|dict_(other_types|mixed_keys|number_keys)|block_(objects|object_2d)|"
        r"cell_(float_and_large_int|timestamp_zones|datetime_zones|period_mixed|interval_mixed)|category_mixed|vector_matrix_shapes|frame_described|"
        r"obj_(mixed|list_mixed|list_shared|set|path_ip|np_str|py2_str|np_datetime64|dict|tuple|period|interval|np_scalars|timestamp|missing_kinds|tz_|int_huge|fraction)|ext_cat_mixed|emb_(mixed|f8_2d|str)|"
        r"index_object|plain_scalars|py_scalars|array_structured_objects|nd_object)",
    ),
    "surrogate": ("half a character (a lone surrogate) is no text in Arrow", r"not valid UTF-8", r"surrogate"),
    "cells": (
        "cells of an object column that have no Arrow type: frames, series, slices, classes, numbers beyond 76 digits, dicts with tuples as keys",
        r"has no Arrow type here",
        r"^(odd_|dict_mixed_keys|series_of_series|cell_int_huge|top_series_of_series|obj_(dict|frame_cell|ext_array_cell|int_huge_long4|int_big|complex|fraction|dtype|type_ref|range_slice|ellipsis|"
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
