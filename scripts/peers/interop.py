#!/usr/bin/env python3
"""Python's grpcio against brine, both ways, every value compared with what pandas reads from the pickle.

    python scripts/peers/interop.py --brine target/release/brine

A Python client pushes all three domains into `brine batch-server`, and what the server stored is read with pyarrow; another
sends a table in a session, by generated stubs alone, breaks off and goes on; a Python server takes what `brine stream` pushes,
and so does one that knows only the dialect json-v1; another, of a service that brine knows by its .proto file only, takes what
`brine stream --proto` sends. A Python client pulls from `brine serve`, and `brine pull` from a Python server. Requests that the
contract forbids must be refused with INVALID_ARGUMENT.
Needs pandas, numpy, pyarrow, grpcio, grpcio-tools, grpcio-health-checking and grpcio-reflection, of any age from grpcio 1.60 on.

`--brine python` lets the Python client talk to the Python server instead: a check of this script alone.
"""

import argparse
import concurrent.futures
import contextlib
import functools
import json
import pathlib
import sys
import tempfile

import contract
import grpc
import grpc_tools
import json_rows
import numpy as np
import pyarrow
import pyarrow.parquet
import serving_rows
import session_rows

FOREIGN = contract.ROOT / "tests" / "fixtures" / "messages"
CHUNK_ROWS = {"recruit": 300, "candidate": 100, "skill_embedding_dic": 50}


class Recorder:
    """The Batch Server of the contract, as short as Python allows: checks the order, keeps what it is given."""

    def __init__(self):
        self.runs = []

    def take(self, requests, context):
        pb, _ = contract.stubs()
        metadata, rows, chunks = None, [], 0
        for request in requests:
            if request.HasField("metadata"):
                metadata = request.metadata
                if metadata.domain not in contract.DOMAINS:
                    context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"unknown domain {metadata.domain!r}")
            kind = request.WhichOneof("chunk_data")
            if metadata is None:
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, "a chunk before the metadata")
            if kind is None:
                continue
            if kind != f"{metadata.domain}_chunk":
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"{kind} in a run of {metadata.domain}")
            chunks += 1
            for row in getattr(request, kind).rows:
                if len(row.vector) != metadata.vector_dimension:
                    context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"{len(row.vector)} dimensions")
                rows.append(contract.row_of_message(row, metadata.domain))
        self.runs.append((metadata, rows, chunks))
        return pb.IngestDataResponse(
            status="success", message="OK", total_rows_received=len(rows), total_chunks_received=chunks
        )


