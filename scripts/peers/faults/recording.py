"""The messages of a session as the client makes them, taken by a Python server: real chunks with real digests, to be sent again
in any order.
"""

import concurrent.futures

import contract
import grpc


class Recording:
    """One `Append`: the hello, and the chunks with their ranges."""

    def __init__(self):
        self.hello, self.opened, self.chunks = None, None, []


def servicer(recording):
    pb, rpc = contract.stubs("ingest_session")
    base, _ = contract.stubs()

    class Servicer(rpc.IngestSessionServiceServicer):
        def Open(self, request, context):  # noqa: N802: the contract's name
            recording.opened = request
            at = base.IngestOutcome(state=base.SESSION_STATE_OPEN, epoch=1, prefix_digest=bytes(16))
            return pb.OpenResponse(at=at, limits=pb.Limits(max_inflight_bytes=1 << 30))

        def Append(self, requests, context):  # noqa: N802
            for request in requests:
                if request.HasField("start"):
                    recording.hello = request.start
                if request.HasField("chunk"):
                    recording.chunks.append(request.chunk)
                    header = request.chunk.header
                    at = base.IngestOutcome(state=base.SESSION_STATE_OPEN, epoch=1, committed_rows=header.first_row + header.row_count)
                    yield pb.AppendAck(committed=at)

        def Commit(self, request, context):  # noqa: N802
            return pb.CommitResponse(at=base.IngestOutcome(state=base.SESSION_STATE_FINALIZED, dataset_version=1))

    return Servicer()


def record(lab, data, chunk_rows, *more):
    """What the client sends of `data`."""
    _, rpc = contract.stubs("ingest_session")
    recording = Recording()
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(4), options=[("grpc.max_receive_message_length", 16 << 20)])
    rpc.add_IngestSessionServiceServicer_to_server(servicer(recording), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        address = f"http://127.0.0.1:{port}"
        contract.run([lab.brine, "stream", data.path, "--to", address, "--chunk-rows", chunk_rows, "--json", *more])
    finally:
        server.stop(None)
    recording.chunks.sort(key=lambda chunk: chunk.header.first_row)
    return recording
