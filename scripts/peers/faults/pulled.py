"""F22: a consumer of `brine serve` dies and goes on; checkpoints that name no row; ids of several rows; a table that is another."""

import contextlib
import subprocess
import sys

import contract
import grpc
import pandas as pd
import serving_rows
from faults import consumer, oracles
from faults.data import Data, frame
from faults.processes import channel_to, start

KILLS = 20


@contextlib.contextmanager
def served(lab, folder, log):
    with open(log, "w") as said:
        command = [lab.brine, "serve", folder, "--listen", "127.0.0.1:0"]
        with contract.listening(command, stderr=said) as (_, port):
            yield port


def expected(data):
    """As the original contract says it, where a missing text is an empty one."""
    return oracles.digests_of_rows(contract.source_rows(data.path.with_suffix(".pkl"), "recruit"), "recruit")


def consumed(port, path, way, *death):
    command = [sys.executable, "-m", "faults.consumer", port, path, way, *death]
    process = start(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    _, said = process.communicate(timeout=60)
    return process.returncode, said


def kills(row, lab, port, wanted):
    """It dies twice, at any chunk, before, inside and behind the transaction, and goes on in either way."""
    chunks = len(wanted) // consumer.CHUNK_ROWS
    for number in range(KILLS):
        place, way = consumer.PLACES[number % 3], ("id", "row")[number % 2]
        what = f"{number}, {place} the transaction, goes on by {way}"
        with row.run(what):
            path = lab.folder / f"consumer-{number}.sqlite"
            for death in (lab.random.randrange(chunks // 2), lab.random.randrange(chunks // 2)):
                code, said = consumed(port, path, way, place, death)
                row.check(what, code == -9, f"was to die at chunk {death} and ended with {code}: {said[-300:]}")
                row.count("kills")
            code, said = consumed(port, path, way)
            row.check(what, code == 0, f"ended with {code}: {said[-300:]}")
            row.compare(what, oracles.Difference(wanted, consumer.stored(path)))


def asked(port, **fields):
    """Rows, what the metadata says of the checkpoint, and the error with its reason, of one request."""
    pb, rpc = contract.stubs()
    with channel_to(port) as channel:
        answer = rpc.EmbeddingStreamServiceStub(channel).StreamEmbedding(pb.StreamEmbeddingRequest(domain="recruit", **fields), timeout=60)
        try:
            rows = sum(len(message.rows) for message in answer)
            return rows, dict(answer.initial_metadata()).get("x-checkpoint"), None
        except grpc.RpcError as error:
            details = dict(error.trailing_metadata()).get("grpc-status-details-bin", b"")
            return 0, None, (error.code(), details)


def check_refused(row, what, answer, reason):
    _, _, error = answer
    right = error is not None and error[0] == grpc.StatusCode.FAILED_PRECONDITION and reason.encode() in error[1]
    row.check(what, right, f"was to be {reason} and was {error or answer}")


def unknown(row, port, rows):
    with row.run("an id that is none"):
        nobody = "00000000-0000-4000-8000-000000000000"
        found = asked(port, last_processed_uuid=nobody)
        row.check("an id that is none", found == (rows, "unknown", None), f"answered {found}")
        refused = asked(port, last_processed_uuid=nobody, strict_checkpoint=True)
        check_refused(row, "an id that is none, strictly", refused, "CHECKPOINT_UNKNOWN")


def repeated(row, lab):
    """An id of two rows: no conversion and no pull makes a table that has one."""
    with row.run("an id of two rows"):
        rows, folder = contract.source_rows(lab.small.path.with_suffix(".pkl"), "recruit"), lab.folder / "repeated"
        folder.mkdir()
        table = frame(1_500, 3)
        pd.concat([table, table.iloc[[700]]], ignore_index=True).to_pickle(folder / "recruit.pkl")
        with serving_rows.python_server([*rows, rows[700]]) as (port, _):
            pull = [lab.brine, "pull", "--from", f"http://127.0.0.1:{port}", "-o", folder]
            convert = [lab.brine, "convert", folder / "recruit.pkl", "-o", folder]
            for command, said in ((pull, "such as rows 700 and 1500"), (convert, "stands in row 700 already")):
                done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
                right = done.returncode != 0 and said in done.stderr
                row.check("an id of two rows", right, f"{command[1]} ended with {done.returncode}: {done.stderr[-300:]}")
        left = [path.name for path in folder.iterdir()]
        row.check("an id of two rows", left == ["recruit.pkl"], f"left {left}")


def replaced(row, lab):
    """Half of one table, then another in its place: what goes on is told, and mixes nothing."""
    data = Data(lab.brine, lab.folder / "replaced", rows=1_500, seed=4)
    old, path = expected(data), lab.folder / "replaced.sqlite"
    with row.run("another table"), served(lab, data.path.parent, lab.folder / "replaced.log") as port:
        code, said = consumed(port, path, "row", "behind", 6)
        row.check("another table", code == -9, f"was to die and ended with {code}: {said[-300:]}")
        Data(lab.brine, lab.folder / "replaced", rows=1_500, seed=5)
        for way in ("row", "id"):
            code, said = consumed(port, path, way)
            row.check("another table", code == 1 and "FAILED_PRECONDITION" in said, f"by {way}: ended with {code}: {said[-300:]}")
        stored = consumer.stored(path)
        row.check("another table", stored == old[: len(stored)] and len(stored) == 700, f"{len(stored)} rows are a mix")


def consumers(row, lab):
    """F22: twenty consumers that die, and what no checkpoint can answer."""
    data = lab.small
    wanted = expected(data)
    with served(lab, data.path.parent, lab.folder / "served.log") as port:
        kills(row, lab, port, wanted)
        unknown(row, port, data.rows)
    repeated(row, lab)
    replaced(row, lab)
    panics = oracles.panics(lab.folder.glob("*.log"))
    row.check("all", not panics, "; ".join(panics[:3]))
