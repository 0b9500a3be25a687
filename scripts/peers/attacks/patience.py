"""Peers that say nothing, say it slowly, or do not listen."""

import time

from attacks import sizes
from attacks.lab import INGEST, SERVE, channel, health, private_mib
from attacks.wire import INGEST_RPC, PREFACE, PULL_RPC, is_closed, message

SOCKETS = 1_000
# A request for chunks of 1,000 rows: field 2.
SMALL = b"\x10\xe8\x07"
STALLED = 64
# What a server of 64 readers that do not read may hold, in MiB.
STALLED_MIB = 320


def seconds_until(is_so, seconds, pause=0.1):
    """How long it took; None if it did not come."""
    begin = time.monotonic()
    while time.monotonic() - begin < seconds:
        if is_so():
            return time.monotonic() - begin
        time.sleep(pause)
    return None


def closed_after(row, sockets, seconds, what):
    """All of them must be closed in that time."""
    took = seconds_until(lambda: all(is_closed(sock) for sock in sockets), seconds)
    left = sum(not is_closed(sock) for sock in sockets)
    row.answered(f"{what}: " + (f"{left} open after {seconds} s" if took is None else f"all closed within {took:.0f} s"))
    row.must(took is not None, f"{what}: {left} of {len(sockets)} connections are open after {seconds} s")


def opened(site, count, begin=b""):
    """Connections that say `begin` at most; those that the server refuses are closed already."""
    sockets = []
    for _ in range(count):
        try:
            sock = site.socket()
            sock.sendall(begin)
            sockets.append(sock)
        except OSError:
            pass
    return sockets


def newcomer(row, site, ca=None):
    """Who comes during the attack is served. The bound is generous: the machine may be busy."""
    begin = time.monotonic()
    status = health(site.port, ca, seconds=10)
    row.answered(f"a newcomer: {status} in {time.monotonic() - begin:.1f} s")
    row.must(status == "SERVING", f"a newcomer was told {status}")


