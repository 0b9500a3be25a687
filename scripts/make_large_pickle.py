#!/usr/bin/env python3
"""Write a pickle of a `recruit` frame as large as asked, opcode by opcode as pandas 2.1 writes it at protocol 5.

    scripts/make_large_pickle.py TARGET [--gigabytes 5] [--vectors list|f32|f64] [--unshared]

pandas itself would need five times the file's size in memory. Ids are different in every row, the vectors come from a pool
of 4,096. With --unshared every text is written out, as for frames made of JSON. Needs nothing but Python.
"""

import argparse
import random
import struct
import uuid

DIMENSION, POOL, BATCH = 384, 4_096, 1_000
ENGLISH = ["no_english", "basic", "pre", "intermediate", "upper", "fluent"]
YEARS = ["no_exp", "1y", "2y", "3y", "5y"]
KEYWORDS = ["JavaScript", "Java", "Python", "DevOps", "QA", ".NET", "PHP", "iOS", "Android", "Rust"]


class Writer:
    """Opcodes into a file; the memo's numbers are counted as MEMOIZE does."""

    def __init__(self, file):
        self.file, self.memo, self.known = file, 0, {}

    def raw(self, data):
        self.file.write(data)

    def memoize(self, name=None):
        self.file.write(b"\x94")
        if name is not None:
            self.known[name] = self.memo
        self.memo += 1

    def fetch(self, name):
        slot = self.known[name]
        self.raw(b"h" + bytes([slot]) if slot < 256 else b"j" + struct.pack("<I", slot))

    def text(self, text, shared=True):
        if shared and text in self.known:
            return self.fetch(text)
        data = text.encode()
        self.raw(b"\x8c" + bytes([len(data)]) + data)
        self.memoize(text if shared else None)

    def integer(self, value):
        self.raw(b"K" + bytes([value]) if 0 <= value < 256 else b"J" + struct.pack("<i", value))

    def name(self, module, name):
        """A global, by its memo slot where it stood before."""
        key = (module, name)
        if key in self.known:
            return self.fetch(key)
        self.text(module)
        self.text(name)
        self.raw(b"\x93")
        self.memoize(key)

    def op(self, opcode):
        self.raw(opcode)
        self.memoize()

    def object_array(self, shape, cells):
        """`_reconstruct` and the state of an array of objects, whose items `cells` writes one by one."""
        self.name("numpy.core.multiarray", "_reconstruct")
        self.name("numpy", "ndarray")
        self.raw(b"K\x00")
        self.op(b"\x85")
        self.raw(b"C\x01b")
        self.memoize()
        self.op(b"\x87")
        self.op(b"R")
        self.raw(b"(K\x01")
        for length in shape:
            self.integer(length)
        self.op([b"\x85", b"\x86"][len(shape) - 1])
        self.dtype("O8", b"|")
        self.raw(b"\x89]")
        self.memoize()
        self.raw(b"(")
        for count, write in enumerate(cells):
            if count and count % BATCH == 0:
                self.raw(b"e(")
            write()
        self.raw(b"e")
        self.op(b"t")
        self.raw(b"b")

    def dtype(self, code, order):
        if code in self.known:
            return self.fetch(code)
        self.name("numpy", "dtype")
        self.raw(b"\x8c" + bytes([len(code)]) + code.encode())
        self.memoize()
        self.raw(b"\x89\x88")
        self.op(b"\x87")
        self.raw(b"R")
        self.memoize(code)
        self.raw(b"(K\x03")
        self.text(order.decode())
        self.raw(b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x3f" if code == "O8" else b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00")
        self.op(b"t")
        self.raw(b"b")

    def index(self, kind, module, state):
        self.name("pandas.core.indexes.base", "_new_Index")
        self.name(module, kind)
        self.raw(b"}")
        self.memoize()
        self.raw(b"(")
        state()
        self.raw(b"u")
        self.op(b"\x86")
        self.op(b"R")


