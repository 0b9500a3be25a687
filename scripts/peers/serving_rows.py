"""A Python client of `brine serve`: every value it is given, checkpoints, refusals, health, reflection, `brine pull` from a
Python server. Used by interop.py; needs grpcio-health-checking and grpcio-reflection besides."""

import concurrent.futures
import contextlib
import itertools
import json
import signal
import subprocess
import time

import contract
import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

CHUNKS = {"recruit": "rows", "candidate": "candidate_rows", "skill_embedding_dic": "skill_rows"}
# What the published system calls the domains, and the columns whose names differ there.
PUBLISHED = {
    "recruit": ("recruit", {"exp_years": "experience_years", "vector": "skills_vector"}),
    "candidate": ("candidate", {"vector": "skills_vector"}),
    "skill_embedding_dic": ("skill_dic", {"vector": "skill_vector"}),
}
SERVICE = "embedding.EmbeddingStreamService"
OPTIONS = [("grpc.max_receive_message_length", 16 << 20), ("grpc.keepalive_time_ms", 10_000),
           ("grpc.keepalive_permit_without_calls", 1)]  # fmt: skip


@contextlib.contextmanager
def channel(port):
    with grpc.insecure_channel(f"127.0.0.1:{port}", options=OPTIONS) as opened:
        yield opened


def request_of(domain, **fields):
    pb, _ = contract.stubs()
    # The original contract knows one domain, and no field for it.
    named = {} if domain == "recruit" else {"domain": domain}
    return pb.StreamEmbeddingRequest(**named, **fields)


def pulled(stub, domain, **options):
    """The chunks of one answer, each a list of rows."""
    fields = {name: options.pop(name) for name in list(options) if name in ("last_processed_uuid", "chunk_size")}
    answer = stub.StreamEmbedding(request_of(domain, **fields), timeout=120, **options)
    rows = CHUNKS[domain]
    return [[contract.row_of_message(row, domain) for row in getattr(chunk, rows)] for chunk in answer]


def every_row(report, stub, domain, rows):
    for size in (None, 100, 1000):
        chunks = pulled(stub, domain, **({"chunk_size": size} if size else {}))
        whole, rest = divmod(len(rows), size or 300)
        sizes = [size or 300] * whole + [rest] * bool(rest)
        report.check(f"{domain} in chunks of {size or 'the usual size'}: {len(chunks)}", [len(c) for c in chunks] == sizes)
        received = list(itertools.chain.from_iterable(chunks))
        report.check(f"{domain} arrives in file order, every value", rows == received)


def checkpoints(report, stub, domain, rows):
    key = contract.COLUMNS[domain][0][0]
    for place in (0, len(rows) // 2, len(rows) - 1):
        received = sum(pulled(stub, domain, last_processed_uuid=rows[place][key]), [])
        report.check(f"{domain} behind row {place}", received == rows[place + 1 :])
    answer = stub.StreamEmbedding(request_of(domain, last_processed_uuid="00000000-0000-4000-8000-000000000000"), timeout=60)
    told = dict(answer.initial_metadata()).get("x-checkpoint")
    count = sum(len(getattr(chunk, CHUNKS[domain])) for chunk in answer)
    report.check(f"an unknown checkpoint starts anew and says so: {told}", (told, count) == ("unknown", len(rows)))


def refused(report, what, call, code):
    try:
        next(iter(call()), None)
        report.check(f"refused: {what}", ["was taken"])
    except grpc.RpcError as error:
        report.check(f"refused: {what}: {error.code().name}: {error.details()}", error.code() == code and bool(error.details()))


def refusals(report, stub):
    for size in (99, 1001, -5):
        call = lambda size=size: stub.StreamEmbedding(request_of("recruit", chunk_size=size), timeout=60)
        refused(report, f"chunks of {size}", call, grpc.StatusCode.INVALID_ARGUMENT)
    call = lambda: stub.StreamEmbedding(request_of("companies"), timeout=60)
    refused(report, "a domain that is none", call, grpc.StatusCode.INVALID_ARGUMENT)


def published(report, opened, domain, rows):
    """The same rows at the path of the published Java server."""
    pb, rpc = contract.stubs("embedding_stream_json")
    name, renamed = PUBLISHED[domain]
    request = pb.StreamEmbeddingRequest(domain=name, chunk_size=200)
    received = []
    for chunk in rpc.EmbeddingStreamServiceStub(opened).StreamEmbedding(request, timeout=60):
        for row in getattr(chunk, name).rows:
            received.append(contract.row_of_message(row, domain, renamed))
    report.check(f"{domain} in the published package, every value", rows == received)


def compressed(report, opened, rows):
    _, rpc = contract.stubs()
    stub = rpc.EmbeddingStreamServiceStub(opened)
    received = sum(pulled(stub, "recruit", compression=grpc.Compression.Gzip), [])
    report.check("gzip, asked for by a client that compresses", received == rows)


def health(report, opened):
    stub = health_pb2_grpc.HealthStub(opened)
    for service in ("", SERVICE):
        answer = stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=30)
        report.check(f"health of {service!r}", answer.status == health_pb2.HealthCheckResponse.SERVING)
    unknown = lambda: [stub.Check(health_pb2.HealthCheckRequest(service="nobody"), timeout=30)]
    refused(report, "health of nobody", unknown, grpc.StatusCode.NOT_FOUND)