def silent(row, lab):
    """Connections that never say a word."""
    with lab.site(row, SERVE) as site:
        if not site:
            return
        sockets = opened(site, lab.long(SOCKETS, SOCKETS // 4))
        newcomer(row, site)
        closed_after(row, sockets, 12, f"{len(sockets)} silent")


def no_request(row, lab):
    """A preface and then nothing, and half a preface."""
    with lab.site(row, SERVE) as site:
        if not site:
            return
        # Fewer than one peer may have, so that each is closed by its timer.
        wires = [site.wire() for _ in range(16)]
        halves = opened(site, 16, PREFACE[:12])
        newcomer(row, site)
        took = seconds_until(lambda: all(left(wire) for wire in wires) and all(map(is_closed, halves)), 25)
        told = sorted({wire.told() for wire in wires})
        row.answered(f"no call: {', '.join(told)}, {'never' if took is None else f'{took:.0f} s'}")
        idle, half = sum(not left(wire) for wire in wires), sum(not is_closed(sock) for sock in halves)
        row.must(took is not None, f"{idle} without a call, {half} with half a preface are open after 25 s")


def left(wire):
    """Whether the server has asked the connection to go, or closed it."""
    wire.pump(0)
    return wire.goaway is not None or wire.closed is not None


def tls_silent(row, lab):
    """Handshakes that are never finished: no word, or the beginning of one."""
    if reason := lab.no_tls():
        row.not_run = reason
        return
    ca = lab.certificates.path("ca")
    with lab.site(row, SERVE, lab.tls_flags("server"), needs=("--tls-cert", "--tls-key"), ca=ca) as site:
        if not site:
            return
        count = lab.long(SOCKETS, SOCKETS // 4) // 2
        # A record of 512 bytes is announced, and its first bytes are a ClientHello's.
        sockets = opened(site, count) + opened(site, count, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        newcomer(row, site, ca)
        closed_after(row, sockets, 20, f"{len(sockets)} that do not shake hands")


def slow_sender(row, lab):
    """A byte a second inside a message."""
    patience = lab.long(40, 25)
    with lab.site(row, INGEST) as site:
        if not site:
            return
        wire = site.wire()
        stream = wire.call(INGEST_RPC)
        state = wire.streams[stream]
        wire.data(stream, message(sizes.metadata()) + message(bytes(1 << 20))[:64])
        took = dribble([(wire, stream)], patience)
        row.answered(f"{state.told()}, {wire.told()}" + ("" if took is None else f" after {took:.0f} s"))
        row.must(took is not None, f"a sender of a byte a second still sends after {patience} s: {state.told()}")


def dribble(streams, seconds):
    """A byte a second on each stream; how long until the server has ended all of them."""
    begin = time.monotonic()
    while time.monotonic() - begin < seconds:
        living = [(wire, stream) for wire, stream in streams if wire.closed is None and not wire.streams[stream].is_over()]
        if not living:
            return time.monotonic() - begin
        for wire, stream in living:
            wire.data(stream, b"\0", seconds=1)
            wire.pump(0)
        time.sleep(1 if len(streams) == 1 else 0.5)
    return None


def slow_crowd(row, lab):
    """Every place for ingest is taken by a slow sender that has announced the largest message."""
    patience = lab.long(40, 25)
    with lab.site(row, INGEST, refusals=("RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED")) as site:
        if not site:
            return
        wire, streams = site.wire(), []
        largest = message(b"")[:1] + (16 << 20).to_bytes(4, "big")
        for _ in range(16):
            streams.append((wire, wire.call(INGEST_RPC)))
            wire.data(streams[-1][1], message(sizes.metadata()) + largest + bytes(64), seconds=2)
        took = dribble(streams, patience)
        told = sorted({wire.streams[stream].told() for _, stream in streams})
        row.answered(f"{', '.join(told)}" + ("" if took is None else f", all over after {took:.0f} s"))
        row.must(took is not None, f"slow senders hold all places for {patience} s: {told}")
        served = site.client.wait(1, 5, fails=False)
        row.must(served, "no honest sender is served beside them")


def keepalive(row, lab):
    """No attack: clients that ping without calls, as the published ones are set up. Other servers answer them with GOAWAY too_many_pings."""
    with lab.site(row, SERVE) as site:
        if not site:
            return
        # The usual form pings as often as the clients do; the short one ten times as often.
        each, idle = lab.long((10, 30), (1, 3)), lab.long(35, 3.5)
        for seconds in each:
            keeps = [("grpc.keepalive_time_ms", seconds * 1_000), ("grpc.keepalive_permit_without_calls", 1), ("grpc.http2.max_pings_without_data", 0)]
            with channel(site.port, options=keeps) as client:
                states = []
                client.subscribe(lambda state, states=states: states.append(state.name))
                pull = client.unary_stream(PULL_RPC, request_serializer=same, response_deserializer=same)
                before = sum(1 for _ in pull(SMALL, timeout=30))
                time.sleep(idle)
                after = sum(1 for _ in pull(SMALL, timeout=30))
            lost = [state for state in states[states.index("READY") :] if state != "READY"]
            row.answered(f"a ping each {seconds} s, {idle} s without a call: {'connected all the time' if not lost else ', '.join(lost)}")
            row.must(before == after > 0, f"a client that pings each {seconds} s got {before} chunks, then {after}")
            row.must(not lost, f"a client that pings each {seconds} s lost its connection: {states}")


def same(data):
    return data


def stalled(row, lab):
    """Readers that ask for the largest chunks and never read them."""
    with lab.site(row, SERVE, memory=STALLED_MIB) as site:
        if not site:
            return
        # A connection each, because the server sends to each as much as the protocol permits before it is answered.
        wires = [site.wire(grants=False) for _ in range(STALLED)]
        for wire in wires:
            wire.keeps_bodies = False
            wire.call(PULL_RPC)
            stream = max(wire.streams)
            # Field 2, the rows of a chunk: 1,000.
            wire.data(stream, message(b"\x10\xe8\x07"), ends=True)
        most, end = 0.0, time.monotonic() + lab.long(75, 5)
        while time.monotonic() < end:
            most = max(most, private_mib(site.process.pid))
            time.sleep(0.05)
        over = 0
        for wire in wires:
            wire.pump(0)
            over += wire.closed is not None or wire.goaway is not None or any(state.is_over() for state in wire.streams.values())
        row.answered(f"{most:.0f} MiB private at most, {over} of {STALLED} ended by the server")
        row.must(most <= STALLED_MIB, f"{most:.0f} MiB private, {STALLED_MIB} are allowed")
        row.must(lab.quick or over == STALLED, f"{STALLED - over} stalled calls live after 75 s")


def deadline(row, lab):
    """A call with a second's time, whose answer takes ten at the rate of its reader."""
    with lab.site(row, SERVE) as site:
        if not site:
            return
        wire = site.wire(grants=False)
        wire.keeps_bodies = False
        begin = time.monotonic()
        stream = wire.call(PULL_RPC, ("grpc-timeout", "1S"))
        state = wire.streams[stream]
        wire.data(stream, message(b"\x10\x64"), ends=True)
        while not state.is_over() and wire.closed is None and time.monotonic() - begin < 15:
            # Both windows, 32 KiB at a time: 1.6 MB a second.
            wire.widen(stream, 32 << 10)
            wire.pump(0)
            time.sleep(0.02)
        took = time.monotonic() - begin
        row.answered(f"{state.told()} after {took:.1f} s and {state.data / 1e6:.1f} MB")
        row.must(state.told() == "DEADLINE_EXCEEDED" and 0.9 <= took <= 5, f"with a deadline of 1 s: {state.told()} after {took:.1f} s")
