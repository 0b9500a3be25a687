"""F20, F21: servers that know no sessions, which fail on the way, and clients that know none."""

import concurrent.futures
import contextlib
import io
import json
import pathlib

import contract
import grpc
import interop
import json_rows

FOUR_MIB = 4 << 20
ATTEMPTS = 3


class Table:
    """What an old server does with rows: it keeps the last of each key, chunk by chunk, and fails where it is told to."""

    def __init__(self, fails_at, code, times):
        self.fails_at, self.code, self.times = fails_at, code, times
        self.rows, self.attempts, self.largest, self.repeated = {}, 0, 0, 0

    def begin(self):
        self.attempts += 1

    def chunk(self, number, rows, key, size, context):
        self.largest = max(self.largest, size)
        if number == self.fails_at and self.attempts <= self.times:
            context.abort(self.code, "made to fail")
        self.repeated += len(rows) - len({row[key] for row in rows})
        self.rows.update((row[key], row) for row in rows)


def typed(table):
    pb, rpc = contract.stubs()

    class Servicer(rpc.EmbeddingStreamServiceServicer):
        def IngestDataStream(self, requests, context):  # noqa: N802: the contract's name
            table.begin()
            rows = chunks = 0
            for request in requests:
                if request.WhichOneof("chunk_data"):
                    batch = [contract.row_of_message(row, "recruit") for row in request.recruit_chunk.rows]
                    table.chunk(chunks, batch, "id", request.ByteSize(), context)
                    rows, chunks = rows + len(batch), chunks + 1
            return pb.IngestDataResponse(status="success", message="OK", total_rows_received=rows, total_chunks_received=chunks)

    return lambda server: rpc.add_EmbeddingStreamServiceServicer_to_server(Servicer(), server)


def as_json(table):
    pb, rpc = contract.stubs("embedding_stream_json")

    class Servicer(rpc.EmbeddingStreamServiceServicer):
        def IngestDataStream(self, requests, context):  # noqa: N802
            table.begin()
            chunks = 0
            for request in requests:
                if request.HasField("metadata"):
                    continue
                batch = [json_rows.floats_of(row, json_rows.from_numbers) for row in json.loads(request.data_chunk)]
                table.chunk(chunks, batch, "id", request.ByteSize(), context)
                chunks += 1
            return pb.IngestDataResponse(success=True, received_chunks=chunks, message="OK")

    return lambda server: rpc.add_EmbeddingStreamServiceServicer_to_server(Servicer(), server)


@contextlib.contextmanager
def serving(register):
    """A server with the library's limits, which are an old server's: 4 MiB a message."""
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(4))
    register(server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield port
    finally:
        server.stop(None)


def cases():
    """Dialect, chunk at which it fails, code, how often. One that never fails, and one that never stops failing."""
    codes = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INTERNAL)
    for dialect in ("typed-v1", "json-v1"):
        yield dialect, None, None, 0
        for chunk in (0, 1, 4, 7):
            for code in codes:
                yield dialect, chunk, code, 1
        yield dialect, 2, codes[0], 2
        yield dialect, 3, codes[0], 99


def servers(row, lab):
    """F20: whole streams are repeated, three times at most; what the server holds at the end is one delivery."""
    expected = {"typed-v1": contract.source_rows(lab.small.path.with_suffix(".pkl"), "recruit")}
    expected["json-v1"] = json_rows.rows_of(lab.small.path.with_suffix(".pkl"), "recruit")
    # They wait for seconds between their attempts: four at a time.
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        done = [pool.submit(against, lab, case) for case in cases()]
    for case, future in zip(cases(), done):
        with row.run(name_of(case)):
            judge(row, case, expected[case[0]], *future.result())


def name_of(case):
    dialect, chunk, code, times = case
    return dialect if chunk is None else f"{dialect}, {code.name} at chunk {chunk}, {times} times"


def against(lab, case):
    import subprocess

    dialect, chunk, code, times = case
    table = Table(chunk, code, times)
    with serving((typed if dialect == "typed-v1" else as_json)(table)) as port:
        command = [lab.brine, "stream", lab.small.path, "--to", f"http://127.0.0.1:{port}", "--chunk-rows", "100", "--json"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    return table, done


def judge(row, case, expected, table, done):
    dialect, _, _, times = case
    what = name_of(case)
    row.count("attempts", table.attempts)
    row.check(what, table.largest <= FOUR_MIB, f"a message of {table.largest} bytes")
    row.check(what, table.repeated == 0, f"{table.repeated} rows had a key that their chunk had before")
    if times >= ATTEMPTS:
        row.check(what, done.returncode == 5, f"the client ended with {done.returncode}: {done.stderr[-300:]}")
        row.check(what, table.attempts == ATTEMPTS, f"{table.attempts} attempts")
        return
    row.check(what, done.returncode == 0, f"the client ended with {done.returncode}: {done.stderr[-300:]}")
    report = json.loads(done.stdout or "{}")
    said = (report.get("dialect"), report.get("guarantee"), report.get("attempts"))
    row.check(what, said == (dialect, "at-least-once", times + 1), f"was told {said}")
    problems = contract.differences(expected, list(table.rows.values()), "id")
    row.lost += sum(problem.endswith("missing") for problem in problems)
    row.check(what, not problems, "; ".join(problems[:3]))


def clients(row, lab):
    """F21: the published Python client pushes every domain into the new server, twice, and is refused as before."""
    folder = pathlib.Path(lab.place())
    data = contract.ROOT / "data"
    for number in range(2):
        with row.run(f"round {number}"), contextlib.redirect_stdout(io.StringIO()) as said:
            report = contract.Report("old client")
            sources = {domain: contract.source_rows(data / f"{domain}.pkl", domain) for domain in contract.DOMAINS}
            interop.into_brine(report, lab.brine, sources, folder / str(number))
            row.count("checks", report.passed)
            failures = [line for line in said.getvalue().splitlines() if "FAIL" in line]
            row.check(f"round {number}", not report.failed and report.passed, "; ".join(failures[:3]))
