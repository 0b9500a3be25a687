#!/usr/bin/env python3
"""Let `brine stream` push into a server that writes what it saw as JSON lines, and compare that with pandas.

    python scripts/peers/java_rows.py --brine target/release/brine --rows DIR -- COMMAND...

COMMAND starts the server, which prints `listening on 127.0.0.1:PORT` and writes DIR/DOMAIN.jsonl. Called by java.sh.
Needs pandas, numpy, grpcio and grpcio-tools. `--brine python` lets a Python client push instead.
"""

import argparse
import json
import pathlib
import tempfile

import contract
import numpy as np


def push(args, domain, rows, port, folder):
    """The counts that the pushing side was told."""
    if args.brine == "python":
        import interop

        reply = interop.stub(port).IngestDataStream(contract.requests_of(rows, domain, 100), timeout=600)
        return reply.total_rows_received
    contract.run([args.brine, "convert", args.data / f"{domain}.pkl", "-o", folder])
    address = f"http://127.0.0.1:{port}"
    return json.loads(contract.run([args.brine, "stream", folder / domain, "--to", address, "--json"]))["rows"]


def seen(path):
    """The dimension the server was told, and its rows in the form of `contract.rows_of`."""
    first, *rows = map(json.loads, path.read_text(encoding="ascii").splitlines())
    for row in rows:
        row["vector"] = np.frombuffer(bytes.fromhex(row["vector"]), dtype=">f4").astype("<f4").tobytes()
    return first["vector_dimension"], rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--brine", required=True)
    parser.add_argument("--rows", type=pathlib.Path, required=True)
    parser.add_argument("--data", type=pathlib.Path, default=contract.ROOT / "data")
    parser.add_argument("command", nargs="+")
    args = parser.parse_args()
    report = contract.Report("java peer")
    with contract.listening(args.command) as (_, port), tempfile.TemporaryDirectory(prefix="brine-java-") as folder:
        for domain in contract.DOMAINS:
            rows = contract.source_rows(args.data / f"{domain}.pkl", domain)
            told = push(args, domain, rows, port, pathlib.Path(folder))
            report.check(f"{domain} pushed: {told} rows", told == len(rows))
            dimension, received = seen(args.rows / f"{domain}.jsonl")
            report.check(f"metadata of {domain}: {dimension} dimensions", dimension == contract.DIMENSIONS[domain])
            report.check(f"{domain} arrives in file order and whole", rows == received)
            key = contract.COLUMNS[domain][0][0]
            report.check(f"every value of {domain} that Java saw", contract.differences(rows, received, key))
    return report.finish()


if __name__ == "__main__":
    raise SystemExit(main())
