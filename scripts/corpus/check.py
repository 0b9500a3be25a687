#!/usr/bin/env python3
"""Convert one pandas version's corpus with brine, and compare what that pandas reads from the Parquet with what it unpickles.

    python scripts/corpus/check.py FOLDER --brine BINARY [--output RESULTS.json] [--only REGEX] [--jobs N]

FOLDER was written by write.py with this interpreter; or it is one of the old corpora, unpacked, and then the truth beside each
file takes the place of unpickling. RESULTS.json has one entry for each file: `result` is `equal`; or `losses`
with the names of the known losses (strict.py) under which it is; or `differs` with `why`; or `refused` with brine's `why`.
"""

import argparse
import functools
import io
import json
import multiprocessing
import pathlib
import re
import shutil
import subprocess
import tempfile
import warnings

import cases  # noqa: F401  the classes that some of the pickles name
import members
import pandas as pd
import pyarrow.parquet
import strict
import truth


# Cases of the old corpora whose truth does not say all: here it lacks the mask.
UNTRUE = {"nd_masked_array"}


def scratch():
    """A folder for conversions: in memory where there is one, so that nobody waits for a disk."""
    memory = pathlib.Path("/dev/shm")
    return tempfile.mkdtemp(prefix="brine-corpus-", dir=memory if memory.is_dir() else None)


def convert(brine, path, folder):
    """brine's JSON summary, or the message with which it refused."""
    command = [brine, "convert", path, "-o", folder, "--schema", "auto", "--only", "parquet", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return json.loads(done.stdout)["inputs"][0], None
    return None, done.stderr.strip() or f"exit code {done.returncode}"


def compare(expected, parquet, likely=()):
    """The result of one table; `likely` are the losses that another protocol's file had."""
    actual, far = read(parquet)
    found = strict.differences(expected, actual)
    if not found and not far:
        return {"result": "equal"}
    explained = strict.losses(expected, actual, likely) if found else []
    if explained is None:
        return {"result": "differs", "why": "; ".join(found[:3])}
    return {"result": "losses", "losses": [*far, *explained], "why": "; ".join(found[:3])}


def read(parquet):
    """What pandas reads, and the loss `far` if it took pyarrow to read it: pandas before 2 holds no times beyond 2262."""
    try:
        return pd.read_parquet(parquet), []
    except pyarrow.ArrowInvalid as error:
        if "out of bounds timestamp" not in str(error):
            raise
        return pyarrow.parquet.read_table(parquet).to_pandas(timestamp_as_object=True), ["far"]


def guarded(function, *arguments):
    try:
        return function(*arguments)
    except Exception as error:  # a reader that fails is a finding like any other
        return {"result": "differs", "why": f"reading: {type(error).__name__}: {error}".replace("\n", " ")[:300]}


def pandas_own(expected):
    """What becomes of the frame on pandas' own way through Parquet."""
    buffer = io.BytesIO()
    try:
        expected.to_parquet(buffer)
    except Exception as error:
        return {"result": "refused", "why": f"{type(error).__name__}: {error}".replace("\n", " ")[:200]}
    return guarded(compare, expected, buffer)


def types(parquet):
    return [str(field.type) for field in pyarrow.parquet.read_schema(parquet)]


def load(path, truth):
    """The object in a file: what pandas unpickles, or what the truth beside it says."""
    return pd.read_pickle(path) if truth is None else truth_of(truth)


@functools.lru_cache(maxsize=4)
def truth_of(path):
    return truth.load(path)


def check(brine, path, said, folder, own, likely):
    """The results of a file's tables, one for each that the object holds or brine wrote."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            value = load(path, said)
        except Exception as error:
            return [{"result": "unreadable", "why": f"pandas cannot read it: {type(error).__name__}: {error}"[:200]}]
        found = list(members.tables(value))
        expected = dict(zip(members.names(path.stem, [keys for keys, _ in found]), [frame for _, frame in found]))
        summary, refused = convert(brine, path, folder)
        if refused is not None:
            results = [{"table": "", "result": "refused", "why": refused}]
            if own and len(expected) == 1:
                results[0]["pandas"] = pandas_own(next(iter(expected.values())))
            return results
        written = {entry["name"]: folder / f"{entry['name']}.parquet" for entry in summary["tables"]}
        skipped = {".".join(filter(None, [path.stem, entry["path"]])): entry["reason"] for entry in summary["skipped"]}
        return [one(name, expected, written, skipped, own, likely) for name in sorted({**expected, **written})]


def one(name, expected, written, skipped, own, likely):
    if name in written and name in expected:
        result = guarded(compare, expected[name], written[name], likely)
        result["arrow"] = guarded(types, written[name])
    elif name in written:
        result = {"result": "extra", "why": f"a table that the object does not have: {name}", "arrow": guarded(types, written[name])}
    else:
        result = {"result": "refused", "why": skipped.get(name, f"no table {name}, and nothing said of it")}
    if own and name in expected and result["result"] != "equal":
        result["pandas"] = pandas_own(expected[name])
    return {"table": name, **result}


def check_case(task):
    """The results of one case, protocol by protocol."""
    brine, files, said, own = task
    folder = pathlib.Path(scratch())
    try:
        results, likely = {}, []
        for path in files:
            found = check(brine, path, said, folder, own and path == files[-1], likely)
            likely = next(([name for name in table["losses"] if name != "far"] for table in found if "losses" in table), likely)
            results[path.name] = found
            shutil.rmtree(folder)
            folder.mkdir()
        return results
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def corpus_of(folder):
    """Versions, and for each case its files and the file with its truth, if pandas is not to say it itself."""
    own = folder / "corpus.json"
    if own.exists():
        corpus = json.loads(own.read_text())
        return corpus, {name: (files, None) for name, files in corpus["files"].items()}
    corpus = json.loads((folder / "manifest.json").read_text())
    cases = {}
    for entry in corpus["cases"]:
        if "truth" in entry and entry["name"] not in UNTRUE:
            files = [file["file"] for _, file in sorted(entry["files"].items())]
            cases[entry["name"]] = (files, folder / entry["truth"])
    return corpus, cases


def run(folder, brine, only, jobs, own):
    corpus, found = corpus_of(folder)
    chosen = {name: entry for name, entry in found.items() if not only or re.search(only, name)}
    tasks = [(brine, [folder / file for file in files], said, own) for files, said in chosen.values()]
    results = {}
    with multiprocessing.Pool(jobs) as pool:
        for found in pool.imap_unordered(check_case, tasks, chunksize=4):
            results.update(found)
    order = [file for files, _ in chosen.values() for file in files]
    return {**{key: corpus[key] for key in ("pandas", "numpy", "pyarrow")}, "files": {file: results[file] for file in order}}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--brine", required=True)
    parser.add_argument("--output", type=pathlib.Path)
    parser.add_argument("--only")
    parser.add_argument("--own", action="store_true", help="also take each frame through pandas' own to_parquet, to compare the losses")
    parser.add_argument("--jobs", type=int, default=multiprocessing.cpu_count())
    args = parser.parse_args()
    results = run(args.folder, args.brine, args.only, args.jobs, args.own)
    counts = {}
    for found in results["files"].values():
        for table in found or [{"result": "no table"}]:
            counts[table["result"]] = counts.get(table["result"], 0) + 1
    print(f"pandas {results['pandas']}: {len(results['files'])} files, tables: {counts}")
    if args.output:
        args.output.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
