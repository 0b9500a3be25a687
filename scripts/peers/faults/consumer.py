"""A consumer of served rows as one is written who must not lose any: rows and checkpoint in one transaction.

    python -m faults.consumer PORT DATABASE WAY [PLACE CHUNK]

WAY is how it goes on: `id` by the last row's id, `row` by its number and the table's fingerprint. At chunk CHUNK it dies at
PLACE: `before`, `inside` or `behind` the transaction.
"""

import os
import signal
import sqlite3
import sys

import contract
import grpc
from faults import oracles
from faults.processes import channel_to

PLACES = ("before", "inside", "behind")
CHUNK_ROWS = 100


def opened(path):
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("CREATE TABLE IF NOT EXISTS rows (id TEXT, digest BLOB)")
    database.execute("CREATE TABLE IF NOT EXISTS checkpoint (one INTEGER PRIMARY KEY, id TEXT, rows INTEGER, fingerprint TEXT)")
    return database


def stored(path):
    """Pairs of id and digest, in the order in which they came."""
    return list(opened(path).execute("SELECT id, digest FROM rows ORDER BY rowid"))


def request(database, way):
    pb, _ = contract.stubs()
    asked = pb.StreamEmbeddingRequest(domain="recruit", chunk_size=CHUNK_ROWS, strict_checkpoint=True)
    found = database.execute("SELECT id, rows, fingerprint FROM checkpoint").fetchone()
    if found and way == "id":
        asked.last_processed_uuid = found[0]
    elif found:
        asked.start_row, asked.expected_fingerprint = found[1:]
    return asked


def consume(port, path, way, place=None, chunk=None):
    die = lambda here, number: (here, number) == (place, chunk) and os.kill(os.getpid(), signal.SIGKILL)  # noqa: E731
    _, rpc = contract.stubs()
    database = opened(path)
    fingerprint = (database.execute("SELECT fingerprint FROM checkpoint").fetchone() or [None])[0]
    with channel_to(port) as channel:
        answer = rpc.EmbeddingStreamServiceStub(channel).StreamEmbedding(request(database, way), timeout=60)
        for number, message in enumerate(answer):
            fingerprint = message.fingerprint or fingerprint
            rows = oracles.digests_of_rows([contract.row_of_message(row, "recruit") for row in message.rows], "recruit")
            die("before", number)
            database.execute("BEGIN IMMEDIATE")
            database.executemany("INSERT INTO rows VALUES (?, ?)", rows)
            die("inside", number)
            count = database.execute("SELECT count(*) FROM rows").fetchone()[0]
            database.execute("REPLACE INTO checkpoint VALUES (1, ?, ?, ?)", (rows[-1][0], count, fingerprint))
            database.execute("COMMIT")
            die("behind", number)


if __name__ == "__main__":
    given = sys.argv[1:]
    try:
        consume(int(given[0]), given[1], given[2], *([given[3], int(given[4])] if len(given) > 3 else []))
    except grpc.RpcError as error:
        raise SystemExit(f"{error.code().name}: {error.details()}") from None
