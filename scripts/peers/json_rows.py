"""The dialect json-v1 as its peers share it: what rows must look like there, and a Python server that knows nothing else.

Not run by itself. Needs what contract.py needs.
"""

import concurrent.futures
import contextlib
import json

import contract
import grpc
import numpy as np

# What the published server calls the domain.
NAMES = {"recruit": "recruit", "candidate": "candidate", "skill_embedding_dic": "skill_dic"}
# Its keys in their order, and the field of contract.py that has the value; None: the samples have none.
KEYS = {
    "recruit": [
        ("id", "id"),
        ("position", None),
        ("company_name", "company_name"),
        ("experience_years", "exp_years"),
        ("primary_keyword", "primary_keyword"),
        ("english_level", "english_level"),
        ("published_at", None),
        ("skills", None),
        ("long_description", None),
        ("description_lang", None),
        ("skills_vector", "vector"),
    ],
    "candidate": [
        ("candidate_id", "candidate_id"),
        ("position_category", "position_category"),
        ("experience_years", "experience_years"),
        ("original_resume", "original_resume"),
        ("resume_lang", None),
        ("moreinfo", None),
        ("looking_for", None),
        ("skills", "skills"),
        ("skills_vector", "vector"),
    ],
    "skill_embedding_dic": [
        ("skill", "skill"),
        ("position_category", "position_category"),
        ("skill_vector", "vector"),
    ],
}


def rows_of(path, domain):
    """Every row of a source file as the object that a server should be sent, vectors as bytes."""
    rows = contract.source_rows(path, domain, missing=None)
    if domain == "candidate":
        # The published client's own rule.
        rows = [{**row, "position_category": row["position_category"] or "Unknown"} for row in rows]
    return [{key: row[field] if field else None for key, field in KEYS[domain]} for row in rows]


def floats_of(row, read):
    """A received object with its vector made bytes by `read`."""
    return {key: read(value) if key.endswith("_vector") else value for key, value in row.items()}


def from_numbers(vector):
    """By way of doubles, which is how most readers of JSON take numbers."""
    return np.array(vector, dtype=np.float64).astype("<f4").tobytes()


class Recorder:
    """The published server's checks: metadata once and first, chunks that are arrays of objects."""

    def __init__(self):
        self.runs = []

    def take(self, requests, context):
        pb, _ = contract.stubs("embedding_stream_json")
        metadata, rows, chunks, largest = None, [], 0, 0
        for request in requests:
            largest = max(largest, request.ByteSize())
            if request.HasField("metadata") == (metadata is not None):
                context.abort(grpc.StatusCode.INTERNAL, "metadata comes once, and first")
            if request.HasField("metadata"):
                metadata = request.metadata
                if metadata.domain not in NAMES.values():
                    context.abort(grpc.StatusCode.INTERNAL, f"unknown domain {metadata.domain!r}")
                continue
            chunks += 1
            rows += json.loads(request.data_chunk.decode())
        self.runs.append((metadata, rows, chunks, largest))
        return pb.IngestDataResponse(success=True, received_chunks=chunks, message="OK")


@contextlib.contextmanager
def recorder():
    """A Python server on a free port that knows json-v1 only and has the limits of a stock one, and what it records."""
    _, rpc = contract.stubs("embedding_stream_json")
    record = Recorder()

    class Servicer(rpc.EmbeddingStreamServiceServicer):
        def IngestDataStream(self, request_iterator, context):  # noqa: N802: the contract's name
            return record.take(request_iterator, context)

    server = grpc.server(concurrent.futures.ThreadPoolExecutor(4))
    rpc.add_EmbeddingStreamServiceServicer_to_server(Servicer(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield record, port
    finally:
        server.stop(None)


def compare(report, expected, received, domain):
    """Order of rows and of keys, and every value."""
    keys = [key for key, _ in KEYS[domain]]
    report.check(f"keys of {domain} in the published order", all(list(row) == keys for row in received))
    in_order = [row[keys[0]] for row in expected] == [row[keys[0]] for row in received]
    report.check(f"{domain} arrives in file order", in_order)
    report.check(f"every received value of {domain}", contract.differences(expected, received, keys[0]))


def out_of_brine(report, brine, data, folder):
    """Without being told which dialect it is, brine finds the one that the server knows."""
    with recorder() as (record, port):
        for domain in contract.DOMAINS:
            contract.run([brine, "convert", data / f"{domain}.pkl", "-o", folder])
            expected = rows_of(data / f"{domain}.pkl", domain)
            address = f"http://127.0.0.1:{port}"
            answer = json.loads(contract.run([brine, "stream", folder / domain, "--to", address, "--json"]))
            metadata, rows, chunks, largest = record.runs[-1]
            said = (answer["dialect"], answer["rows"], answer["chunks"], chunks)
            wanted = ("json-v1", len(expected), -(-len(expected) // 100), -(-len(expected) // 100))
            report.check(f"brine streams {domain} as JSON: {said}", [] if said == wanted else [f"expected {wanted}"])
            report.check(f"largest message of {domain}: {largest} bytes", largest == answer["largest_message_bytes"])
            said = (metadata.domain, metadata.vector_dimension)
            report.check(f"metadata of {domain}: {said}", said == (NAMES[domain], contract.DIMENSIONS[domain]))
            compare(report, expected, [floats_of(row, from_numbers) for row in rows], domain)
