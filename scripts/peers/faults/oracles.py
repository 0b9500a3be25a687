"""What must hold after a fault, judged without brine: pyarrow reads, hashlib digests, the folder is listed.

O1 the stored rows are the rows of the source, in their order · O2 no key is missing and none is there twice · O3 what was
acknowledged is there · O4 nothing is left lying about · O7 nothing panicked. Exit codes (O5) are judged where they arise.
"""

import collections
import hashlib

import contract
import numpy as np
import pyarrow
import pyarrow.ipc
import pyarrow.parquet


def digest(cells):
    """One row's digest, from its cells in the order of the message."""
    hasher = hashlib.blake2b(digest_size=16)
    for cell in cells:
        data = b"\0" if cell is None else cell if isinstance(cell, bytes) else repr(cell).encode()
        hasher.update(len(data).to_bytes(8, "little") + data)
    return hasher.digest()


def digests_of_rows(rows, domain):
    """Of rows in the form of `contract.rows_of`: pairs of key and digest."""
    fields = [field for field, _, _ in contract.COLUMNS[domain]]
    return [(row[fields[0]], digest([row[field] for field in fields])) for row in rows]


def digests_of_table(table, domain):
    """Of a table that pyarrow has read."""
    columns = []
    for field, _, kind in contract.COLUMNS[domain]:
        column = table.column(field).combine_chunks()
        if kind == "vector":
            flat = np.asarray(column.flatten(), dtype="<f4").reshape(len(column), -1)
            columns.append([row.tobytes() for row in flat])
        elif kind == "years":
            columns.append([int(value) for value in column.to_pylist()])
        else:
            columns.append(column.to_pylist())
    return [(cells[0], digest(cells)) for cells in zip(*columns)]


def read(store, domain="recruit"):
    """Both files of a table; None if there is no table."""
    if not (store / f"{domain}.json").exists():
        return None
    parquet = pyarrow.parquet.read_table(store / f"{domain}.parquet")
    with pyarrow.memory_map(str(store / f"{domain}.arrow")) as source:
        arrow = pyarrow.ipc.open_file(source).read_all()
        return {"Parquet": digests_of_table(parquet, domain), "Arrow": digests_of_table(arrow, domain)}


class Difference:
    """What a stored table lacks, has twice, or has otherwise."""

    def __init__(self, expected, stored):
        wanted = collections.Counter(key for key, _ in expected)
        found = collections.Counter(key for key, _ in stored)
        self.lost = sum((wanted - found).values())
        self.doubled = sum((found - wanted).values())
        self.altered = len(set(expected) - set(stored)) - self.lost if not self.doubled else 0
        self.is_other = expected != stored

    def text(self):
        if not self.is_other:
            return None
        return f"{self.lost} rows lost, {self.doubled} doubled, {max(self.altered, 0)} altered, or their order differs"


def leftovers(store):
    """Files that nothing needs once every session is over."""
    found = []
    for path in sorted(store.rglob("*")):
        inside = path.relative_to(store)
        if path.is_dir() or path.name == ".lock":
            continue
        is_known = path.parent == store and path.name.split(".")[-1] in ("json", "arrow", "parquet", "ids")
        is_log = inside.parts[0] == "_sessions" and path.name.startswith("log-")
        if path.name.startswith(".") or not (is_known or is_log):
            found.append(str(inside))
    return found


def panics(logs):
    """Lines of logs in which a thread panicked."""
    found = []
    for path in logs:
        text = path.read_text(errors="replace") if path.exists() else ""
        found += [f"{path.name}: {line}" for line in text.splitlines() if "panicked at" in line]
    return found
