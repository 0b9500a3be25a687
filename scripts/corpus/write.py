#!/usr/bin/env python3
"""Write the corpus as the pandas of this interpreter does: every case at every protocol, CASE.pPROTOCOL.pkl.

    python scripts/corpus/write.py FOLDER [--protocols 0,1,2,3,4,5] [--only REGEX]

FOLDER/corpus.json says which pandas, NumPy and pyarrow wrote it, lists the files, and what this pandas cannot make or cannot
pickle, with the reason. Needs pandas and NumPy, and pyarrow for the columns that stand on it; Python 3.9 or newer.
"""

import argparse
import json
import pathlib
import pickle
import platform
import re
import warnings

import numpy as np
import pandas as pd
from cases import CASES
from cases.registry import Unavailable, pyarrow


def first_line(error):
    return f"{type(error).__name__}: {error}".splitlines()[0][:200]


def write_case(case, folder, protocols):
    """Names of the files written, and why the other protocols could not be."""
    value = case.build()
    names, refused = [], {}
    for protocol in protocols:
        name = f"{case.name}.p{protocol}.pkl"
        try:
            content = pickle.dumps(value, protocol)
        except Exception as error:  # pandas and NumPy refuse in many ways
            refused[name] = first_line(error)
            continue
        (folder / name).write_bytes(content)
        names.append(name)
    return names, refused


def write(folder, protocols, only):
    folder.mkdir(parents=True, exist_ok=True)
    corpus = {
        "pandas": pd.__version__,
        "numpy": np.__version__,
        "pyarrow": getattr(pyarrow, "__version__", None),
        "python": platform.python_version(),
        "files": {},
        "missing": {},
    }
    for case in CASES.values():
        if only and not re.search(only, case.name):
            continue
        try:
            corpus["files"][case.name], refused = write_case(case, folder, protocols)
            corpus["missing"].update(refused)
        except Unavailable as reason:
            corpus["missing"][case.name] = str(reason)
        except Exception as error:  # what this pandas cannot do, it says in many ways
            corpus["missing"][case.name] = first_line(error)
    (folder / "corpus.json").write_text(json.dumps(corpus, indent=1) + "\n")
    return corpus


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--protocols", default="0,1,2,3,4,5")
    parser.add_argument("--only", help="cases whose name this finds")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    protocols = [int(text) for text in args.protocols.split(",")]
    corpus = write(args.folder, protocols, args.only)
    files = sum(len(names) for names in corpus["files"].values())
    print(f"pandas {corpus['pandas']}: {len(corpus['files'])} cases, {files} files; {len(corpus['missing'])} not to be had")


if __name__ == "__main__":
    main()