def vectors(kind):
    """The pool: as the opcodes of lists, or as the bytes of arrays."""
    chance = random.Random(7)
    for _ in range(POOL):
        # Every value is a 32-bit float, as `.tolist()` of such a vector gives.
        values = struct.unpack(f"<{DIMENSION}f", struct.pack(f"<{DIMENSION}f", *(chance.gauss(0, 0.05) for _ in range(DIMENSION))))
        if kind == "list":
            yield b"(" + b"".join(b"G" + struct.pack(">d", value) for value in values) + b"e"
        else:
            yield struct.pack(f"<{DIMENSION}{kind[0] if kind == 'f32' else 'd'}", *values)


def cells(writer, rows, kind, unshared):
    chance = random.Random(11)
    companies = [f"Company {number:05d} GmbH" for number in range(9_000)]
    for _ in range(rows):
        yield lambda: writer.text(str(uuid.UUID(int=chance.getrandbits(128), version=4)), shared=False)
    for words in (companies, YEARS, ENGLISH, KEYWORDS):
        for _ in range(rows):
            yield lambda words=words: writer.text(chance.choice(words), shared=not unshared)
    pool = list(vectors(kind))
    if kind == "list":
        def vector(data):
            writer.op(b"]")
            writer.raw(data)
    else:
        code = {"f32": "f4", "f64": "f8"}[kind]

        def vector(data):
            writer.name("numpy.core.numeric", "_frombuffer")
            writer.raw(b"(\x96" + struct.pack("<Q", len(data)) + data)
            writer.memoize()
            writer.dtype(code, b"<")
            writer.raw(b"M" + struct.pack("<H", DIMENSION))
            writer.op(b"\x85")
            writer.text("C")
            writer.op(b"t")
            writer.op(b"R")
    for row in range(rows):
        yield lambda row=row: vector(pool[row % POOL])


def frame(writer, rows, kind, unshared):
    names = ["id", "Company Name", "Exp Years", "English Level", "Primary Keyword", "job_post_vectors"]
    writer.raw(b"\x80\x05")
    writer.name("pandas.core.frame", "DataFrame")
    writer.raw(b")")
    writer.op(b"\x81")
    writer.op(b"}")
    writer.raw(b"(")
    writer.text("_mgr")
    writer.name("pandas.core.internals.managers", "BlockManager")
    writer.name("pandas._libs.internals", "_unpickle_block")
    writer.object_array((len(names), rows), cells(writer, rows, kind, unshared))
    writer.name("builtins", "slice")
    writer.raw(b"K\x00K\x06K\x01")
    writer.op(b"\x87")
    writer.op(b"R")
    writer.raw(b"K\x02")
    writer.op(b"\x87")
    writer.op(b"R")
    writer.op(b"\x85")
    writer.op(b"]")
    writer.raw(b"(")

    def columns():
        writer.text("data")
        writer.object_array((len(names),), [lambda name=name: writer.text(name) for name in names])
        writer.text("name")
        writer.raw(b"N")

    def rows_index():
        writer.text("name")
        writer.raw(b"N")
        for part, value in (("start", 0), ("stop", rows), ("step", 1)):
            writer.text(part)
            writer.integer(value)

    writer.index("Index", "pandas.core.indexes.base", columns)
    writer.index("RangeIndex", "pandas.core.indexes.range", rows_index)
    writer.raw(b"e")
    writer.op(b"\x86")
    writer.op(b"R")
    writer.text("_typ")
    writer.text("dataframe")
    writer.text("_metadata")
    writer.op(b"]")
    writer.raw(b"ub.")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target")
    parser.add_argument("--gigabytes", type=float, default=5)
    parser.add_argument("--vectors", choices=["list", "f32", "f64"], default="list")
    parser.add_argument("--unshared", action="store_true")
    args = parser.parse_args()
    row_bytes = {"list": 3_460, "f32": 1_571, "f64": 3_107}[args.vectors] + 39 + 4 * (15 if args.unshared else 5)
    rows = round(args.gigabytes * 1e9 / row_bytes)
    with open(args.target, "wb", buffering=1 << 22) as file:
        frame(Writer(file), rows, args.vectors, args.unshared)
    print(f"{args.target}: {rows:,} rows")


if __name__ == "__main__":
    main()
