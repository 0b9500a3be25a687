"""Where an attack takes place: a fresh server, an honest client beside the attacker, and what is asked when it is over."""

import contextlib
import functools
import itertools
import os
import re
import resource
import subprocess
import sys
import threading
import time

import contract
import grpc
from attacks import tools
from attacks.table import MEMORY_MAX
from attacks.wire import Wire, connect
from faults import data, oracles
from faults.processes import Failed, start
from grpc_health.v1 import health_pb2, health_pb2_grpc

# How long the honest client may get nothing at all, and how long the server may take to be as before.
LIVENESS, RECOVERY = 30, 25
# Files that a server may have open more than before: the honest client's next connection, and what the log and the runtime open.
FILES_MORE = 8
SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
SERVE, INGEST = "serve", "batch-server"


class Lab:
    """What all rows share."""

    def __init__(self, brine, folder, quick, dataset=None):
        self.brine, self.folder, self.quick = brine, folder, quick
        self.given, self.numbers = dataset, itertools.count(1)

    @functools.cached_property
    def data(self):
        """12,000 rows of 384 dimensions, converted by brine."""
        return data.Data(self.brine, self.folder / "data")

    @property
    def dataset(self):
        return self.given or self.data.path

    @functools.cached_property
    def certificates(self):
        return tools.Certificates(self.folder / "certificates")

    @functools.cached_property
    def messages(self):
        """The messages of a small honest stream, as files: metadata, and 100 rows."""
        frame = data.frame(100, 3)
        paths = []
        for number, request in enumerate(contract.requests_of(contract.rows_of(frame, "recruit"), "recruit", 100)):
            paths.append(self.folder / f"message-{number}.bin")
            paths[-1].write_bytes(request.SerializeToString())
        return paths

    def no_tls(self):
        return tools.no_openssl() or tools.lacks(self.brine, SERVE, ("--tls-cert", "--tls-key"))

    def tls_flags(self, name):
        """Those of a server with this certificate; the usual one is made here."""
        made = self.certificates.signed("server")
        return ["--tls-cert", made.path(name), "--tls-key", made.path(name, "key")]

    def identity(self, name):
        """What a client shows of itself, as grpcio takes it."""
        if name is None:
            return {}
        return {"private_key": self.certificates.read(name, "key"), "certificate_chain": self.certificates.read(name)}

    def long(self, usual, quick):
        """A time or a number that is less in the short form."""
        return quick if self.quick else usual

    @contextlib.contextmanager
    def site(self, row, command=SERVE, flags=(), needs=(), **options):
        """One server under attack; what it must be afterwards is asked when the attack is over."""
        if reason := tools.lacks(self.brine, command, needs) or tools.few_files(4_096):
            row.not_run = reason
            # The body is not run: the caller asks whether there is a site.
            yield None
            return
        site = Site(self, row, command, flags, **options)
        try:
            site.begin()
            with row.guarded():
                yield site
                site.end()
        finally:
            site.clear()


class Site:
    """A server, its honest client, and what both did during the attack."""

    def __init__(self, lab, row, command, flags, honest=True, files=None, memory=MEMORY_MAX, token=None, ca=None, identity=None,
                 refusals=(), checked=True, compared=True):  # fmt: skip
        """`honest`: whether a client runs beside; `files`: how many the server may open; `refusals`: what its client may be told;
        `checked`: whether the server has to be as before when it is over; `compared`: whether its client's times mean anything."""
        self.lab, self.row, self.command, self.flags = lab, row, command, [str(flag) for flag in flags]
        self.honest, self.files_max, self.memory_max = honest, files, memory
        self.token, self.ca, self.refusals = token, ca, set(refusals)
        self.identity, self.checked, self.compared = identity, checked, compared
        self.wires, self.client, self.client_process = [], None, None
        self.log = lab.folder / f"server-{next(lab.numbers)}.log"

    # Before.

    def begin(self):
        self.process, self.port = started(self.lab, self.command, self.flags, self.log, self.files_max)
        if self.honest:
            self.client = Client(self)
            self.client.wait(10, 30)
            self.client.mark("quiet")
            time.sleep(self.lab.long(3, 1))
        self.files = open_files(self.process.pid)
        self.memory = Memory(self.process.pid)
        if self.client:
            self.client.mark("attack")

    def wire(self, **options):
        """A connection of the attacker's, closed when the attack is over."""
        self.wires.append(Wire(self.port, **options))
        return self.wires[-1]

    def socket(self, **options):
        """A connection that says nothing of itself."""
        self.wires.append(connect(self.port, **options))
        return self.wires[-1]

    def leave(self):
        """The attacker goes."""
        for wire in self.wires:
            wire.close()
        self.wires.clear()

    # After.

    def end(self):
        """Asks what must be so whatever the attack was."""
        row, client = self.row, self.client
        if client:
            client.mark("after")
        growth = self.memory.finish()
        self.leave()
        if not self.checked:
            return
        row.must(self.process.poll() is None, f"the server ended with {self.process.poll()}: {self.said()[-300:]}")
        if self.process.poll() is None:
            self.settles()
        files = open_files(self.process.pid)
        row.must(files <= self.files + FILES_MORE, f"{files} files are open, {self.files} were before")
        row.must(growth <= self.memory_max, f"memory grew by {growth:.1f} MiB, {self.memory_max} MiB were allowed")
        quiet, ratio = client.judge(row, self.refusals) if client else (None, None)
        row.measured(growth, (self.files, files), quiet, ratio if self.compared else None)
        row.must(not oracles.panics([self.log]), "; ".join(oracles.panics([self.log])[:2]))

    def settles(self):
        """Waits for health, for the honest client and for the files of those who left."""
        status = health(self.port, self.ca, seconds=RECOVERY, **self.lab.identity(self.identity))
        self.row.must(status == "SERVING", f"health says {status} after the attack")
        if self.client:
            served = self.client.wait(1, RECOVERY, fails=False)
            self.row.must(served, f"the honest client got nothing for {RECOVERY} s after the attack")
        end = time.monotonic() + RECOVERY
        while open_files(self.process.pid) > self.files + FILES_MORE and time.monotonic() < end:
            time.sleep(0.1)

    def stop(self, seconds=40):
        """SIGTERM, and how it ends."""
        self.process.terminate()
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def said(self):
        return self.log.read_text(errors="replace")

    def clear(self):
        self.leave()
        for process in (self.client and self.client.process, getattr(self, "process", None)):
            if process and process.poll() is None:
                process.kill()
                process.wait()


def started(lab, command, flags, log, files=None):
    """A server that listens: its process and port."""
    what = [lab.dataset] if command == SERVE else [] if "--store" in flags else ["--discard"]
    limit = (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))) if files else None
    line = [lab.brine, command, *what, "--listen", "127.0.0.1:0", *flags]
    with open(log, "w") as out:
        process = start(line, stdout=subprocess.PIPE, stderr=out, preexec_fn=limit)
    for said in process.stdout:
        if found := re.search(r"listening on 127\.0\.0\.1:(\d+)", said):
            return process, int(found.group(1))
    raise Failed(f"the server ended with {process.wait()} before it listened: {log.read_text()[-300:]}")


class Client:
    """The honest client of a site, and the times of what it was given."""

    def __init__(self, site):
        self.marks, self.times, self.codes = {}, [], []
        role = "read" if site.command == SERVE else "write"
        command = [sys.executable, "-m", "attacks.healthy", role, site.port]
        command += ["--token", site.token] if site.token else []
        command += ["--ca", site.ca] if site.ca else []
        command += ["--identity", site.lab.certificates.path(site.identity)] if site.identity else []
        command += ["--messages", *site.lab.messages] if role == "write" else []
        self.process = start(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=contract.ROOT / "scripts" / "peers")
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        for line in self.process.stdout:
            moment, said = line.split()
            if said[0].isdigit():
                self.times.append((float(moment), float(said)))
            else:
                self.codes.append((float(moment), said))

    def mark(self, name):
        self.marks[name] = time.monotonic()

    def wait(self, count, seconds, fails=True):
        """Until it was given so much more."""
        wanted, end = len(self.times) + count, time.monotonic() + seconds
        while len(self.times) < wanted and time.monotonic() < end:
            time.sleep(0.02)
        if fails and len(self.times) < wanted:
            raise Failed(f"the honest client got {len(self.times)} chunks in {seconds} s: {[code for _, code in self.codes[:3]]}")
        return len(self.times) >= wanted

    def within(self, begin, end):
        """What each piece took, in a time; the one that it waits for at the end counts as well."""
        inside = [took for moment, took in self.times if begin <= moment <= end]
        last = max((moment for moment, _ in self.times if moment <= end), default=begin)
        return [*inside, end - max(last, begin)]

    def judge(self, row, refusals):
        """The 99th percentile while it was quiet, and how many times that it was during the attack."""
        quiet = percentile(self.within(self.marks["quiet"], self.marks["attack"]))
        during = self.within(self.marks["attack"], self.marks["after"])
        row.must(max(during) <= LIVENESS, f"the honest client waited {max(during):.1f} s")
        wrong = [code for moment, code in self.codes if moment >= self.marks["quiet"] and code not in refusals]
        row.must(not wrong, f"the honest client was told {wrong[:3]}")
        return quiet, percentile(during) / max(quiet, 1e-4)


def percentile(values, share=0.99):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


class Memory:
    """The private memory of a process, looked at again and again: RssAnon leaves out the mapped data set."""

    def __init__(self, pid):
        self.pid, self.stopped = pid, threading.Event()
        self.before = self.most = private_mib(pid)
        self.thread = threading.Thread(target=self.watch, daemon=True)
        self.thread.start()

    def watch(self):
        while not self.stopped.wait(0.02):
            self.most = max(self.most, private_mib(self.pid))

    def finish(self):
        """MiB that it had more than before, at most."""
        self.stopped.set()
        self.thread.join()
        return self.most - self.before


def private_mib(pid):
    try:
        with open(f"/proc/{pid}/status") as status:
            return next((int(line.split()[1]) / 1024 for line in status if line.startswith("RssAnon")), 0.0)
    except OSError:
        return 0.0


def open_files(pid):
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return 0


def channel(port, ca=None, options=(), **more):
    """A channel of grpcio's that shares nothing with others."""
    options = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_receive_message_length", 16 << 20), *options]
    if ca is None:
        return grpc.insecure_channel(f"127.0.0.1:{port}", options)
    return grpc.secure_channel(f"localhost:{port}", grpc.ssl_channel_credentials(ca.read_bytes(), **more), options)


def health(port, ca=None, seconds=10, **more):
    """What a client that comes now is told, as a word; it tries until the time is over."""
    end, told = time.monotonic() + seconds, "nothing"
    while time.monotonic() < end:
        with channel(port, ca, **more) as opened:
            check = health_pb2_grpc.HealthStub(opened).Check
            try:
                answer = check(health_pb2.HealthCheckRequest(), timeout=max(0.5, end - time.monotonic()), wait_for_ready=False)
                return health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)
            except grpc.RpcError as error:
                told = error.code().name
        if told == "UNIMPLEMENTED":
            break
        time.sleep(0.2)
    return told
