"""A client of the session service in Python's grpcio, from generated stubs alone, and what its server then stores.

Not run by itself. Needs what contract.py needs. Digests are those of the manifest: a client that has checkpoints of its data
set every 1,000 rows sends chunks that begin and end there, and computes no hash.
"""

import functools
import json
import queue
import uuid

import contract
import grpc
import pandas as pd

CHUNK_ROWS = 1_000
COPIES = 4
MODULUS = 1 << 128


@functools.cache
def stubs():
    contract.stubs()  # which the other file's stubs import
    return contract.stubs("ingest_session")


def table(source, folder):
    """Several copies of the sample, told apart by their keys: more rows than there are between two checkpoints."""
    frame = pd.read_pickle(source)
    copies = [frame.assign(id=[str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{key}-{copy}")) for key in frame["id"]]) for copy in range(COPIES)]
    path = folder / "recruit.pkl"
    pd.concat(copies, ignore_index=True).to_pickle(path)
    return path


class Part:
    """What a client knows of its rows: where chunks may begin, and the digest of all rows before each such place."""

    def __init__(self, manifest, rows):
        assert manifest["rows"] == len(rows) and manifest["checkpoint_rows"] == CHUNK_ROWS
        digests = [int(digest, 16) for digest in ["0", *manifest["checkpoints"]]]
        self.rows, self.fingerprint = rows, manifest["fingerprint"]
        self.before = {index * CHUNK_ROWS: digest for index, digest in enumerate(digests)}
        self.before[len(rows)] = int(manifest["d"], 16)
        self.ends = sorted(self.before)

    def digest(self, first, end):
        return ((self.before[end] - self.before[first]) % MODULUS).to_bytes(16, "little")

    def chunk(self, first, end, digest=None):
        pb, _ = stubs()
        base, _ = contract.stubs()
        message = contract.chunk_message(self.rows[first:end], "recruit")
        digest = digest or self.digest(first, end)
        header = base.ChunkHeader(first_row=first, row_count=end - first, range_digest=digest)
        message.header.CopyFrom(header)
        return pb.AppendRequest(chunk=message)

    def hello(self, session, epoch=0, start=0):
        base, _ = contract.stubs()
        return base.SessionHello(
            protocol_version=1,
            session_id=session,
            epoch=epoch,
            fingerprint=self.fingerprint,
            total_rows=len(self.rows),
            start_row=start,
            prefix_digest=self.digest(0, start),
            mode=base.WRITE_MODE_PENDING,
        )


class Client:
    """One session through the generated stub."""

    def __init__(self, port, part):
        _, rpc = stubs()
        channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=contract.CLIENT_OPTIONS)
        self.stub, self.part, self.session = rpc.IngestSessionServiceStub(channel), part, uuid.uuid4().bytes

    def open(self):
        pb, _ = stubs()
        request = pb.OpenRequest(
            hello=self.part.hello(self.session), domain="recruit", vector_dimension=384, file_name="peer.pkl"
        )
        return self.stub.Open(request, timeout=60)

    def append(self, at):
        """A stream that begins where the session stands: what puts requests in, and the acknowledgements."""
        pb, _ = stubs()
        requests = queue.Queue()
        requests.put(pb.AppendRequest(start=self.part.hello(self.session, at.epoch, at.committed_rows)))
        return requests, self.stub.Append(iter(requests.get, None), timeout=120)

    def commit(self, epoch):
        pb, _ = stubs()
        request = pb.CommitRequest(
            session_id=self.session, epoch=epoch, total_rows=len(self.part.rows), fingerprint=self.part.fingerprint
        )
        return self.stub.Commit(request, timeout=120)


def committed(acks, rows):
    """Reads acknowledgements until `rows` rows are durable; positions never fall."""
    seen = [0]
    for ack in acks:
        assert ack.WhichOneof("kind") == "committed", ack
        assert ack.committed.committed_rows >= seen[-1], f"{ack.committed.committed_rows} after {seen}"
        seen.append(ack.committed.committed_rows)
        if seen[-1] == rows:
            return ack.committed
    raise AssertionError(f"the stream ended after {seen}, {rows} were awaited")


def refused(call):
    """Status and reason of a call that must fail."""
    try:
        call()
    except grpc.RpcError as error:
        return error.code(), error.details()
    return None, "was taken"


def session(report, port, part):
    """A session that is interrupted, fenced and gone on with."""
    pb, _ = stubs()
    client, total = Client(port, part), len(part.rows)
    opened = client.open()
    fresh = (opened.at.epoch, opened.at.committed_rows, opened.limits.max_chunk_rows > 0)
    report.check(f"a session is opened: {fresh}", fresh == (1, 0, True))

    requests, acks = client.append(opened.at)
    requests.put(part.chunk(0, 1_000))
    requests.put(pb.AppendRequest(flush=pb.Flush()))
    at = committed(acks, 1_000)
    report.check("a chunk is acknowledged while the stream lasts", at.prefix_digest == part.digest(0, 1_000))
    gap, wrong = part.chunk(2_000, total), part.chunk(1_000, 2_000, b"\1" * 16)
    for what, request, reason in (("gap", gap, "OFFSET_GAP"), ("digest that is wrong", wrong, "CHUNK_CORRUPT")):
        requests.put(request)
        error = next(ack.error for ack in acks if ack.WhichOneof("kind") == "error")
        said = (pb.Reason.Name(error.reason), error.expected_row)
        report.check(f"told on the stream: {what}: {said}", said == (f"REASON_{reason}", 1_000))
    early, details = refused(lambda: client.commit(opened.at.epoch))
    report.check(f"not committed before all rows are there: {details}", early == grpc.StatusCode.FAILED_PRECONDITION)

    again = client.open()
    stands = (again.at.epoch, again.at.committed_rows)
    report.check(f"opened again, it stands where it stood: {stands}", stands == (2, 1_000))
    fenced, details = refused(lambda: client.commit(opened.at.epoch))
    report.check(f"the attempt before is fenced: {details}", fenced == grpc.StatusCode.ABORTED)
    requests.put(None)

    requests, acks = client.append(again.at)
    # The first chunk once more: it is there, and nothing is stored twice.
    for first, end in [(0, 1_000), *zip(part.ends[1:], part.ends[2:])]:
        requests.put(part.chunk(first, end))
    requests.put(None)
    last = [ack for ack in acks][-1].committed
    counts = (last.committed_rows, last.duplicate_rows_skipped)
    report.check(f"the end of the stream acknowledges everything: {counts}", counts == (total, 1_000))
    done, repeated = client.commit(2), client.commit(2)
    states = [(state(answer), answer.at.dataset_version) for answer in (done, repeated)]
    report.check(f"committed, and again: {states}", states == [("FINALIZED", 1)] * 2)
    status = client.stub.Status(pb.StatusRequest(session_id=client.session), timeout=60).at
    report.check("its digest is that of all rows", status.prefix_digest == part.digest(0, total))


def state(answer):
    base, _ = contract.stubs()
    return base.SessionState.Name(answer.at.state).removeprefix("SESSION_STATE_")


def into_brine(report, brine, source, folder, stored_rows):
    """The Python client against `brine batch-server`; `stored_rows` reads a table of a store."""
    folder.mkdir()
    pickle = table(source, folder)
    contract.run([brine, "convert", pickle, "-o", folder])
    part = Part(json.loads((folder / "recruit.json").read_text()), contract.source_rows(pickle, "recruit"))
    store = folder / "store"
    with contract.listening([brine, "batch-server", "--store", store, "--listen", "127.0.0.1:0"]) as (_, port):
        session(report, port, part)
    stored = stored_rows(store, "recruit")
    report.check("every row of the session is stored once", [row["id"] for row in stored] == [row["id"] for row in part.rows])
    report.check("every stored value of the session", contract.differences(part.rows, stored, "id"))
