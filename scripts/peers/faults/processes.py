"""brine's server and client as processes that can be made to die, and the questions that one asks them."""

import json
import os
import pathlib
import re
import signal
import subprocess
import threading
import time

import contract
import grpc

RUNNING = []


def end_all():
    """Ends what a row left running."""
    for process in RUNNING:
        if process.poll() is None:
            process.kill()
            process.wait()
    RUNNING.clear()


def start(command, fail=None, **options):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BRINE_")}
    if fail:
        environment["BRINE_FAIL"] = fail
    process = subprocess.Popen([str(part) for part in command], env=environment, text=True, **options)
    RUNNING.append(process)
    return process


class Server:
    """A Batch Server that may be started again on the port it had."""

    def __init__(self, brine, store, logs):
        self.brine, self.store, self.logs = brine, pathlib.Path(store), pathlib.Path(logs)
        self.port, self.process, self.starts = 0, None, 0

    def start(self, fail=None, wrapper=(), expected=True, **options):
        """Returns when it listens; False if it ended before that and was `expected` to listen or not."""
        self.starts += 1
        command = [*wrapper, self.brine, "batch-server", "--store", self.store, "--listen", f"127.0.0.1:{self.port}"]
        with open(self.log(), "w") as log:
            self.process = start(command, fail, stdout=subprocess.PIPE, stderr=log, **options)
        for line in self.process.stdout:
            if found := re.search(r"listening on 127\.0\.0\.1:(\d+)", line):
                self.port = int(found.group(1))
                self.listening = time.monotonic()
                return True
        code = self.process.wait()
        if expected:
            raise Failed(f"the server ended with {code} before it listened: {self.log().read_text()[-500:]}")
        return False

    def log(self):
        return self.logs / f"server-{self.port}-{self.starts}.log"

    def wait_dead(self, seconds):
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self, seconds=30):
        """Ends it as an orchestrator does; its exit code, None if it had to be killed."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.wait_dead(seconds)
        if code is None:
            self.kill()
        return code

    def address(self):
        return f"http://127.0.0.1:{self.port}"


class Failed(Exception):
    """A run that could not go on: a finding, not a fault of the script."""


class Client:
    """One `brine stream`."""

    def __init__(self, brine, dataset, address, logs, *more, fail=None, name="client", wrapper=()):
        number = len(list(pathlib.Path(logs).glob(f"{name}-*.log")))
        self.log = pathlib.Path(logs) / f"{name}-{number}.log"
        command = [*wrapper, brine, "stream", dataset, "--to", address, "--json", *more]
        with open(self.log, "w") as log:
            self.process = start(command, fail, stdout=subprocess.PIPE, stderr=log)

    def wait(self, seconds=90):
        """Its exit code and what it said; a client that does not end is a finding."""
        try:
            out, _ = self.process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Failed(f"the client did not end in {seconds} s: {self.said()[-500:]}") from None
        return self.process.returncode, json.loads(out) if out.strip().startswith("{") else {}

    def succeed(self, seconds=90):
        code, report = self.wait(seconds)
        if code != 0:
            raise Failed(f"the client ended with {code}: {self.said()[-500:]}")
        return report

    def kill(self):
        self.process.kill()
        self.process.communicate()

    def said(self):
        return self.log.read_text(errors="replace")


class Watch:
    """Asks the server again and again how far its session is: what it says is acknowledged, and when it said so."""

    def __init__(self, server):
        self.server, self.rows, self.seen, self.finalized = server, 0, [], False
        self.session = None
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        pb, _ = contract.stubs("ingest_session")
        while not self.stopped.wait(0.01):
            sessions = session_ids(self.server.store)
            if not sessions or self.server.port == 0:
                continue
            # The first one: a store may have several.
            self.session = self.session or sessions[-1]
            self.poll(pb, self.session)

    def poll(self, pb, session):
        with channel_to(self.server.port) as channel:
            status = stub(channel).Status
            while not self.stopped.wait(0.01):
                try:
                    at = status(pb.StatusRequest(session_id=session), timeout=2).at
                except grpc.RpcError:
                    return
                if at.committed_rows > self.rows or at.state == 2 and not self.finalized:
                    self.seen.append((time.monotonic(), at.committed_rows))
                    self.noted(at.committed_rows)
                self.rows = max(self.rows, at.committed_rows)
                self.finalized |= at.state == 2

    def noted(self, rows):
        """For those who note more."""

    def until(self, reached, seconds=30):
        """Waits until `reached(rows)`."""
        end = time.monotonic() + seconds
        while not reached(self.rows):
            if time.monotonic() > end:
                raise Failed(f"the session stayed at {self.rows} rows")
            time.sleep(0.005)

    def first_after(self, moment):
        """Seconds from `moment` to the next acknowledgement; None if there was none."""
        later = [seen - moment for seen, _ in self.seen if seen > moment]
        return min(later) if later else None

    def stop(self):
        self.stopped.set()
        self.thread.join()


def channel_to(port):
    """A channel that shares nothing: not even how long others found the port closed."""
    options = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_send_message_length", 64 << 20)]
    return grpc.insecure_channel(f"127.0.0.1:{port}", options=options)


def stub(channel):
    _, rpc = contract.stubs("ingest_session")
    return rpc.IngestSessionServiceStub(channel)


def session_ids(store):
    folder = pathlib.Path(store) / "_sessions"
    try:
        found = sorted(folder.iterdir(), key=lambda path: path.stat().st_ctime_ns)
    except FileNotFoundError:
        return []
    return [bytes.fromhex(path.name) for path in found]