def reflection(report, opened):
    from google.protobuf.descriptor_pool import DescriptorPool
    from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

    database = ProtoReflectionDescriptorDatabase(opened)
    services = set(database.get_services())
    report.check(f"reflection lists {sorted(services)}", {SERVICE, "grpc.health.v1.Health"} <= services)
    method = DescriptorPool(database).FindServiceByName(SERVICE).FindMethodByName("StreamEmbedding")
    shape = (method.client_streaming, method.server_streaming, method.input_type.name, method.output_type.name)
    report.check(f"StreamEmbedding by reflection: {shape}", shape == (False, True, "StreamEmbeddingRequest", "RowChunk"))


def draining(report, process, opened):
    """A server that is asked to stop says so before it stops."""
    stub = health_pb2_grpc.HealthStub(opened)
    watched = stub.Watch(health_pb2.HealthCheckRequest(service=SERVICE), timeout=60)
    first = next(watched).status
    process.send_signal(signal.SIGTERM)
    second = next(watched, None)
    watched.cancel()
    serving, not_serving = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
    report.check("health while stopping", (first, second and second.status) == (serving, not_serving))
    report.check("a server that is asked to stop ends well", process.wait(30) == 0)


def out_of_brine(report, brine, sources, data, folder):
    """The Python client against `brine serve`."""
    out = folder / "served"
    for domain in sources:
        contract.run([brine, "convert", data / f"{domain}.pkl", "-o", out])
    with contract.listening([brine, "serve", out, "--listen", "127.0.0.1:0"], stderr=subprocess.DEVNULL) as (process, port):
        with channel(port) as opened:
            _, rpc = contract.stubs()
            stub = rpc.EmbeddingStreamServiceStub(opened)
            for domain, rows in sources.items():
                every_row(report, stub, domain, rows)
                checkpoints(report, stub, domain, rows)
                published(report, opened, domain, rows)
            refusals(report, stub)
            compressed(report, opened, sources["recruit"])
            health(report, opened)
            reflection(report, opened)
            pull(report, brine, port, out, folder)
            draining(report, process, opened)


def pull(report, brine, port, out, folder):
    """`brine pull` takes each table whole, and what it writes is what is served."""
    for domain in contract.DOMAINS:
        copy = folder / "pulled"
        said = contract.run([brine, "pull", "--from", f"http://127.0.0.1:{port}", "--domain", domain, "-o", copy, "--json"])
        said = json.loads(said)
        fingerprints = [json.loads((place / f"{domain}.json").read_text())["fingerprint"] for place in (out, copy)]
        report.check(f"brine pull {domain}: {said['rows']} rows", fingerprints[0] == fingerprints[1] == said["fingerprint"])


@contextlib.contextmanager
def python_server(rows, breaks=()):
    """A Python server of the original contract, which breaks off after so many chunks, once for each of `breaks`."""
    pb, rpc = contract.stubs()
    left, asked = list(breaks), []

    class Servicer(rpc.EmbeddingStreamServiceServicer):
        def StreamEmbedding(self, request, context):  # noqa: N802: the contract's name
            asked.append(request.last_processed_uuid)
            ids = [row["id"] for row in rows]
            start = ids.index(request.last_processed_uuid) + 1 if request.last_processed_uuid else 0
            size, stop = request.chunk_size or 300, left.pop(0) if left else None
            for number, place in enumerate(range(start, len(rows), size)):
                if number == stop:
                    context.abort(grpc.StatusCode.UNAVAILABLE, "broken on purpose")
                yield pb.RowChunk(rows=contract.chunk_message(rows[place : place + size], "recruit").recruit_chunk.rows)

    server = grpc.server(concurrent.futures.ThreadPoolExecutor(4))
    rpc.add_EmbeddingStreamServiceServicer_to_server(Servicer(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield port, asked
    finally:
        server.stop(None)


def into_brine(report, brine, sources, folder):
    """`brine pull` from a Python server that knows the original contract only, and breaks off twice."""
    rows = sources["recruit"]
    with python_server(rows, breaks=(2, 1)) as (port, asked):
        begin = time.monotonic()
        command = [brine, "pull", "--from", f"http://127.0.0.1:{port}", "--chunk-size", 100, "--json", "-o", folder / "of_python"]
        said = json.loads(contract.run(command))
        wanted = ["", rows[199]["id"], rows[299]["id"]]
        report.check(f"brine pull resumes by the last id ({time.monotonic() - begin:.1f} s)", asked == wanted)
        report.check(f"brine pull from Python: {said['rows']} rows", said["rows"] == len(rows))
    import pyarrow.parquet

    stored = pyarrow.parquet.read_table(folder / "of_python" / "recruit.parquet").column("id").to_pylist()
    report.check("what was pulled is whole and in order", stored == [row["id"] for row in rows])
