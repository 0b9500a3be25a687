"""What the peers share: stubs made from our proto, rows as the contract wants them, processes that listen.

Not run by itself. Needs pandas, numpy, grpcio and grpcio-tools.
"""

import contextlib
import functools
import importlib
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np
import pandas as pd

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DOMAINS = ("recruit", "candidate", "skill_embedding_dic")
DIMENSIONS = {"recruit": 384, "candidate": 768, "skill_embedding_dic": 768}
# Field of the message, source column, what the cell becomes.
COLUMNS = {
    "recruit": [
        ("id", "id", "text"),
        ("company_name", "Company Name", "category"),
        ("exp_years", "Exp Years", "years"),
        ("english_level", "English Level", "category"),
        ("primary_keyword", "Primary Keyword", "category"),
        ("vector", "job_post_vectors", "vector"),
    ],
    "candidate": [
        ("candidate_id", "candidate_id", "text"),
        ("position_category", "position_category", "category"),
        ("experience_years", "experience_years", "years"),
        ("original_resume", "original_resume", "text"),
        ("skills", "skills", "texts"),
        ("vector", "vector", "vector"),
    ],
    "skill_embedding_dic": [
        ("skill", "skill", "text"),
        ("position_category", "position_category", "category"),
        ("vector", "vector", "vector"),
    ],
}
# How the published client opens its channel.
CLIENT_OPTIONS = [
    ("grpc.max_send_message_length", 16 << 20),
    ("grpc.max_receive_message_length", 16 << 20),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.http2.min_time_between_pings_ms", 10_000),
    ("grpc.use_local_subchannel_pool", 1),
]


@functools.cache
def stubs(name="embedding_stream"):
    """The two generated modules of a file under proto/."""
    from grpc_tools import protoc

    out = tempfile.mkdtemp(prefix="brine-stubs-")
    include = f"-I{ROOT / 'proto'}"
    failed = protoc.main(["", include, f"--python_out={out}", f"--grpc_python_out={out}", f"{name}.proto"])
    assert not failed, f"protoc refused proto/{name}.proto"
    sys.path.insert(0, out)
    return importlib.import_module(f"{name}_pb2"), importlib.import_module(f"{name}_pb2_grpc")


def years(cell):
    """Years of experience as the contract wants them: "2y" is 2, "no_exp" is 0."""
    if isinstance(cell, str):
        return 0 if cell == "no_exp" else int(cell[:-1])
    return int(cell)


def cell_value(cell, kind, missing=""):
    """One cell as it stands on the wire; a vector as the bytes of its float32 values, so that comparing is exact."""
    if kind == "vector":
        return np.asarray(cell, dtype=np.float32).astype("<f4").tobytes()
    if kind == "texts":
        return [str(x) for x in cell]
    if kind == "years":
        return years(cell)
    return missing if cell is None or pd.isna(cell) else str(cell)


def rows_of(frame, domain, missing=""):
    """Every row of a source frame as a dict of wire values, by the field's name; files keep what is missing as None."""
    fields = COLUMNS[domain]
    columns = [[cell_value(cell, kind, missing) for cell in frame[source]] for _, source, kind in fields]
    return [dict(zip([field for field, _, _ in fields], cells)) for cells in zip(*columns)]


def source_rows(path, domain, missing=""):
    return rows_of(pd.read_pickle(path), domain, missing)


def row_of_message(message, domain, renamed=()):
    """A received row in the form of `rows_of`; `renamed` are the fields that the message calls otherwise."""
    row, renamed = {}, dict(renamed)
    for field, _, kind in COLUMNS[domain]:
        value = getattr(message, renamed.get(field, field))
        if kind == "vector":
            value = np.array(value, dtype="<f4").tobytes()
        row[field] = list(value) if kind == "texts" else value
    return row


def metadata_message(domain, dimension=None, file_name="peer.pkl"):
    pb, _ = stubs()
    dimension = DIMENSIONS[domain] if dimension is None else dimension
    metadata = pb.IngestMetadata(domain=domain, file_name=file_name, vector_dimension=dimension)
    return pb.IngestDataRequest(metadata=metadata)


def chunk_message(rows, domain):
    """One chunk as the published client builds it."""
    pb, _ = stubs()
    request = pb.IngestDataRequest()
    chunk = getattr(request, f"{domain}_chunk")
    for row in rows:
        chunk.rows.add(**{**row, "vector": np.frombuffer(row["vector"], dtype="<f4")})
    return request


def requests_of(rows, domain, chunk_rows, file_name="peer.pkl"):
    yield metadata_message(domain, file_name=file_name)
    for start in range(0, len(rows), chunk_rows):
        yield chunk_message(rows[start : start + chunk_rows], domain)


def differences(expected, actual, key):
    """What differs between two lists of rows, by key; nothing when every value is the same."""
    found = []
    if len(expected) != len(actual):
        found.append(f"{len(expected)} rows expected, {len(actual)} seen")
    by_key = {row[key]: row for row in actual}
    for row in expected:
        other = by_key.get(row[key])
        if other is None:
            found.append(f"{row[key]}: missing")
            continue
        found += [f"{row[key]}: {f} is {other[f]!r:.80}, not {row[f]!r:.80}" for f in row if row[f] != other[f]]
    return found


class Report:
    """Counts what was checked, and says each failure at once."""

    def __init__(self, title):
        self.title, self.passed, self.failed = title, 0, 0

    def check(self, what, problems):
        """`problems` is a list of texts, or a truth value."""
        if isinstance(problems, bool):
            problems = [] if problems else ["did not hold"]
        if not problems:
            self.passed += 1
            print(f"  ok    {what}", flush=True)
            return
        self.failed += 1
        print(f"  FAIL  {what}", flush=True)
        for problem in problems[:5]:
            print(f"        {problem}", flush=True)

    def finish(self):
        print(f"{self.title}: {self.passed} passed, {self.failed} failed", flush=True)
        return 1 if self.failed or not self.passed else 0


@contextlib.contextmanager
def listening(command, **options):
    """Runs a server that prints `listening on 127.0.0.1:PORT`; gives its process and port, ends it afterwards."""
    command = [str(part) for part in command]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options)
    try:
        for line in process.stdout:
            if found := re.search(r"listening on 127\.0\.0\.1:(\d+)", line):
                break
        else:
            raise SystemExit(f"{command[0]} ended with {process.wait()} before it listened")
        yield process, int(found.group(1))
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def run(command, **options):
    """Runs a command that must succeed, and gives what it said on stdout."""
    command = [str(part) for part in command]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\nended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout
