"""SIGTERM while readers and senders are busy."""

import threading
import time

import contract
import grpc
from attacks import tools
from attacks.lab import NOT_SERVING, SERVE, SERVING, channel, started
from attacks.table import Row
from faults import oracles, proxy
from faults.lab import Lab as FaultLab
from faults.processes import Failed
from grpc_health.v1 import health_pb2, health_pb2_grpc

READERS = 8
# Seconds that a slow reader takes for a chunk: it would need two minutes for all.
SLOW = 1.0
DRAIN = 4
EXIT = 30
# Bytes a second of the line of the sender, who has 19 MB.
RATE = 4_000_000
COMMAND = ("--chunk-rows", "100", "--mode", "committed")


class Reader:
    """One who pulls everything once, and remembers how far it came."""

    def __init__(self, port, pause):
        self.port, self.pause, self.ids, self.code = port, pause, [], None
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        pb, rpc = contract.stubs()
        with channel(self.port) as opened:
            try:
                for chunk in rpc.EmbeddingStreamServiceStub(opened).StreamEmbedding(self.request(pb), timeout=120):
                    self.ids += [row.id for row in chunk.rows]
                    time.sleep(self.pause)
                self.code = "OK"
            except grpc.RpcError as error:
                self.code = error.code().name

    def request(self, pb):
        return pb.StreamEmbeddingRequest(last_processed_uuid=self.ids[-1] if self.ids else "", chunk_size=100)

    def go_on(self, port):
        """Pulls what is missing, from the server that follows."""
        self.port, self.pause = port, 0
        self.run()


class HealthWatch:
    """What Watch tells, and when."""

    def __init__(self, port):
        self.told, self.port = [], port
        threading.Thread(target=self.run, daemon=True).start()
        end = time.monotonic() + 10
        while not self.told and time.monotonic() < end:
            time.sleep(0.02)

    def run(self):
        with channel(self.port) as opened:
            try:
                for answer in health_pb2_grpc.HealthStub(opened).Watch(health_pb2.HealthCheckRequest(), timeout=120):
                    self.told.append((time.monotonic(), answer.status))
            except grpc.RpcError:
                pass

    def judge(self, row, asked):
        """It must say NOT_SERVING, and soon: balancers have to hear of it before calls are refused."""
        statuses = [status for _, status in self.told]
        heard = [moment - asked for moment, status in self.told if status == NOT_SERVING]
        row.must(statuses[:2] == [SERVING, NOT_SERVING], f"Watch told {statuses}")
        if heard:
            row.answered(f"NOT_SERVING after {heard[0]:.1f} s")
            row.must(heard[0] <= 10, f"NOT_SERVING came after {heard[0]:.1f} s")


def readers(row, lab):
    """Quick readers end well, slow ones are broken off and lose nothing by it."""
    bounded = tools.lacks(lab.brine, SERVE, ("--drain",)) is None
    flags = ["--drain", DRAIN] if bounded else []
    expected = [key for key, _ in lab.data.expected]
    with lab.site(row, SERVE, flags, honest=False, checked=False) as site:
        if not site:
            return
        crowd = [Reader(site.port, SLOW if number % 2 else 0.01) for number in range(READERS)]
        watch = HealthWatch(site.port)
        ready = time.monotonic() + 20
        while not all(reader.ids for reader in crowd) and time.monotonic() < ready:
            time.sleep(0.02)
        asked = time.monotonic()
        code = site.stop()
        took = time.monotonic() - asked
        row.answered(f"exit code {code} after {took:.1f} s")
        row.must(code == 0 and took <= EXIT, f"SIGTERM: ended with {code} after {took:.1f} s")
        watch.judge(row, asked)
        for reader in crowd:
            # What had arrived before the end is still to be read.
            reader.pause = 0
            reader.thread.join(30)
        resumed(row, lab, crowd, expected)
        row.measured(site.memory.finish(), (site.files, site.files), None, None)


def resumed(row, lab, crowd, expected):
    """Whoever was broken off goes on behind the last row, at a server that follows."""
    endings = {}
    for reader in crowd:
        endings[reader.code] = endings.get(reader.code, 0) + 1
    row.answered(", ".join(f"{count} {code}" for code, count in endings.items()))
    row.must(set(endings) <= {"OK", "UNAVAILABLE", "CANCELLED", "DEADLINE_EXCEEDED"}, f"readers were told {endings}")
    _, port = started(lab, SERVE, [], lab.folder / "server-after.log")
    for reader in crowd:
        what = f"a reader that was told {reader.code} after {len(reader.ids)} rows"
        row.must(reader.code != "OK" or reader.ids == expected, f"{what} has not all of them")
        if reader.code != "OK":
            reader.go_on(port)
        lost, doubled = set(expected) - set(reader.ids), len(reader.ids) - len(set(reader.ids))
        row.must(reader.ids == expected, f"{what}: {len(lost)} rows lost, {doubled} doubled")


def senders(row, lab):
    """A session that is stopped in the middle: what was acknowledged is there, and the same command ends it."""
    place = FaultLab(lab.brine, lab.folder / "sessions", 1, False)
    place.folder.mkdir(exist_ok=True)
    # The data set is the same.
    place.data = lab.data
    run = place.run()
    run.server.start()
    watch = run.watched()
    told = HealthWatch(run.server.port)
    with proxy.before(run.server.port) as line:
        # Some seconds for the whole, so that the signal comes in the middle.
        line.rate = RATE
        client = run.client(lab.data, *COMMAND, address=line.address())
        watch.until(lambda rows: rows > 0)
        stopped(row, run, watch, told)
        ended(row, run, client, lab)
    row.sites += 1


def stopped(row, run, watch, told):
    """SIGTERM, and a server that follows."""
    asked, acknowledged = time.monotonic(), watch.rows
    code = run.server.stop(40)
    took = time.monotonic() - asked
    acknowledged = max(acknowledged, watch.rows)
    row.answered(f"exit code {code} after {took:.1f} s, {acknowledged:,} rows acknowledged")
    row.must(code == 0 and took <= EXIT, f"SIGTERM: ended with {code} after {took:.1f} s")
    row.must(acknowledged < run.lab.data.rows, "everything was acknowledged before the signal: it came too late to say anything")
    told.judge(row, asked)
    run.server.start()
    run.acknowledged_is_kept(Kept(row), "the server that followed")


def ended(row, run, client, lab):
    """The client ends by itself or the same command ends what it began; then every row is stored once."""
    code, _ = client.wait(90)
    if code != 0:
        run.client(lab.data, *COMMAND).succeed(90)
    row.answered(f"the client: {code}")
    run.watch.stop()
    run.server.stop()
    stored = oracles.read(run.store)
    if stored is None:
        raise Failed("there is no table")
    for name, rows in stored.items():
        text = oracles.Difference(lab.data.expected, rows).text()
        row.must(text is None, f"{name}: {text}")
    row.answered("no row lost or doubled")


class Kept(Row):
    """A row for the oracles of the fault matrix, which hands on what they find."""

    def __init__(self, row):
        super().__init__(row.name, row.what)
        self.row, self.lost = row, 0

    def check(self, _, is_right, text):
        self.row.must(is_right, text)
