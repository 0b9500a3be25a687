"""Messages and headers that are too large, or that become large when they are read."""

import zlib

import contract
from attacks.lab import INGEST, SERVE
from attacks.wire import HEALTH_RPC, INGEST_RPC, PULL_RPC, continuation_frame, fields_of, headers_frame, message

LIMIT = 4 << 20
MIB = 1 << 20
SMALL = 16
# What a request to `brine serve` may have.
REQUEST = 64 << 10
REFUSED = ("RESOURCE_EXHAUSTED", "OUT_OF_RANGE")
MALFORMED = ("INVALID_ARGUMENT", "INTERNAL", "RESOURCE_EXHAUSTED")


def varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def field(number, body):
    """A length-delimited field."""
    return varint(number << 3 | 2) + varint(len(body)) + body


def padded(body, size):
    """The message with an unknown field that makes it this long."""
    for width in range(1, 6):
        rest = size - len(body) - len(varint(999 << 3 | 2)) - width
        if len(varint(rest)) == width:
            return body + field(999, bytes(rest))
    raise ValueError(f"no padding makes {size} bytes")


def metadata():
    return contract.metadata_message("recruit", dimension=384).SerializeToString()


def one_row(dimension=384):
    """A chunk with one row in it."""
    pb, _ = contract.stubs()
    request = pb.IngestDataRequest()
    row = request.recruit_chunk.rows.add(id="00000001-0000-5000-8000-000000000000", company_name="c", exp_years=1, english_level="", primary_keyword="k")
    row.vector.extend([0.5] * dimension)
    return request.SerializeToString()


def ingest(wire, *chunks, more=(), compressed=False, seconds=30):
    """Metadata and chunks on a new stream; the stream when it is over."""
    stream = wire.call(INGEST_RPC, *more)
    wire.data(stream, message(metadata()))
    for number, chunk in enumerate(chunks):
        wire.data(stream, message(chunk, compressed), ends=number + 1 == len(chunks), seconds=seconds)
    return wire.finished(stream, seconds)


def message_limit(row, lab):
    """A message at the limit is taken, one of a byte more is not."""
    with lab.site(row, INGEST, ["--max-message", LIMIT]) as site:
        if not site:
            return
        for size, right in ((LIMIT, ("OK",)), (LIMIT + 1, REFUSED)):
            told = ingest(site.wire(), padded(one_row(), size)).told()
            row.answered(f"ingest, {size:,} bytes: {told}")
            row.must(told in right, f"a message of {size} bytes, {LIMIT} are permitted: {told}")


def request_limit(row, lab):
    """The same for who only asks: a request needs a few bytes."""
    with lab.site(row, SERVE) as site:
        if not site:
            return
        for size, right in ((REQUEST, ("OK",)), (REQUEST + 1, REFUSED), (64 * MIB, REFUSED)):
            wire = site.wire(window=1 << 24)
            wire.keeps_bodies = False
            told = wire.ask(PULL_RPC, padded(b"\x10\xac\x02", size), seconds=30).told()
            row.answered(f"{size:,} bytes: {told}")
            row.must(told in right, f"a request of {size} bytes, {REQUEST} are permitted: {told}")


