"""More streams, connections, calls and files than there are."""

import base64
import time

from attacks.lab import SERVE, health
from attacks.wire import HEALTH_RPC, PULL_RPC, is_closed, message

STREAMS = 32
CONNECTIONS = 256
CALLS = 8
FILES = 64


def pull(wire):
    """A call whose answer stalls at once, because the wire grants nothing."""
    stream = wire.call(PULL_RPC)
    wire.data(stream, message(b"\x10\xe8\x07"), ends=True)
    return stream


def streams(row, lab):
    """One call more on a connection than is permitted."""
    # Half of what 64 readers that do not read may take.
    with lab.site(row, SERVE, memory=160) as site:
        if not site:
            return
        wire = site.wire(window=1_000, grants=False)
        living = [pull(wire) for _ in range(STREAMS)]
        wire.until(lambda: all(wire.streams[stream].headers for stream in living), 10)
        announced = wire.settings.get(3)
        row.must(announced is not None and announced <= STREAMS, f"{announced} concurrent streams are announced")
        last = wire.call(PULL_RPC)
        # Not by `data`, which would wait for windows: the frame alone is what is asked about.
        wire.send(b"\0\0\x08\0\x01" + last.to_bytes(4, "big") + message(b"\x10\xe8\x07"))
        state = wire.finished(last, 2)
        row.answered(f"{announced} announced, the next: {state.told()}")
        right = ("RST_STREAM REFUSED_STREAM", "no answer", "RESOURCE_EXHAUSTED")
        row.must(state.told() in right and not state.data, f"stream {STREAMS + 1}: {state.told()}")
        before = {stream: wire.streams[stream].data for stream in living}
        for stream in living:
            wire.widen(stream, 50_000)
        alive = wire.until(lambda: all(wire.streams[stream].data > before[stream] for stream in living), 20)
        row.answered(f"{STREAMS} live" if alive else "the others stopped")
        row.must(alive, f"the others do not go on: {wire.told()}, {sum(wire.streams[s].data > before[s] for s in living)} did")


def connections(row, lab):
    """One connection more than is permitted; each makes a call, so that none is silent."""
    with lab.site(row, SERVE, needs=("--connections-max",)) as site:
        if not site:
            return
        living, refused = [], 0
        for number in range(CONNECTIONS + 20):
            try:
                wire = site.wire(source=f"127.0.0.{67 + number % 8}")
            except OSError:
                refused += 1
                continue
            if wire.ask(HEALTH_RPC, b"", seconds=5).code() == "OK":
                living.append(wire)
            else:
                refused += 1
        row.answered(f"{len(living)} served besides the honest one, {refused} refused")
        row.must(len(living) < CONNECTIONS and refused, f"{len(living)} connections and another are served, {CONNECTIONS} are permitted")
        row.must(len(living) >= CONNECTIONS - 16, f"only {len(living)} connections were served")
        for wire in living[:8]:
            wire.close()
        time.sleep(0.3)
        status = health(site.port, seconds=10)
        row.answered(f"after some left, a newcomer: {status}")
        row.must(status == "SERVING", f"after some left, a newcomer was told {status}")


def overload(row, lab):
    """Four times as many calls as are permitted."""
    # The honest client is one of those who are turned away, so its times say nothing.
    own = {"refusals": ("RESOURCE_EXHAUSTED",), "compared": False}
    with lab.site(row, SERVE, ["--max-calls", CALLS], needs=("--max-calls",), **own) as site:
        if not site:
            return
        wires = [site.wire(window=1_000, grants=False) for _ in range(4)]
        for wire in wires:
            for _ in range(CALLS):
                pull(wire)
        for wire in wires:
            wire.until(lambda wire=wire: all(state.headers for state in wire.streams.values()), 3)
        states = [state for wire in wires for state in wire.streams.values()]
        taken, shed = [s for s in states if s.code() is None], [s for s in states if s.code() == "RESOURCE_EXHAUSTED"]
        waits = sum(b"google.rpc.RetryInfo" in details(state) for state in shed)
        status = health(site.port, seconds=5)
        row.answered(f"{len(taken)} taken, {len(shed)} RESOURCE_EXHAUSTED, {waits} of them with RetryInfo, health {status}")
        row.must(len(taken) <= CALLS and len(taken) + len(shed) == len(states), f"{len(taken)} taken, {len(shed)} refused of {len(states)}")
        row.must(waits == len(shed) > 0, f"{waits} of {len(shed)} refusals say when to try again")
        row.must(status == "SERVING", f"health during overload: {status}")


def details(state):
    text = state.headers.get("grpc-status-details-bin", "")
    return base64.b64decode(text + "=" * (-len(text) % 4))


def files(row, lab):
    """A server that may open 64 files, and 200 connections."""
    with lab.site(row, SERVE, files=FILES) as site:
        if not site:
            return
        sockets, wires = [], []
        for _ in range(100):
            try:
                sockets.append(site.socket(seconds=1))
                wires.append(site.wire(source="127.0.0.67", seconds=1))
            except OSError:
                # The kernel's queue for the server is full.
                break
        time.sleep(lab.long(3, 1))
        row.must(site.process.poll() is None, "the server ended")
        closed = sum(map(is_closed, sockets))
        row.answered(f"{len(sockets) + len(wires)} connected, {closed} of {len(sockets)} silent ones closed")
        site.leave()
        begin = time.monotonic()
        status = health(site.port, seconds=15)
        row.answered(f"when they had gone: {status} in {time.monotonic() - begin:.1f} s")
        row.must(status == "SERVING", f"when all had gone, a newcomer was told {status}")
        # The honest reader's own lines are INFO.
        lines = sum(level in line for line in site.said().splitlines() for level in ("] ERROR ", "] WARN "))
        row.must(lines <= 100, f"{lines} lines of log")
