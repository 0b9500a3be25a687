#!/usr/bin/env python3
"""Encode a table as messages of somebody's own `.proto` with brine and with ptars, in turn, in one run.

    scripts/bench messages            100,000 rows of 384 floats and 500,000 of short lists, five rounds
    scripts/bench messages --quick    2,000 rows, one round: does it still run
    scripts/bench messages --md       the table as Markdown, for benches/README.md

ptars makes one message of each row of an Arrow batch in memory, on one core. `brine stream --dry-run --proto` maps the data
set, checks every cell and makes the requests that would go to the server, framed for gRPC; `seconds` is that time, without
the start of the process. brine runs on one core and on all. ptars reads neither categories nor vectors of one length, so
it is given the same rows as plain lists and strings. Its message of a row is read back and compared, and brine's requests
must be as long as its messages with a key and a length before each.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from bench import ROOT, as_markdown, as_text, environment, machine, note, release_binary  # noqa: E402

PROTO = """syntax = "proto3";
package bench;
service Jobs { rpc Import (stream Chunk) returns (Reply); }
message Reply {}
message Chunk { repeated Job rows = 1; }
message Job {
  string id = 1;
  string company = 2;
  int32 years = 3;
  repeated float vector = 4;
  repeated string skills = 5;
  repeated int64 counts = 6;
}
"""
# Columns, and how many times the rows: narrow rows would be encoded before the caches are warm.
SHAPES = {
    "text, integer, 384 floats": (["id", "company", "years", "vector"], 1),
    "text, integer, lists of text and of integers": (["id", "company", "years", "skills", "counts"], 5),
}


def frame(rows, columns):
    """The table as pandas has it."""
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(20261121)
    made = {
        "id": lambda: [f"{i:032x}" for i in range(rows)],
        "company": lambda: pd.Categorical.from_codes(rng.integers(0, 500, rows), [f"company {i}" for i in range(500)]),
        "years": lambda: rng.integers(0, 40, rows).astype("i4"),
        "vector": lambda: list(rng.standard_normal((rows, 384)).astype("f4")),
        "skills": lambda: [[f"skill {j}" for j in range(i % 6)] for i in range(rows)],
        "counts": lambda: [list(range(i % 9)) for i in range(rows)],
    }
    return pd.DataFrame({name: made[name]() for name in columns})


def plain(table):
    """The same with plain lists and strings."""
    import pyarrow as pa

    kinds = {"company": pa.string(), "vector": pa.list_(pa.float32())}
    fields = [pa.field(field.name, kinds.get(field.name, field.type)) for field in table.schema]
    return table.cast(pa.schema(fields)).combine_chunks().to_batches()


def job(folder):
    """The generated class of a row."""
    from grpc_tools import protoc

    failed = protoc.main(["", f"-I{folder}", f"--python_out={folder}", "bench.proto"])
    assert not failed, "protoc refused bench.proto"
    sys.path.insert(0, str(folder))
    import bench_pb2

    return bench_pb2.Job


def ptars(dataset, folder, rounds):
    """Seconds of each round, and the bytes of all messages; runs in the peers' environment."""
    import pyarrow as pa
    from ptars import HandlerPool

    batches = plain(pa.ipc.open_file(pa.memory_map(f"{dataset}.arrow")).read_all())
    row = job(folder)
    handler = HandlerPool([row.DESCRIPTOR.file]).get_for_message(row.DESCRIPTOR)
    seconds, size = [], 0
    for _ in range(rounds + 1):
        begin = time.perf_counter()
        arrays = [handler.record_batch_to_array(batch) for batch in batches]
        seconds.append(time.perf_counter() - begin)
    size = sum(len(message) for array in arrays for message in array.to_pylist())
    wanted, got = batches[0].slice(1, 1).to_pylist()[0], row.FromString(arrays[0][1].as_py())
    lost = [field for field, value in wanted.items() if (list(getattr(got, field)) if isinstance(value, list) else getattr(got, field)) != value]
    assert not lost, f"ptars changed {lost}"
    print(json.dumps({"seconds": seconds[1:], "bytes": size}))


def brine(binary, dataset, folder, threads):
    command = [binary, "stream", dataset, "--dry-run", "--json", "--proto", folder / "bench.proto", "--rpc", "bench.Jobs/Import"]
    variables = {**os.environ, **({"RAYON_NUM_THREADS": "1"} if threads == 1 else {})}
    said = json.loads(subprocess.check_output([str(part) for part in command], env=variables))
    return said["seconds"], said["bytes"], said["rows"]


def prepare(args, python, binary, columns, rows):
    """Makes the data set of a shape, once."""
    folder = args.data / f"messages_{'_'.join(columns)}_{rows}"
    if not (folder / "jobs.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
        note(f"making {folder}")
        source = folder / "jobs.pkl"
        command = [python, __file__, "--make", source, "--columns", ",".join(columns), "--rows", rows]
        subprocess.run([str(part) for part in command], check=True)
        command = [binary, "convert", source, "-o", folder, "--schema", "auto", "--only", "arrow", "--overwrite", "--quiet"]
        subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL)
        source.unlink()
    (folder / "bench.proto").write_text(PROTO)
    return folder


def contest(args, python, binary, name):
    """One row of the table."""
    columns, times = SHAPES[name]
    rows = args.rows * times
    folder = prepare(args, python, binary, columns, rows)
    command = [python, __file__, "--ptars", folder / "jobs", "--rounds", args.rounds]
    peer = json.loads(subprocess.check_output([str(part) for part in command]))
    one = [brine(binary, folder / "jobs", folder, 1) for _ in range(args.rounds)]
    every = [brine(binary, folder / "jobs", folder, 0) for _ in range(args.rounds)]
    assert one[0][2] == rows, f"{one[0][2]} rows of {rows}"
    assert peer["bytes"] <= one[0][1] <= peer["bytes"] + 8 * rows, f"{peer['bytes']} and {one[0][1]} bytes"
    seconds = statistics.median(peer["seconds"]), *(statistics.median(run[0] for run in runs) for runs in (one, every))
    rates = [f"{rows / each:,.0f}" for each in seconds]
    return [name, f"{rows:,}", *rates, f"{seconds[0] / seconds[1]:.1f}", f"{seconds[0] / seconds[2]:.1f}"]


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench messages", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, default=ROOT / "target" / "bench-data", help="where the data is kept")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--rows", type=int)
    parser.add_argument("--md", action="store_true", help="print Markdown")
    parser.add_argument("--brine", help="the binary (default: built for release)")
    for hidden in ("--make", "--columns", "--ptars"):
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    args = parser.parse_args()
    args.rounds = args.rounds or (1 if args.quick else 5)
    args.rows = args.rows or (2_000 if args.quick else 100_000)
    if args.make:
        return frame(args.rows, args.columns.split(",")).to_pickle(args.make)
    if args.ptars:
        return ptars(args.ptars, pathlib.Path(args.ptars).parent, args.rounds)
    args.data = args.data.resolve()
    python, binary = environment("ptars"), args.brine or release_binary()
    table = [["table", "rows", "ptars rows/s", "brine rows/s, one core", "all cores", "ratio, one core", "ratio, all cores"]]
    for name in SHAPES:
        table.append(contest(args, python, binary, name))
        note(f"{name}: {table[-1]}")
    said = " ".join(["scripts/bench messages", *(["--quick"] if args.quick else []), *(["--md"] if args.md else [])])
    print(f"{machine()}. Medians of {args.rounds} rounds: `{said}`\n")
    print((as_markdown if args.md else as_text)(table))


if __name__ == "__main__":
    main()
