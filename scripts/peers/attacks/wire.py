"""HTTP/2 written frame by frame over a plain socket: what no library would send, and what the server says to it."""

import select
import socket
import struct
import time

import hpack
from hyperframe.frame import ContinuationFrame, DataFrame, HeadersFrame, PingFrame, SettingsFrame, WindowUpdateFrame

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
# Attackers come from an address of their own: what the server does to theirs, it does not do to honest ones.
ATTACKER = "127.0.0.66"
ERRORS = ["NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED", "FRAME_SIZE_ERROR",
          "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM"]  # fmt: skip
CODES = ["OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED",
         "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS",
         "UNAUTHENTICATED"]  # fmt: skip
PULL_RPC = "/embedding.EmbeddingStreamService/StreamEmbedding"
INGEST_RPC = "/embedding.EmbeddingStreamService/IngestDataStream"
HEALTH_RPC = "/grpc.health.v1.Health/Check"
FRAME_BYTES = 16_384


def name_of(number, names):
    return names[number] if number < len(names) else str(number)


def fields_of(path, *more):
    """The header list of a gRPC call."""
    usual = [(":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "attacked"), ("te", "trailers")]
    return [*usual, ("content-type", "application/grpc"), *more]


def message(body, compressed=False):
    """A gRPC message with its prefix."""
    return struct.pack(">BI", int(compressed), len(body)) + body


def connect(port, source=ATTACKER, seconds=10):
    """A TCP connection that says nothing."""
    return socket.create_connection(("127.0.0.1", port), timeout=seconds, source_address=(source, 0))


def is_closed(sock):
    """Whether the other side has closed a silent connection; what it says is read and forgotten."""
    try:
        while True:
            ready, _, _ = select.select([sock], [], [], 0)
            if not ready:
                return False
            if not sock.recv(1 << 16):
                return True
    except (OSError, ValueError):
        return True


class Stream:
    """What was received on one stream."""

    def __init__(self):
        self.window, self.data, self.body = 0, 0, bytearray()
        self.headers, self.reset, self.ended = {}, None, False

    def code(self):
        """The gRPC status by name; None as long as there is none."""
        status = self.headers.get("grpc-status")
        return None if status is None else name_of(int(status), CODES)

    def is_over(self):
        return self.ended or self.reset is not None

    def told(self):
        """How it ended, in one word or two."""
        if self.code():
            return self.code()
        if self.reset is not None:
            return f"RST_STREAM {name_of(self.reset, ERRORS)}"
        if self.headers.get(":status", "200") != "200":
            return f"HTTP {self.headers[':status']}"
        return "ended without a status" if self.ended else "still answering" if self.headers else "no answer"


class Wire:
    """One connection. `window` is what the server may send on a stream; with `grants` it may send without end on the connection,
    and gets back what it has sent on a stream."""

    def __init__(self, port, window=65_535, grants=True, source=ATTACKER, seconds=10):
        self.sock = connect(port, source, seconds)
        self.grants, self.keeps_bodies = grants, True
        self.encoder, self.decoder = hpack.Encoder(), hpack.Decoder()
        self.streams, self.next_stream, self.pending = {}, 1, bytearray()
        self.window, self.settings = 65_535, {}
        self.block, self.goaway, self.closed = None, None, None
        # What is answered to the server, and whether a frame is half written, into which no answer may go.
        self.answers, self.is_midway = bytearray(), False
        self.sock.setblocking(False)
        first = SettingsFrame(0, settings={SettingsFrame.INITIAL_WINDOW_SIZE: window, SettingsFrame.ENABLE_PUSH: 0})
        wide = WindowUpdateFrame(0, window_increment=(1 << 31) - 1 - 65_535)
        self.send(PREFACE + first.serialize() + (wide.serialize() if grants else b""))

    # Sending.

    def send(self, data, seconds=10):
        """Writes all of it, reading meanwhile; False if the connection was closed or the server takes nothing."""
        view, end = self.with_answers(data), time.monotonic() + seconds
        self.is_midway = True
        while view and self.closed is None:
            readable, writable, _ = select.select([self.sock], [self.sock], [], max(0, end - time.monotonic()))
            if readable:
                self.receive()
            if writable and self.closed is None:
                view = view[self.write(view) :]
            if time.monotonic() > end:
                return False
        self.is_midway = False
        return self.closed is None

    def with_answers(self, data):
        """What is to be written, behind the answers that wait."""
        whole = bytes(self.answers) + data
        self.answers.clear()
        return memoryview(whole)

    def write(self, view):
        try:
            return self.sock.send(view[: 1 << 18])
        except BlockingIOError:
            return 0
        except OSError as error:
            self.end(error)
            return 0

    def pour(self, batch, seconds, reads=True, most=None):
        """Writes the same bytes again and again; how many times the whole of them went out. Ends when the server does."""
        end, count, view = time.monotonic() + seconds, 0, None
        while time.monotonic() < end and self.closed is None and (most is None or count < most):
            view = view or self.with_answers(batch)
            wanted = [self.sock] if reads else []
            readable, writable, _ = select.select(wanted, [self.sock], [], 0.1)
            if readable:
                self.receive()
            if writable and self.closed is None:
                self.is_midway = True
                view = view[self.write(view) :]
                count, self.is_midway = count + (not view), bool(view)
        return count

    def call(self, path, *more, ends=False):
        """Opens a stream, and gives its number."""
        stream = self.number()
        flags = ["END_HEADERS", *(["END_STREAM"] if ends else [])]
        self.send(HeadersFrame(stream, self.encoder.encode(fields_of(path, *more)), flags=flags).serialize())
        return stream

    def number(self):
        stream, self.next_stream = self.next_stream, self.next_stream + 2
        self.streams[stream] = Stream()
        self.streams[stream].window = self.settings.get(SettingsFrame.INITIAL_WINDOW_SIZE, 65_535)
        return stream

    def data(self, stream, data, ends=False, seconds=20):
        """Writes as much as the server's windows permit; what was written, which is less than all of it if the stream is over."""
        state, written, limit = self.streams[stream], 0, time.monotonic() + seconds
        # The windows that the server gives stand in its first frames.
        while not self.settings and self.closed is None and time.monotonic() < limit:
            self.pump(0.05)
        while written < len(data) and self.closed is None and not state.is_over() and time.monotonic() < limit:
            room = min(FRAME_BYTES, state.window, self.window, len(data) - written)
            if room <= 0:
                self.pump(0.05)
                continue
            last = written + room == len(data)
            frame = DataFrame(stream, bytes(data[written : written + room]), flags=["END_STREAM"] if ends and last else [])
            state.window, self.window, written = state.window - room, self.window - room, written + room
            self.send(frame.serialize())
        return written

    def ask(self, path, body, *more, compressed=False, seconds=20):
        """A whole call with one message; gives its stream when it is over or the time is."""
        stream = self.call(path, *more)
        self.data(stream, message(body, compressed), ends=True, seconds=seconds)
        return self.finished(stream, seconds)

    def widen(self, stream, count):
        """Lets the server send so much more on a stream, and on the connection."""
        self.send(b"".join(WindowUpdateFrame(number, window_increment=count).serialize() for number in (0, stream)))

    # Receiving.

    def finished(self, stream, seconds=20):
        """Waits until a stream is over."""
        self.until(self.streams[stream].is_over, seconds)
        return self.streams[stream]

    def until(self, is_so, seconds):
        """Reads until something is so, or the connection is closed, or the time is over; says whether it is."""
        end = time.monotonic() + seconds
        while not is_so() and self.closed is None and time.monotonic() < end:
            self.pump(0.05)
        return is_so()

    def pump(self, seconds):
        readable, _, _ = select.select([self.sock], [], [], seconds) if self.closed is None else ([], [], [])
        if readable:
            self.receive()

    def receive(self):
        try:
            data = self.sock.recv(1 << 18)
        except BlockingIOError:
            return
        except OSError as error:
            return self.end(error)
        if not data:
            return self.end(None)
        self.pending += data
        at = 0
        while len(self.pending) - at >= 9:
            length = int.from_bytes(self.pending[at : at + 3], "big")
            if len(self.pending) - at < 9 + length:
                break
            kind, flags = self.pending[at + 3], self.pending[at + 4]
            stream = int.from_bytes(self.pending[at + 5 : at + 9], "big") & 0x7FFF_FFFF
            self.take(kind, flags, stream, bytes(self.pending[at + 9 : at + 9 + length]))
            at += 9 + length
        del self.pending[:at]
        return None

    def take(self, kind, flags, stream, body):
        state = self.streams.get(stream)
        if kind == 0x0 and state:
            self.take_data(state, stream, body, flags)
        elif kind in (0x1, 0x9):
            self.take_headers(kind, flags, stream, body)
        elif kind == 0x3 and state and state.reset is None:
            # Frames that cross it on their way are answered by others.
            state.reset = int.from_bytes(body, "big")
        elif kind == 0x4 and not flags & 1:
            self.take_settings(body)
        elif kind == 0x6:
            if not flags & 1:
                self.queue(PingFrame(0, body, flags=["ACK"]))
        elif kind == 0x7:
            self.goaway = int.from_bytes(body[4:8], "big")
        elif kind == 0x8:
            more = int.from_bytes(body, "big")
            if stream == 0:
                self.window += more
            elif state:
                state.window += more

    def take_data(self, state, stream, body, flags):
        state.data += len(body)
        if self.keeps_bodies:
            state.body += body
        state.ended |= bool(flags & 1)
        if self.grants and body and not state.ended:
            self.queue(WindowUpdateFrame(stream, window_increment=len(body)))

    def take_headers(self, kind, flags, stream, body):
        # Neither padding nor priority: no server sends them.
        self.block = body if kind == 0x1 else (self.block or b"") + body
        ended = bool(flags & 1) if kind == 0x1 else False
        if flags & 4:
            fields = self.decoder.decode(self.block, raw=True)
            if state := self.streams.get(stream):
                state.headers.update({bytes(k).decode(): bytes(v).decode("latin-1") for k, v in fields})
        if (state := self.streams.get(stream)) is not None:
            state.ended |= ended

    def take_settings(self, body):
        before = self.settings.get(SettingsFrame.INITIAL_WINDOW_SIZE, 65_535)
        for at in range(0, len(body) - 5, 6):
            self.settings[int.from_bytes(body[at : at + 2], "big")] = int.from_bytes(body[at + 2 : at + 6], "big")
        for state in self.streams.values():
            state.window += self.settings.get(SettingsFrame.INITIAL_WINDOW_SIZE, 65_535) - before
        self.queue(SettingsFrame(0, flags=["ACK"]))

    def queue(self, frame):
        """Answers the server, now or before what is sent next."""
        self.answers += frame.serialize()
        if not self.is_midway:
            del self.answers[: self.write(bytes(self.answers))]

    def end(self, error):
        self.closed = "closed" if error is None else "reset" if isinstance(error, ConnectionError) else str(error)

    def told(self):
        """What became of the connection, in a few words."""
        said = [] if self.goaway is None else [f"GOAWAY {name_of(self.goaway, ERRORS)}"]
        return ", ".join([*said, *([self.closed] if self.closed else [])]) or "still open"

    def close(self):
        try:
            self.sock.close()
        except OSError:
            pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def headers_frame(stream, block, *flags):
    return HeadersFrame(stream, block, flags=list(flags)).serialize()


def continuation_frame(stream, block, *flags):
    return ContinuationFrame(stream, block, flags=list(flags)).serialize()
