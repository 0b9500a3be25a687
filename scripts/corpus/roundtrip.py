#!/usr/bin/env python3
"""Is what pandas reads from brine's Parquet what it would have unpickled? For every case, pandas version and protocol.

    python scripts/corpus/roundtrip.py --brine BINARY [--quick] [--bless] [--only REGEX] [--versions 2.2,3.1] [--keep FOLDER]

Writes the corpus with each pandas (scripts/peers/environment makes them), converts it, and compares in that pandas; unpacks the
corpora of pandas too old to install (tests/fixtures/old) and compares with the truth beside them. Fails when a file is not equal
and exceptions.txt does not say so, when a line of it is not true, and when the README's tables are not those of the run.

    --quick   pandas 2.2 and 3.1 at protocols 0 and 5, and one old corpus
    --bless   write exceptions.txt, the README's tables and docs/roundtrip.md from the run; faults stay faults
    --keep    where the corpora and results are left (otherwise a temporary folder)

A pandas that this machine's Python cannot install is said, and its lines are not checked.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import time

import outcomes
import tables

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
OLD = {"0.20": "py36-pd203", "0.24": "py27-pd242", "1.0": "py37-pd105", "1.2": "py38-pd125", "1.3": "py37-pd135", "1.4": "py39-pd144"}
NEW = ["1.5", "2.0", "2.1", "2.2", "2.3", "3.0", "3.1"]
# The pandas that holds what old ones held with the fewest changes of its own.
READS_OLD = "2.2"
QUICK = ["1.4", "2.2", "3.1"]
FAULTS_SHOWN = 60


def environment(version):
    """The interpreter of a pandas version, or None."""
    command = [ROOT / "scripts/peers/environment", f"pandas-{version}"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def unpacked(label, folder):
    with tarfile.open(ROOT / "tests/fixtures/old" / f"{label}.tar.xz") as archive:
        archive.extractall(folder, filter="data") if hasattr(tarfile, "data_filter") else archive.extractall(folder)
    return folder / label


def checked(version, args, folder):
    """The results of one version, or None if it cannot be had here."""
    python = environment(READS_OLD if version in OLD else version)
    if python is None:
        return None
    if version in OLD:
        corpus = unpacked(OLD[version], folder)
    else:
        corpus = folder / f"pandas-{version}"
        protocols = "0,5" if args.quick else "0,1,2,3,4,5"
        subprocess.run([python, HERE / "write.py", corpus, "--protocols", protocols, *only(args)], check=True)
    output = folder / f"{version}.json"
    subprocess.run([python, HERE / "check.py", corpus, "--brine", args.brine, "--output", output, *only(args)], check=True)
    return json.loads(output.read_text())


def only(args):
    return ["--only", args.only] if args.only else []


def run(args, folder):
    versions = args.versions.split(",") if args.versions else QUICK if args.quick else [*OLD, *NEW]
    results = {}
    for version in versions:
        begin = time.monotonic()
        found = checked(version, args, folder)
        if found is None:
            print(f"pandas {version}: NOT RUN, this machine has no Python that installs it")
            continue
        results[version] = found
        print(f"pandas {version}: {time.monotonic() - begin:.0f} s", flush=True)
    return results


def rows_of_cases(python):
    """The line of the table of types that each case belongs to, as the corpus says it."""
    code = "import json, cases; print(json.dumps({name: case.row for name, case in cases.CASES.items() if case.row}))"
    done = subprocess.run([python, "-c", code], cwd=HERE, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def judge(args, results):
    """Prints what is wrong, and gives the number of findings."""
    present, found, faults = outcomes.collect(results)
    listing = HERE / "exceptions.txt"
    whole = not (args.quick or args.only or args.versions) and list(results) == [*OLD, *NEW]
    findings = [f"{case}: pandas {version} protocol {protocol}: {why}" for case, version, protocol, why in faults]
    if args.bless:
        if not whole:
            sys.exit("--bless needs a whole run")
        bless(results, present, found, listing)
    findings += outcomes.disagreements(found, outcomes.listed(listing.read_text(), present, results))
    if whole:
        findings += stale(results, present, found)
    for finding in findings[:FAULTS_SHOWN]:
        print(f"  {finding}"[:300])
    if len(findings) > FAULTS_SHOWN:
        print(f"  and {len(findings) - FAULTS_SHOWN} more")
    report(results, found, faults, findings)
    return len(findings)


def report(results, found, faults, findings):
    files = sum(len(result["files"]) for result in results.values())
    known = sum(len(places) for outcomes_of in found.values() for places in outcomes_of.values())
    equal = files - known - len(faults)
    print(f"roundtrip: {files:,} files: {equal:,} equal, {known:,} explained, {len(faults):,} faults; {len(findings):,} findings")


def generated(results, present, found):
    """The documents that a run writes: path and text."""
    lines = outcomes.lines(present, found, list(results))
    readme = ROOT / "README.md"
    section = tables.replaced(readme.read_text(), tables.readme(results, rows_of_cases(environment(NEW[-1]))))
    yield ROOT / "docs/roundtrip.md", tables.document(lines)
    if section is not None:
        yield readme, section


def bless(results, present, found, listing):
    head = [line for line in listing.read_text().splitlines() if line.startswith("#")]
    listing.write_text("\n".join([*head, *outcomes.lines(present, found, list(results))]) + "\n")
    for path, text in generated(results, present, found):
        path.write_text(text)


def stale(results, present, found):
    for path, text in generated(results, present, found):
        if not path.exists() or path.read_text() != text:
            yield f"{path.relative_to(ROOT)} is not what this run writes; --bless writes it"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--brine", required=True, type=lambda text: str(pathlib.Path(text).resolve()))
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--bless", action="store_true")
    parser.add_argument("--only")
    parser.add_argument("--versions")
    parser.add_argument("--keep", type=pathlib.Path)
    args = parser.parse_args()
    os.chdir(ROOT)
    with tempfile.TemporaryDirectory(prefix="brine-roundtrip-") as temporary:
        folder = args.keep or pathlib.Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        results = run(args, folder)
        return int(judge(args, results) > 0 or not results)


if __name__ == "__main__":
    raise SystemExit(main())
