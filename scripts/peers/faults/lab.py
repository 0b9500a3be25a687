"""Where the runs of the matrix take place: the data set, fresh stores, and what every run ends with."""

import functools
import json
import random
import shutil

import contract
import grpc
from faults import oracles
from faults.data import Data
from faults.processes import Client, Failed, Server, Watch, channel_to, session_ids, stub

MODES = ("pending", "committed")


class Lab:
    """What all rows share."""

    def __init__(self, brine, folder, seed, long):
        self.brine, self.folder, self.long = brine, folder, long
        self.random = random.Random(seed)
        self.stores = 0

    @functools.cached_property
    def data(self):
        return Data(self.brine, self.folder / "data")

    @functools.cached_property
    def small(self):
        return Data(self.brine, self.folder / "small", rows=1_500, seed=2)

    @functools.cache
    def size(self, path):
        """Bytes of a whole session, without sending it."""
        return json.loads(contract.run([self.brine, "stream", path, "--dry-run", "--json"]))["bytes"]

    def place(self):
        """A fresh folder for one run; the one before it goes."""
        shutil.rmtree(self.folder / f"run-{self.stores}", ignore_errors=True)
        self.stores += 1
        place = self.folder / f"run-{self.stores}"
        place.mkdir()
        return place

    def run(self):
        return Run(self, self.place())


class Run:
    """One store, its server and the clients that come to it."""

    def __init__(self, lab, place):
        self.lab, self.place, self.store = lab, place, place / "store"
        self.server = Server(lab.brine, self.store, place)
        self.watch = None

    def use_store(self, store):
        """Another place than usual, before anything was started."""
        self.store = self.server.store = store

    def watched(self):
        self.watch = Watch(self.server)
        return self.watch

    def client(self, data, *more, address=None, **options):
        return Client(self.lab.brine, data.path, address or self.server.address(), self.place, *more, **options)

    def logs(self):
        return list(self.place.glob("*.log"))

    def end(self, row, what, data):
        """Stops everything and asks every oracle whether `data` is what is stored."""
        if self.watch:
            self.watch.stop()
        code = self.server.stop()
        row.check(what, code == 0, f"the server ended with {code} after SIGTERM")
        self.judge(row, what, data)

    def judge(self, row, what, data):
        if oracles.leftovers(self.store):
            # What a crash left may wait for the next start.
            self.server.start()
            self.server.stop()
        left = oracles.leftovers(self.store)
        row.check(what, not left, f"left lying about: {left[:5]}")
        stored = oracles.read(self.store)
        if stored is None:
            row.lost += data.rows
            return row.problem(what, "there is no table")
        for rows in stored.values():
            row.compare(what, oracles.Difference(data.expected, rows))
        if self.watch:
            row.check(what, self.watch.rows <= data.rows, "more was acknowledged than there is")
        self.quiet(row, what)
        return None

    def quiet(self, row, what):
        panics = oracles.panics(self.logs())
        row.check(what, not panics, "; ".join(panics[:3]))

    def acknowledged_is_kept(self, row, what):
        """O3 in a table that is not published yet: the server that came back stands no lower than it said before."""
        before = self.watch.rows
        found = committed(self.server, self.watch.session)
        row.check(what, found >= before, f"{before} rows were acknowledged, {found} are there")
        row.lost += max(0, before - found)


def committed(server, session=None):
    """How far a session is, as the server says it; the newest one if none is named."""
    pb, _ = contract.stubs("ingest_session")
    session = session or next(reversed(session_ids(server.store)), None)
    if session is None:
        return 0
    with channel_to(server.port) as channel:
        try:
            return stub(channel).Status(pb.StatusRequest(session_id=session), timeout=5).at.committed_rows
        except grpc.RpcError as error:
            raise Failed(f"Status: {error.code().name} {error.details()}") from None
