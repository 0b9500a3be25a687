#!/usr/bin/env python3
"""Convert frames of every common kind with brine, and only load them with pandas, in turn, in one run.

    scripts/bench frames            full size: about 0.1 to 0.8 GB a file, three rounds
    scripts/bench frames --quick    a hundredth of that, one round: does it still run
    scripts/bench frames --md       the table as Markdown, for benches/README.md

Both columns are whole processes: `pandas.read_pickle` and nothing else against `brine convert --only arrow`, which also
types, digests and writes what it read. Files are written past the
page cache: the time that brine waits for the disk, at the end and before, stands apart.
"""

import argparse
import pathlib
import shutil
import statistics
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from bench import ROOT, as_markdown, as_text, environment, machine, measure, note, release_binary  # noqa: E402

LOAD = "import json,sys,pandas; value=pandas.read_pickle(sys.argv[1]); print(json.dumps({'rows': len(value)}))"


def frames(rows):
    """Name to a function that makes the value; `rows` of the widest, more of the narrow ones."""
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(20261121)
    words = np.array([f"word-{i:05}" for i in range(50_000)], dtype=object)

    def numbers():
        return pd.DataFrame(rng.standard_normal((rows, 100)), columns=[f"c{i}" for i in range(100)])

    def mixed_numbers():
        columns = {}
        for i, kind in enumerate(["i8", "i4", "u2", "f4", "f8"] * 4):
            columns[f"{kind}_{i}"] = rng.integers(0, 100, 2 * rows).astype(kind)
        columns["flag"] = rng.integers(0, 2, 2 * rows).astype(bool)
        return pd.DataFrame(columns)

    def times():
        start = np.datetime64("2020-01-01", "ns")
        when = start + rng.integers(0, 10**15, rows).astype("m8[ns]")
        utc = pd.DatetimeIndex(when).tz_localize("UTC")
        return pd.DataFrame({"t": when, "zoned": utc.tz_convert("Europe/Berlin"), "took": when - start})

    def texts():
        return pd.DataFrame({f"t{i}": pd.Series(words[rng.integers(0, len(words), rows)], dtype=object) for i in range(4)})

    def new_texts():
        fresh = [f"{i:x}-{i * 2654435761 % 2**32:08x}" for i in range(rows)]
        return pd.DataFrame({"text": pd.array(fresh, dtype="str")})

    def categories():
        return pd.DataFrame({f"k{i}": pd.Categorical.from_codes(rng.integers(-1, 1000, 2 * rows), words[:1000]) for i in range(8)})

    def nullable():
        integers = pd.array(rng.integers(0, 1000, rows), dtype="Int64")
        integers[rng.integers(0, rows, rows // 10)] = pd.NA
        return pd.DataFrame({f"n{i}": integers for i in range(4)})

    def records():
        return [{"id": i, "name": words[i % len(words)], "score": i / 7} for i in range(rows)]

    def vectors():
        return pd.DataFrame({"id": np.arange(rows // 10), "v": list(rng.standard_normal((rows // 10, 384)).astype("f4"))})

    return {
        "numbers: 100 float64 columns": numbers,
        "numbers of 21 columns, five types": mixed_numbers,
        "times, zoned and not, durations": times,
        "text objects, shared": texts,
        "text of Arrow, all different": new_texts,
        "categoricals": categories,
        "nullable integers": nullable,
        "a list of dicts": records,
        "vectors of float32": vectors,
    }


def make(folder, rows):
    """Writes the pickles that are not there yet; runs in the peers' environment."""
    import pickle

    for name, value in frames(rows).items():
        path = folder / file_name(name, rows)
        if not path.exists():
            note(f"making {path}")
            with open(path.with_suffix(".part"), "wb") as file:
                pickle.dump(value(), file, protocol=5)
            path.with_suffix(".part").rename(path)
        print(f"{name}\t{path}")


def file_name(name, rows):
    return f"frames_{'_'.join(name.replace(':', '').replace(',', '').split())}_{rows}.pkl"


def measured(python, brine, path, folder):
    with open(path, "rb") as file:  # into the page cache
        while file.read(1 << 24):
            pass
    pandas = measure([python, "-c", LOAD, path])
    out = folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    ours = measure([brine, "convert", path, "-o", out, "--only", "arrow", "--schema", "auto", "--json"])
    shutil.rmtree(out, ignore_errors=True)
    table = ours["said"]["inputs"][0]["tables"][0]
    return {"pandas": pandas["wall"], "brine": ours["wall"], "disk": table["disk_seconds"], "private": ours["private_mib"]}


def table(results):
    rows = [["file", "MB", "pandas load s", "brine convert s", "of it waiting for the disk s", "ratio", "GB/s without that", "private MiB"]]
    for name, (size, rounds) in results.items():
        mid = {key: statistics.median(one[key] for one in rounds) for key in rounds[0]}
        ratio = statistics.median(one["pandas"] / one["brine"] for one in rounds)
        rate = size / 1e9 / max(mid["brine"] - mid["disk"], 1e-9)
        cells = [f"{mid['pandas']:.3f}", f"{mid['brine']:.3f}", f"{mid['disk']:.3f}", f"{ratio:.1f}", f"{rate:.2f}", f"{mid['private']:.0f}"]
        rows.append([name, f"{size / 1e6:.0f}", *cells])
    return rows


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench frames", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, default=ROOT / "target" / "bench-data", help="where the data is kept")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--md", action="store_true", help="print Markdown")
    parser.add_argument("--brine", help="the binary (default: built for release)")
    parser.add_argument("--make", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    args.data = args.data.resolve()
    args.data.mkdir(parents=True, exist_ok=True)
    if args.make:
        return make(args.data, args.make)
    rows, rounds = (10_000 if args.quick else 1_000_000), args.rounds or (1 if args.quick else 3)
    python, brine = environment("current"), args.brine or release_binary()
    command = [python, __file__, "--data", str(args.data), "--make", str(rows)]
    made = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    files = dict(line.split("\t") for line in made.splitlines())
    results = {name: (pathlib.Path(path).stat().st_size, []) for name, path in files.items()}
    for number in range(rounds):
        note(f"round {number + 1} of {rounds}")
        for name, path in files.items():
            results[name][1].append(measured(python, brine, path, args.data))
            note(f"{name}: {results[name][1][-1]}")
    said = " ".join(["scripts/bench frames", *(["--quick"] if args.quick else []), *(["--md"] if args.md else [])])
    print(f"{machine()}. Medians of {rounds} rounds: `{said}`\n")
    print((as_markdown if args.md else as_text)(table(results)))


if __name__ == "__main__":
    main()
