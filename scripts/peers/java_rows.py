#!/usr/bin/env python3
"""Let `brine stream` push into a server that writes what it saw as JSON lines, let a client that does so pull from `brine
serve`, and compare both with pandas.

    python scripts/peers/java_rows.py --brine target/release/brine --rows DIR -- COMMAND...

COMMAND, which ends with `BatchServer DIR`, starts the server, which prints `listening on 127.0.0.1:PORT` and writes DIR/DOMAIN.jsonl, or DIR/DOMAIN.json.jsonl for
the dialect json-v1, which comes second; with `Puller PORT CHUNK_SIZE CHECKPOINT FILE` in its place it pulls. Called by java.sh.
Needs pandas, numpy, grpcio and grpcio-tools. `--brine python` lets a Python client push instead.
"""

import argparse
import json
import pathlib
import tempfile

import contract
import json_rows
import numpy as np


def push(args, domain, rows, port, folder):
    """The counts that the pushing side was told."""
    if args.brine == "python":
        import interop

        reply = interop.stub(port).IngestDataStream(contract.requests_of(rows, domain, 100), timeout=600)
        return reply.total_rows_received
    contract.run([args.brine, "convert", args.data / f"{domain}.pkl", "-o", folder])
    address = f"http://127.0.0.1:{port}"
    command = [args.brine, "stream", folder / domain, "--to", address, "--chunk-rows", 100, "--json"]
    return json.loads(contract.run(command))["rows"]


def from_bits(digits):
    return np.frombuffer(bytes.fromhex(digits), dtype=">f4").astype("<f4").tobytes()


def seen(path):
    """The dimension the server was told, and its rows in the form of `contract.rows_of`."""
    first, *rows = map(json.loads, path.read_text(encoding="ascii").splitlines())
    for row in rows:
        row["vector"] = from_bits(row["vector"])
    return first["vector_dimension"], rows


def push_json(args, report, domain, port, folder):
    """The data set that was pushed before, as JSON."""
    expected = json_rows.rows_of(args.data / f"{domain}.pkl", domain)
    address = f"http://127.0.0.1:{port}"
    command = [args.brine, "stream", folder / domain, "--to", address, "--dialect", "json-v1", "--json"]
    told = json.loads(contract.run(command))["rows"]
    report.check(f"{domain} pushed as JSON: {told} rows", told == len(expected))
    text = (args.rows / f"{json_rows.NAMES[domain]}.json.jsonl").read_text(encoding="utf-8")
    # Not splitlines(), which also splits at what JSON allows inside a string.
    first, *chunks = map(json.loads, text.rstrip("\n").split("\n"))
    dimension = first["vector_dimension"]
    report.check(f"metadata of {domain}: {dimension} dimensions", dimension == contract.DIMENSIONS[domain])
    received = [json_rows.floats_of(row, from_bits) for chunk in chunks for row in chunk]
    json_rows.compare(report, expected, received, domain)


def pull(args, report, folder):
    """A grpc-java stub asks `brine serve` for every recruit, and for those behind the tenth."""
    rows = contract.source_rows(args.data / "recruit.pkl", "recruit")
    java = args.command[: args.command.index("BatchServer")]
    with contract.listening([args.brine, "serve", folder / "recruit", "--listen", "127.0.0.1:0"]) as (_, port):
        for chunk_size, checkpoint, expected in ((100, "", rows), (0, rows[9]["id"], rows[10:])):
            said = contract.run([*java, "Puller", port, chunk_size, checkpoint, args.rows / "pulled.jsonl"])
            wanted = f"{-(-len(expected) // (chunk_size or 300))} {len(expected)}"
            report.check(f"Java pulls chunks and rows: {said.strip()}", said.strip() == wanted)
            lines = (args.rows / "pulled.jsonl").read_text(encoding="ascii").splitlines()
            received = [{**row, "vector": from_bits(row["vector"])} for row in map(json.loads, lines)]
            report.check("every value that Java pulled, in file order", received == expected)


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
            if args.brine != "python":
                push_json(args, report, domain, port, pathlib.Path(folder))
        if args.brine != "python":
            pull(args, report, pathlib.Path(folder))
    return report.finish()


if __name__ == "__main__":
    raise SystemExit(main())
