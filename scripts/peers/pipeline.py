#!/usr/bin/env python3
"""The pipeline as a Python user writes it today, with pandas, pyarrow and grpcio: the peer of the benchmarks.

    python scripts/peers/pipeline.py load PKL                       pandas.read_pickle alone
    python scripts/peers/pipeline.py convert PKL OUT.parquet        typed Parquet, zstd
    python scripts/peers/pipeline.py sink                           Batch Server that counts rows and keeps nothing
    python scripts/peers/pipeline.py push PKL PORT [--chunk 1000]   client streaming, metadata first
    python scripts/peers/pipeline.py serve PKL                      serves the rows of a pickle, as the published server does
    python scripts/peers/pipeline.py pull PORT [--chunk 300]        asks for all rows and counts them
    python scripts/peers/pipeline.py stall PORT [--streams 64]      asks for all rows and takes none, until it is ended
    python scripts/peers/pipeline.py flight-sink                    Arrow Flight server whose DoPut counts rows
    python scripts/peers/pipeline.py flight-push ARROW PORT         DoPut of an Arrow file
    python scripts/peers/pipeline.py tcp-sink                       takes bytes on a socket and counts them
    python scripts/peers/pipeline.py tcp-push FILE PORT             a file's bytes through a bare socket: what loopback can do

All print one JSON line with seconds, rows and the peak of their memory in MiB; servers print where they listen, pull also
the chunks, the seconds until the first one and those of the processor. `seconds` of load and convert are the whole work after the imports, of the pushes the sending alone. --domain names the table (default: recruit).
"""

import argparse
import concurrent.futures
import json
import mmap
import resource
import socket
import time

import numpy as np
import pandas as pd

# Enough for a chunk of any size: the peer shall not be held back by its settings.
OPTIONS = [("grpc.max_send_message_length", 100 << 20), ("grpc.max_receive_message_length", 100 << 20)]


def load(path):
    return pd.read_pickle(path)


def years(text):
    if isinstance(text, str):
        return int(text[:-1]) if text.endswith("y") else 0
    return text


def convert(path, out, domain):
    """One pass with the means of the libraries: stack the vectors, dictionary-encode the repeated texts."""
    import contract
    import pyarrow as pa
    import pyarrow.parquet as pq

    frame = load(path)
    arrays = {}
    for field, source, kind in contract.COLUMNS[domain]:
        column = frame[source]
        if kind == "vector":
            vectors = np.stack([np.asarray(vector, dtype=np.float32) for vector in column])
            arrays[field] = pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), vectors.shape[1])
        elif kind == "years":
            arrays[field] = pa.array(column.map(years), pa.int32())
        elif kind == "category":
            arrays[field] = pa.array(column, pa.string(), from_pandas=True).dictionary_encode()
        elif kind == "texts":
            arrays[field] = pa.array(column, pa.list_(pa.string()))
        else:
            arrays[field] = pa.array(column, pa.string(), from_pandas=True)
    pq.write_table(pa.table(arrays), out, compression="zstd")
    return len(frame)


def recruit_chunks(frame, pb, chunk_rows):
    for start in range(0, len(frame), chunk_rows):
        part = frame.iloc[start : start + chunk_rows]
        columns = (part[c] for c in ("id", "Company Name", "Exp Years", "English Level", "Primary Keyword", "job_post_vectors"))
        yield [
            pb.RecruitRow(id=key, company_name=company, exp_years=years(exp), english_level=level or "", primary_keyword=word, vector=v)
            for key, company, exp, level, word, v in zip(*columns)
        ]  # fmt: skip


def push(path, port, chunk_rows):
    import contract
    import grpc

    pb, rpc = contract.stubs()
    frame = load(path)
    begin = time.perf_counter()

    def requests():
        metadata = pb.IngestMetadata(domain="recruit", file_name=path, vector_dimension=len(frame["job_post_vectors"].iloc[0]))
        yield pb.IngestDataRequest(metadata=metadata)
        for rows in recruit_chunks(frame, pb, chunk_rows):
            yield pb.IngestDataRequest(recruit_chunk=pb.RecruitRowChunk(rows=rows))

    with grpc.insecure_channel(f"127.0.0.1:{port}", options=OPTIONS) as channel:
        reply = rpc.EmbeddingStreamServiceStub(channel).IngestDataStream(requests(), timeout=600)
    return reply.total_rows_received, time.perf_counter() - begin


def serve(path):
    """The frame is loaded once, which the published server does for each request."""
    import contract

    pb, rpc = contract.stubs()
    frame = load(path)

    class Source(rpc.EmbeddingStreamServiceServicer):
        def StreamEmbedding(self, request, context):  # noqa: N802: the contract's name
            rest = frame
            if request.last_processed_uuid:
                found = (frame["id"] == request.last_processed_uuid).to_numpy().nonzero()[0]
                rest = frame.iloc[found[0] + 1 :] if len(found) else frame
            for rows in recruit_chunks(rest, pb, request.chunk_size or 300):
                yield pb.RowChunk(rows=rows)

    listen_forever(rpc, Source())