@contextlib.contextmanager
def recorder():
    """A Python server on a free port, and what it records."""
    _, rpc = contract.stubs()
    record = Recorder()

    class Servicer(rpc.EmbeddingStreamServiceServicer):
        def IngestDataStream(self, request_iterator, context):  # noqa: N802: the contract's name
            return record.take(request_iterator, context)

    options = [("grpc.max_receive_message_length", 16 << 20)]
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(4), options=options)
    rpc.add_EmbeddingStreamServiceServicer_to_server(Servicer(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield record, port
    finally:
        server.stop(None)


def stub(port):
    _, rpc = contract.stubs()
    channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=contract.CLIENT_OPTIONS)
    return rpc.EmbeddingStreamServiceStub(channel)


def stored_rows(store, domain):
    """The table that a Batch Server keeps, through pyarrow, in the form of the wire."""
    table = pyarrow.parquet.read_table(store / f"{domain}.parquet")
    columns = []
    for field, _, kind in contract.COLUMNS[domain]:
        cells = table.column(field).combine_chunks()
        if kind == "vector":
            flat = np.asarray(cells.flatten(), dtype="<f4").reshape(len(cells), -1)
            columns.append([row.tobytes() for row in flat])
        elif kind in ("text", "category"):
            columns.append(["" if x is None else x for x in cells.to_pylist()])
        else:
            columns.append(cells.to_pylist())
    names = [field for field, _, _ in contract.COLUMNS[domain]]
    return [dict(zip(names, cells)) for cells in zip(*columns)]


def push_all(report, port, sources, stored):
    """The Python client pushes each domain; `stored` gives the rows that the server then has."""
    for domain, rows in sources.items():
        chunk_rows = CHUNK_ROWS[domain]
        reply = stub(port).IngestDataStream(contract.requests_of(rows, domain, chunk_rows), timeout=600)
        counts = (reply.status, reply.total_rows_received, reply.total_chunks_received)
        wanted = ("success", len(rows), -(-len(rows) // chunk_rows))
        report.check(f"client pushes {domain}: {counts}", [] if counts == wanted else [f"expected {wanted}"])
        key = contract.COLUMNS[domain][0][0]
        report.check(f"every stored value of {domain}", contract.differences(rows, stored(domain), key))


def refusals(report, port, sources):
    """Each request that the contract forbids gives INVALID_ARGUMENT with a text that says why."""
    recruit, candidate = sources["recruit"][:2], sources["candidate"][:2]
    narrow = [{**recruit[0], "vector": recruit[0]["vector"][:-4]}]
    first = contract.metadata_message("recruit")
    cases = {
        "unknown domain": [contract.metadata_message("companies", 384)],
        "dimension that recruit has not": [contract.metadata_message("recruit", 383)],
        "dimension zero": [contract.metadata_message("recruit", 0), contract.chunk_message(recruit, "recruit")],
        "vector shorter than announced": [first, contract.chunk_message(narrow, "recruit")],
        "chunk before metadata": [contract.chunk_message(recruit, "recruit"), first],
        "chunk of another domain": [first, contract.chunk_message(candidate, "candidate")],
    }
    for what, requests in cases.items():
        try:
            reply = stub(port).IngestDataStream(iter(requests), timeout=60)
            report.check(f"refused: {what}", [f"was taken: {reply.status} {reply.total_rows_received} rows"])
        except grpc.RpcError as error:
            said = f"{error.code().name}: {error.details()}"
            right = error.code() == grpc.StatusCode.INVALID_ARGUMENT and error.details()
            report.check(f"refused: {what}: {said}", [] if right else [said])


def into_brine(report, brine, sources, folder):
    store = folder / "store"
    with contract.listening([brine, "batch-server", "--store", store, "--listen", "127.0.0.1:0"]) as (_, port):
        push_all(report, port, sources, lambda domain: stored_rows(store, domain))
        missing = sum(not row["english_level"] for row in sources["recruit"])
        nulls = pyarrow.parquet.read_table(store / "recruit.parquet").column("english_level").null_count
        report.check(f"levels that were sent empty are stored as missing: {nulls}", nulls == missing > 0)
        refusals(report, port, sources)
        push_all(report, port, {"recruit": sources["recruit"]}, lambda domain: stored_rows(store, domain))


def out_of_brine(report, brine, sources, data, folder):
    out = folder / "out"
    for domain in sources:
        contract.run([brine, "convert", data / f"{domain}.pkl", "-o", out])
    with recorder() as (record, port):
        for domain, rows in sources.items():
            address = f"http://127.0.0.1:{port}"
            size = CHUNK_ROWS[domain]
            command = [brine, "stream", out / domain, "--to", address, "--chunk-rows", size, "--json"]
            answer = json.loads(contract.run(command))
            metadata, received, chunks = record.runs[-1]
            said = (answer["dialect"], answer["rows"], answer["chunks"], chunks)
            wanted = ("typed-v1", len(rows), -(-len(rows) // size), -(-len(rows) // size))
            report.check(f"brine streams {domain}: {said}", [] if said == wanted else [f"expected {wanted}"])
            said = (metadata.domain, metadata.vector_dimension)
            report.check(f"metadata of {domain}: {said}", said == (domain, contract.DIMENSIONS[domain]))
            key = contract.COLUMNS[domain][0][0]
            in_order = [row[key] for row in rows] == [row[key] for row in received]
            report.check(f"{domain} arrives in file order", in_order)
            report.check(f"every received value of {domain}", contract.differences(rows, received, key))


@functools.cache
def foreign_stubs():
    """The two generated modules of the service that is not ours."""
    from grpc_tools import protoc

    out = tempfile.mkdtemp(prefix="brine-foreign-")
    arguments = [f"-I{FOREIGN}", f"--python_out={out}", f"--grpc_python_out={out}", "jobs.proto"]
    if protoc.main(["", f"-I{pathlib.Path(grpc_tools.__file__).parent / '_proto'}", *arguments]):
        raise SystemExit("protoc refused jobs.proto")
    sys.path.insert(0, out)
    import jobs_pb2
    import jobs_pb2_grpc

    return jobs_pb2, jobs_pb2_grpc


@contextlib.contextmanager
def foreign_server():
    """A server of that service on a free port, and the messages it is given."""
    pb, rpc = foreign_stubs()
    streamed, called = [], []

    class Servicer(rpc.JobsServicer):
        def Import(self, request_iterator, context):  # noqa: N802: the contract's name
            streamed.extend(request_iterator)
            return pb.Reply(rows=len(streamed))

        def Put(self, request, context):  # noqa: N802: the contract's name
            called.append(request)
            return pb.Reply(rows=len(request.jobs))

    server = grpc.server(concurrent.futures.ThreadPoolExecutor(4))
    rpc.add_JobsServicer_to_server(Servicer(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"http://127.0.0.1:{port}", streamed, called
    finally:
        server.stop(None)


def job_of(message):
    """A received job in the form of `contract.rows_of`, with the level by its name."""
    pb, _ = foreign_stubs()
    level = pb.English.Name(message.english)
    return {
        "id": message.key,
        "company_name": message.company if message.HasField("company") else None,
        "exp_years": message.years,
        "english_level": None if level == "none" else level,
        "primary_keyword": message.keyword.value if message.HasField("keyword") else None,
        "vector": np.array(message.embedding, dtype="<f4").tobytes(),
    }


def foreign(report, brine, data, folder):
    """`brine stream --proto` to a service of somebody else's, in one stream and in calls."""
    rows = contract.source_rows(data / "recruit.pkl", "recruit", missing=None)
    contract.run([brine, "convert", data / "recruit.pkl", "-o", folder / "foreign"])
    with foreign_server() as (address, streamed, called):
        for rpc, rules, messages in (("Import", "jobs.toml", streamed), ("Put", "batch.toml", called)):
            command = [brine, "stream", folder / "foreign" / "recruit", "--to", address, "--chunk-rows", 300, "--json"]
            command += ["--proto", FOREIGN / "jobs.proto", "--rpc", f"jobs.v1.Jobs/{rpc}", "--map", FOREIGN / rules]
            said = json.loads(contract.run(command))
            report.check(f"brine sends {said['rows']} rows to {rpc}: {said['answer']}", said["rows_confirmed"] == len(rows))
            batches = [one.batch if rpc == "Import" else one for one in messages]
            if rpc == "Import":
                header = streamed[0].header
                facts = (header.table, header.file, header.rows, header.dimension, header.origin)
                report.check(f"header: {facts}", facts == ("recruit", "recruit.pkl", len(rows), 384, "tests"))
                batches = batches[1:]
            report.check(f"tenants of {rpc}", {batch.tenant for batch in batches} == {"acme"})
            received = [job_of(job) for batch in batches for job in batch.jobs]
            report.check(f"{rpc} arrives in file order", [row["id"] for row in rows] == [row["id"] for row in received])
            report.check(f"every value of {rpc}", contract.differences(rows, received, "id"))


def alone(report, sources):
    """The Python client against the Python server."""
    with recorder() as (record, port):
        push_all(report, port, sources, lambda domain: record.runs[-1][1])
        without = [contract.chunk_message(sources["recruit"][:1], "recruit")]
        try:
            stub(port).IngestDataStream(iter(without), timeout=60)
            report.check("refused: chunk before metadata", False)
        except grpc.RpcError as error:
            report.check("refused: chunk before metadata", error.code() == grpc.StatusCode.INVALID_ARGUMENT)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--brine", required=True, help="the binary")
    parser.add_argument("--data", type=pathlib.Path, default=contract.ROOT / "data")
    args = parser.parse_args()
    report = contract.Report(f"interop, grpcio {grpc.__version__}")
    sources = {domain: contract.source_rows(args.data / f"{domain}.pkl", domain) for domain in contract.DOMAINS}
    if args.brine == "python":
        alone(report, sources)
        return report.finish()
    with tempfile.TemporaryDirectory(prefix="brine-interop-") as folder:
        into_brine(report, args.brine, sources, pathlib.Path(folder))
        session_rows.into_brine(report, args.brine, args.data / "recruit.pkl", pathlib.Path(folder) / "session", stored_rows)
        out_of_brine(report, args.brine, sources, args.data, pathlib.Path(folder))
        foreign(report, args.brine, args.data, pathlib.Path(folder))
        json_rows.out_of_brine(report, args.brine, args.data, pathlib.Path(folder) / "json")
        serving_rows.out_of_brine(report, args.brine, sources, args.data, pathlib.Path(folder))
        serving_rows.into_brine(report, args.brine, sources, pathlib.Path(folder))
    return report.finish()


if __name__ == "__main__":
    raise SystemExit(main())
