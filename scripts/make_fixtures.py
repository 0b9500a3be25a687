#!/usr/bin/env python3
"""Write the committed pickles anew, each with the pandas version that its name tells.

    python scripts/make_fixtures.py samples     data/: the samples of make_sample_data.py and their manifest
    python scripts/make_fixtures.py fixtures    tests/fixtures/pickles/: small pickles with what pandas says they hold
    python scripts/make_fixtures.py packed      tests/fixtures/packed/: one pickle in every form of packing
    python scripts/make_fixtures.py arrays      tests/fixtures/arrays/: arrays in NumPy's own files
    python scripts/make_fixtures.py joblib      tests/fixtures/joblib/: dumps of several versions of joblib
    python scripts/make_fixtures.py tables      tests/fixtures/tables/: Parquet and Arrow files in compression that is not read

Makes one virtual environment for each pandas version under ${BRINE_CACHE:-target/peers} (Python 3.11: the one version
that all of them install on; --python names it), and runs the generators inside. Needs nothing installed itself.
"""

import argparse
import hashlib
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PANDAS = {
    "1.5.3": ["pandas==1.5.3", "numpy==1.24.4"],
    "2.1.4": ["pandas==2.1.4", "numpy==1.26.4", "zstandard==0.23.0"],
    "2.3.3": ["pandas==2.3.3", "numpy==2.3.5"],
    "3.0.6": ["pandas==3.0.6", "numpy==2.4.6", "pyarrow==26.0.1"],
    "3.1.1": ["pandas==3.1.1", "numpy==2.4.6", "pyarrow==26.0.1"],
}
# What else writes fixtures, each in an environment of its own.
OTHERS = {
    "packed": ["pandas==2.1.4", "numpy==1.26.4", "zstandard==0.23.0", "lz4==4.4.5"],
    # The newest, the last without padding before arrays, and old ones with layouts of their own.
    "joblib-1.6": ["pandas==2.1.4", "numpy==1.26.4", "joblib==1.6.0", "lz4==4.4.5"],
    "joblib-1.1": ["pandas==1.5.3", "numpy==1.24.4", "joblib==1.1.1", "setuptools<80"],
    "joblib-0.17": ["pandas==1.5.3", "numpy==1.24.4", "joblib==0.17.0", "setuptools<80"],
    "joblib-0.14": ["pandas==1.5.3", "numpy==1.24.4", "joblib==0.14.1", "setuptools<80"],
}
# Where the samples of a pandas version go. The first is what the published system runs.
SAMPLES = {"2.1.4": "data", "3.1.1": "data/pandas3"}


def environment(version, python):
    """The interpreter of the virtual environment that holds this pandas."""
    return made(f"pandas-{version}", PANDAS[version], python)


def made(name, wanted, python):
    """The interpreter of a virtual environment; made when it is missing or out of date."""
    home = pathlib.Path(os.environ.get("BRINE_CACHE", ROOT / "target" / "peers")) / name
    stamp, interpreter = home / "requirements.stamp", home / "bin" / "python"
    if not (stamp.exists() and stamp.read_text() == "\n".join(wanted)):
        subprocess.run([python, "-m", "venv", "--clear", home], check=True)
        subprocess.run([interpreter, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted], check=True)
        stamp.write_text("\n".join(wanted))
    return interpreter


def versions(interpreter):
    code = (
        "import json, sys, platform, importlib.util as u, numpy, pandas\n"
        "v = {'python': platform.python_version(), 'numpy': numpy.__version__, 'pandas': pandas.__version__}\n"
        "if u.find_spec('pyarrow'):\n"
        "    import pyarrow; v['pyarrow'] = pyarrow.__version__\n"
        "print(json.dumps(v))"
    )
    return json.loads(subprocess.check_output([interpreter, "-c", code], text=True))


def samples(python):
    manifest = {}
    for version, folder in SAMPLES.items():
        interpreter = environment(version, python)
        command = [interpreter, ROOT / "scripts" / "make_sample_data.py", folder]
        lines = subprocess.check_output(command, cwd=ROOT, text=True).splitlines()
        for line in map(json.loads, lines):
            name = pathlib.PurePosixPath(line.pop("file")).relative_to("data").as_posix()
            manifest[name] = {**line, "written_by": versions(interpreter)}
    text = json.dumps({"seed": 7, "files": manifest}, indent=2)
    (ROOT / "data" / "MANIFEST.json").write_text(text + "\n")
    print(f"data/: {len(manifest)} samples, {sum(f['bytes'] for f in manifest.values()):,} bytes")


def fixtures(python):
    target = empty("pickles")
    for version in PANDAS:
        script = ROOT / "scripts" / "fixtures" / "pickles.py"
        subprocess.run([environment(version, python), script, target, version], check=True)
    files = [file for file in sorted(target.iterdir()) if file.suffix not in (".json", ".md")]
    digests = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
    (target / "MANIFEST.json").write_text(json.dumps(digests, indent=1) + "\n")
    total = sum(file.stat().st_size for file in target.iterdir())
    print(f"tests/fixtures/pickles/: {len(files)} pickles, {total:,} bytes with what they hold")


def packed(python):
    target = empty("packed")
    subprocess.run([made("packed", OTHERS["packed"], python), ROOT / "scripts" / "fixtures" / "packed.py", target], check=True)
    tell(target)


def arrays(python):
    target = empty("arrays")
    subprocess.run([environment("2.1.4", python), ROOT / "scripts" / "fixtures" / "arrays.py", target], check=True)
    tell(target)


def tables(python):
    target = empty("tables")
    subprocess.run([environment("3.1.1", python), ROOT / "scripts" / "fixtures" / "tables.py", target], check=True)
    tell(target)


def joblib(python):
    target = empty("joblib")
    for name in (name for name in OTHERS if name.startswith("joblib")):
        command = [made(name, OTHERS[name], python), ROOT / "scripts" / "fixtures" / "joblib_dumps.py", target]
        subprocess.run(command + ["--packed"] * (name == "joblib-1.6"), check=True)
    tell(target)


def empty(name):
    """A folder of fixtures, without what stood in it."""
    target = ROOT / "tests" / "fixtures" / name
    target.mkdir(parents=True, exist_ok=True)
    for old in target.iterdir():
        if old.name != "README.md":
            old.unlink()
    return target


def tell(target):
    files = list(target.iterdir())
    print(f"{target.relative_to(ROOT)}: {len(files)} files, {sum(file.stat().st_size for file in files):,} bytes")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["samples", "fixtures", "packed", "arrays", "joblib", "tables", "all"])
    parser.add_argument("--python", default=sys.executable, help="a Python 3.11 (default: this one)")
    args = parser.parse_args()
    if args.what in ("samples", "all"):
        samples(args.python)
    if args.what in ("fixtures", "all"):
        fixtures(args.python)
    if args.what in ("packed", "all"):
        packed(args.python)
    if args.what in ("arrays", "all"):
        arrays(args.python)
    if args.what in ("joblib", "all"):
        joblib(args.python)
    if args.what in ("tables", "all"):
        tables(args.python)


if __name__ == "__main__":
    main()