def gzip_of_zeros(size):
    """A gzip member of about this size that becomes a thousand times as much, made without compressing that much."""
    made = zlib.compressobj(9, zlib.DEFLATED, 31)
    out = bytearray(made.compress(bytes(MIB)) + made.flush(zlib.Z_FULL_FLUSH))
    # After a full flush nothing refers to what came before, so the same bytes may come again.
    block = made.compress(bytes(MIB)) + made.flush(zlib.Z_FULL_FLUSH)
    return bytes(out + block * ((size - len(out)) // len(block)))


def zstd_of_zeros(size):
    """A frame of blocks that repeat one byte 128 KiB times: four bytes each."""
    head = b"\x28\xb5\x2f\xfd" + bytes([0b0000_0000, 7 << 3])
    block = (128 << 10 << 3 | 1 << 1).to_bytes(3, "little") + b"\0"
    return head + block * ((size - len(head)) // len(block))


def bomb(row, lab, encoding, made):
    """A compressed message within the limit that becomes much more, to both servers, eight at a time where it is stored."""
    with lab.site(row, INGEST, ["--max-message", LIMIT]) as site:
        if not site:
            return
        packed = made(LIMIT - 64)
        wire = site.wire()
        for _ in range(8):
            told = ingest(wire, packed, more=[("grpc-encoding", encoding)], compressed=True).told()
            row.answered(f"ingest: {told}")
            row.must(told == "RESOURCE_EXHAUSTED", f"{len(packed):,} bytes of {encoding} to ingest: {told}")
    with lab.site(row, SERVE) as site:
        if not site:
            return
        told = site.wire().ask(PULL_RPC, packed, ("grpc-encoding", encoding), compressed=True, seconds=30).told()
        row.answered(f"serve: {told}")
        # Who takes no compressed requests has to say so by UNIMPLEMENTED.
        row.must(told in (*REFUSED, "UNIMPLEMENTED"), f"{len(packed):,} bytes of {encoding} to serve: {told}")


def gzip_bomb(row, lab):
    bomb(row, lab, "gzip", gzip_of_zeros)


def zstd_bomb(row, lab):
    bomb(row, lab, "zstd", zstd_of_zeros)


def empty_rows(row, lab):
    """Two bytes a row on the wire, a hundred and more in memory."""
    chunk = field(2, b"\x0a\x00" * (2 * MIB - 8))
    with lab.site(row, INGEST, memory=SMALL) as site:
        if not site:
            return
        told = ingest(site.wire(), chunk).told()
        row.answered(f"one: {told}")
        row.must(told in ("INVALID_ARGUMENT", "RESOURCE_EXHAUSTED"), f"{len(chunk):,} bytes of empty rows: {told}")
    with lab.site(row, INGEST, refusals=("RESOURCE_EXHAUSTED",)) as site:
        if not site:
            return
        # All are sent before any is waited for.
        wires = [site.wire() for _ in range(12)]
        streams = [(wire, wire.call(INGEST_RPC)) for wire in wires]
        for wire, stream in streams:
            wire.data(stream, message(metadata()) + message(chunk), ends=True)
        said = {wire.finished(stream).told() for wire, stream in streams}
        row.answered(f"twelve at once: {', '.join(sorted(said))}")
        row.must(said <= {"INVALID_ARGUMENT", "RESOURCE_EXHAUSTED"}, f"twelve chunks of empty rows: {said}")


def nested_groups(row, lab):
    """Unknown groups within groups: whoever reads them by calling itself needs a frame of its stack for each."""
    depths = (99, 10_000, 1_000_000)
    # Field 1000, start of group; it is closed as often as it is opened.
    begin, end = varint(1000 << 3 | 3), varint(1000 << 3 | 4)
    for command in (SERVE, INGEST):
        with lab.site(row, command, memory=SMALL) as site:
            if not site:
                return
            for depth in depths:
                body = begin * depth + end * depth
                if command == SERVE:
                    told = site.wire(window=0).ask(PULL_RPC, body, seconds=2).told()
                else:
                    told = ingest(site.wire(), one_row() + body).told()
                row.answered(f"{command}, {depth:,} deep: {told}")
                right = (*MALFORMED, "OUT_OF_RANGE") if depth > 100 else (*MALFORMED, "OK", "still answering")
                row.must(told in right, f"{command}, groups {depth} deep: {told}")


def pieces(stream, block):
    """A header block in as many frames as it needs."""
    parts = [block[at : at + 16_384] for at in range(0, len(block), 16_384)]
    out = headers_frame(stream, parts[0], "END_STREAM", *(["END_HEADERS"] if len(parts) == 1 else []))
    for number, part in enumerate(parts[1:], 2):
        out += continuation_frame(stream, part, *(["END_HEADERS"] if number == len(parts) else []))
    return out


def header_list(row, lab):
    """More than 16 KiB of headers: plainly, as many small ones, and as references to one large one."""
    lists = {
        "one of 20 KiB": [("x-long", "v" * 20_000)],
        "2,000 small ones": [(f"x-{number}", "v") for number in range(2_000)],
        "10,000 references to one of 3 KiB": [("x-again", "v" * 3_000)] * 10_000,
    }
    with lab.site(row, SERVE, memory=SMALL) as site:
        if not site:
            return
        for name, more in lists.items():
            wire = site.wire()
            wire.until(lambda wire=wire: wire.settings, 5)
            stream = wire.number()
            # The empty message would be a right question of health.
            wire.send(pieces(stream, wire.encoder.encode(fields_of(HEALTH_RPC, *more), huffman=False)))
            state = wire.finished(stream, 10)
            told = state.told() if wire.goaway is None and not wire.closed or state.is_over() else wire.told()
            row.answered(f"{name}: {told}")
            row.must(told not in ("OK", "no answer", "still answering", "still open"), f"{name}: {told}")
