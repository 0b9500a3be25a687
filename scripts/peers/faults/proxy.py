"""A TCP proxy that is a bad line: slow, late, cut short, reset, silent, or changing bytes. Threads and blocking sockets."""

import contextlib
import queue
import random
import socket
import struct
import threading
import time

PIECE = 16 << 10


class Line:
    """One connection through the proxy."""

    def __init__(self, proxy, client, server):
        self.proxy, self.ends = proxy, (client, server)
        for end in self.ends:
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for direction, (source, target) in enumerate((self.ends, self.ends[::-1])):
            threading.Thread(target=self.pump, args=(direction, source, target), daemon=True).start()

    def pump(self, direction, source, target):
        out = Late(target, self.proxy.delay, self.proxy.jitter) if self.proxy.delay else Prompt(target)
        with contextlib.suppress(OSError):
            while data := source.recv(PIECE):
                data = self.proxy.handle(self, direction, data)
                if data is None:
                    return
                out.send(data)
            out.end()

    def reset(self):
        """Both ends hear of it at once, and what is on its way is gone."""
        for end in self.ends:
            with contextlib.suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                end.shutdown(socket.SHUT_RD)
            with contextlib.suppress(OSError):
                end.close()


class Prompt:
    """Sends at once."""

    def __init__(self, target):
        self.target, self.send = target, target.sendall

    def end(self):
        self.target.shutdown(socket.SHUT_WR)


class Late:
    """Sends each piece so many seconds after it came, in their order; others go on meanwhile, as on a long line."""

    def __init__(self, target, delay, jitter):
        self.target, self.delay, self.jitter = target, delay, jitter
        self.waiting = queue.SimpleQueue()
        threading.Thread(target=self.run, daemon=True).start()

    def send(self, data):
        self.waiting.put((time.monotonic() + self.delay + random.uniform(-self.jitter, self.jitter), data))

    def end(self):
        self.waiting.put((time.monotonic() + self.delay, None))

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                due, data = self.waiting.get()
                time.sleep(max(0.0, due - time.monotonic()))
                if data is None:
                    return self.target.shutdown(socket.SHUT_WR)
                self.target.sendall(data)


class Proxy:
    """Stands before `port`. Direction 0 is to the server, 1 is back."""

    def __init__(self, port):
        self.target = port
        self.lines, self.lock = [], threading.Lock()
        self.bytes = [0, 0]
        self.rate = None  # bytes a second to the server
        self.delay = self.jitter = 0.0  # seconds on the way, for connections that begin after these are set
        self.cut = None  # (direction, bytes): once, after so many of the first connection
        self.cuts = 0
        self.corrupt_every = None
        self.corrupted = 0
        self.hears = None  # called with direction and bytes
        self.is_open = threading.Event()
        self.is_open.set()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                try:
                    server = socket.create_connection(("127.0.0.1", self.target))
                except OSError:
                    client.close()
                    continue
                with self.lock:
                    self.lines.append(Line(self, client, server))

    def handle(self, line, direction, data):
        """What becomes of some bytes; None after a cut."""
        self.is_open.wait()
        if self.rate and direction == 0:
            time.sleep(len(data) / self.rate)
        if self.hears:
            self.hears(direction, data)
        before, self.bytes[direction] = self.bytes[direction], self.bytes[direction] + len(data)
        if self.cut and self.cut[0] == direction and self.bytes[direction] > self.cut[1]:
            return self.cut_line(line, direction, data[: self.cut[1] - before])
        if self.corrupt_every and direction == 0:
            return self.corrupt(before, data)
        return data

    def cut_line(self, line, direction, rest):
        self.cut, self.cuts = None, self.cuts + 1
        with contextlib.suppress(OSError):
            line.ends[1 - direction].sendall(rest)
            # What was sent must get there: a reset would take it back.
            time.sleep(0.02)
        for end in line.ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
                end.close()

    def corrupt(self, before, data):
        place = before // self.corrupt_every * self.corrupt_every + self.corrupt_every // 2
        if before <= place < before + len(data):
            self.corrupted += 1
            at = place - before
            return data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :]
        return data

    def reset_all(self):
        with self.lock:
            lines, self.lines = self.lines, []
        for line in lines:
            line.reset()
        self.cuts += 1

    def close(self):
        self.listener.close()
        self.is_open.set()
        with self.lock:
            for line in self.lines:
                line.reset()

    def address(self):
        return f"http://127.0.0.1:{self.port}"


@contextlib.contextmanager
def before(port):
    proxy = Proxy(port)
    try:
        yield proxy
    finally:
        proxy.close()


def frames(data, skip=0):
    """Frames of HTTP/2 in recorded bytes: name, first byte, end."""
    names = {0: "DATA", 1: "HEADERS", 3: "RST_STREAM", 4: "SETTINGS", 6: "PING", 7: "GOAWAY", 8: "WINDOW_UPDATE"}
    at, found = skip, []
    while at + 9 <= len(data):
        length = int.from_bytes(data[at : at + 3], "big")
        name = names.get(data[at + 3], "other")
        if name == "HEADERS" and data[at + 4] & 1:
            name = "trailers"
        found.append((name, at, at + 9 + length))
        at += 9 + length
    return found