def pull(port, chunk_rows):
    import contract
    import grpc

    pb, rpc = contract.stubs()
    with grpc.insecure_channel(f"127.0.0.1:{port}", options=OPTIONS) as channel:
        grpc.channel_ready_future(channel).result(30)
        begin, spent, first, rows, chunks = time.perf_counter(), time.process_time(), None, 0, 0
        for chunk in rpc.EmbeddingStreamServiceStub(channel).StreamEmbedding(pb.StreamEmbeddingRequest(chunk_size=chunk_rows)):
            first = first or time.perf_counter() - begin
            rows, chunks = rows + len(chunk.rows), chunks + 1
        seconds, spent = time.perf_counter() - begin, time.process_time() - spent
        return rows, seconds, {"chunks": chunks, "first_chunk_seconds": round(first or 0, 5), "cpu_seconds": round(spent, 4)}


def stall(port, chunk_rows, streams):
    """Each stream has a connection of its own; windows fill, and nothing is read."""
    import contract
    import grpc

    pb, rpc = contract.stubs()
    options = [*OPTIONS, ("grpc.use_local_subchannel_pool", 1)]
    channels = [grpc.insecure_channel(f"127.0.0.1:{port}", options=options) for _ in range(streams)]
    answers = [rpc.EmbeddingStreamServiceStub(channel).StreamEmbedding(pb.StreamEmbeddingRequest(chunk_size=chunk_rows)) for channel in channels]
    for answer in answers:
        next(answer)
    time.sleep(1)
    print(f"{len(answers)} streams stall", flush=True)
    time.sleep(3600)


def sink():
    import contract

    pb, rpc = contract.stubs()

    class Sink(rpc.EmbeddingStreamServiceServicer):
        def IngestDataStream(self, request_iterator, context):  # noqa: N802: the contract's name
            rows = chunks = 0
            for request in request_iterator:
                kind = request.WhichOneof("chunk_data")
                if kind:
                    rows += len(getattr(request, kind).rows)
                    chunks += 1
            return pb.IngestDataResponse(status="success", message="OK", total_rows_received=rows, total_chunks_received=chunks)

    listen_forever(rpc, Sink())


def listen_forever(rpc, servicer):
    import grpc

    server = grpc.server(concurrent.futures.ThreadPoolExecutor(max_workers=10), options=OPTIONS)
    rpc.add_EmbeddingStreamServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(f"listening on 127.0.0.1:{port}", flush=True)
    server.wait_for_termination()


def flight_sink():
    import pyarrow.flight as flight

    class Sink(flight.FlightServerBase):
        def do_put(self, context, descriptor, reader, writer):
            rows = 0
            while True:
                try:
                    rows += reader.read_chunk().data.num_rows
                except StopIteration:
                    break
            writer.write(str(rows).encode())

    server = Sink("grpc://127.0.0.1:0")
    print(f"listening on 127.0.0.1:{server.port}", flush=True)
    server.serve()


def flight_push(path, port):
    """DoPut of the batches as the Arrow file has them, mapped; answered by the server's count."""
    import pyarrow as pa
    import pyarrow.flight as flight

    reader = pa.ipc.open_file(pa.memory_map(path))
    batches = [reader.get_batch(i) for i in range(reader.num_record_batches)]
    client = flight.connect(f"grpc://127.0.0.1:{port}")
    begin = time.perf_counter()
    writer, answers = client.do_put(flight.FlightDescriptor.for_path("recruit"), reader.schema)
    for batch in batches:
        writer.write_batch(batch)
    writer.done_writing()
    rows = int(answers.read().to_pybytes())
    seconds = time.perf_counter() - begin
    writer.close()
    return rows, seconds


def tcp_sink():
    listener = socket.create_server(("127.0.0.1", 0))
    print(f"listening on 127.0.0.1:{listener.getsockname()[1]}", flush=True)
    buffer = bytearray(1 << 20)
    while True:
        connection, _ = listener.accept()
        with connection:
            total = 0
            while count := connection.recv_into(buffer):
                total += count
            connection.sendall(total.to_bytes(8, "little"))


def tcp_push(path, port):
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        with memoryview(content) as view, socket.create_connection(("127.0.0.1", int(port))) as connection:
            begin = time.perf_counter()
            connection.sendall(view)
            connection.shutdown(socket.SHUT_WR)
            taken = int.from_bytes(connection.recv(8), "little")
            return taken, time.perf_counter() - begin


SERVERS = {"sink": sink, "flight-sink": flight_sink, "tcp-sink": tcp_sink}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=[*SERVERS, "load", "convert", "serve", "stall", "push", "pull", "flight-push", "tcp-push"])
    parser.add_argument("args", nargs="*")
    parser.add_argument("--chunk", type=int, default=1000)
    parser.add_argument("--streams", type=int, default=64)
    parser.add_argument("--domain", default="recruit")
    args = parser.parse_args()
    if args.what in SERVERS:
        return SERVERS[args.what]()
    if args.what == "serve":
        return serve(*args.args)
    if args.what == "stall":
        return stall(*args.args, args.chunk, args.streams)
    begin, seconds, more = time.perf_counter(), None, {}
    if args.what == "load":
        rows = len(load(*args.args))
    elif args.what == "convert":
        rows = convert(*args.args, args.domain)
    elif args.what == "push":
        rows, seconds = push(*args.args, args.chunk)
    elif args.what == "pull":
        rows, seconds, more = pull(*args.args, args.chunk)
    else:
        rows, seconds = {"flight-push": flight_push, "tcp-push": tcp_push}[args.what](*args.args)
    seconds = seconds or time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    print(json.dumps({"what": args.what, "rows": rows, "seconds": round(seconds, 4), "peak_mib": peak, **more}))
    return None


if __name__ == "__main__":
    main()
