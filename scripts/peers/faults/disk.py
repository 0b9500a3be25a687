"""F14, F15: a disk that fails and one that is full."""

import contextlib
import re
import subprocess

import grpc
from faults import oracles, tools
from faults.lab import committed

SIZES_MIB = (1, 3, 6, 10, 15, 22, 30, 40, 50, 60)
FULL = 4
# What fails, and whether only on the log of the session's first epoch.
ERRORS = [
    *[(f"fsync:error=EIO:when={nth}", False) for nth in range(1, 6)],
    *[(f"fdatasync:error=EIO:when={nth}", True) for nth in (1, 2)],
    ("write:error=ENOSPC:when=1", True),
    ("write:error=EIO:when=2", True),
    ("rename,renameat,renameat2:error=EIO:when=1", False),
    ("rename,renameat,renameat2:error=EIO:when=2", False),
    ("fsync:error=EINTR:when=1..3", False),
]


def errors(row, lab):
    """F14: a call fails, by strace; then the server is started without strace and must know all it acknowledged."""
    if reason := tools.no_strace():
        row.not_run = reason
        return
    session = session_of(lab)
    for error, in_log in ERRORS:
        what = f"{error}{' on the log' if in_log else ''}"
        with row.run(what):
            one_error(row, lab, what, error, session if in_log else None)


def session_of(lab):
    """The name that sessions of the data set have: it follows from the rows."""
    run = lab.run()
    run.server.start()
    name = run.client(lab.data).succeed()["session"]["id"]
    run.server.stop()
    return name


def one_error(row, lab, what, error, session):
    run = lab.run()
    # The store's folder is there before anything fails.
    run.server.start()
    run.server.stop()
    trace = run.place / "trace"
    wrapper = ["strace", "-f", "-D", "-qq", "-o", trace, "-e", "trace=fsync,fdatasync,close,rename,renameat,renameat2,write"]
    if session:
        wrapper += ["-P", run.store.resolve() / "_sessions" / session / "log-1"]
    run.server.start(wrapper=[*wrapper, "-e", f"inject={error}"])
    watch = run.watched()
    code, _ = run.client(lab.data, "--deadline", "5").wait()
    row.count(f"client exits {code}")
    row.check(what, code in (0, 4), f"the client ended with {code}")
    row.check(what, run.server.process.poll() is None, "the server died")
    run.server.stop()
    injected = trace.read_text().count("(INJECTED)")
    row.check(what, injected > 0, "no call failed: nothing was tested")
    row.count("failed calls", injected)
    again = synced_again(trace.read_text())
    row.check(what, not again, f"synced once more after a failure: {again[:3]}")
    run.server.start()
    run.acknowledged_is_kept(row, what)
    run.client(lab.data).succeed()
    del watch
    run.end(row, what, lab.data)


def synced_again(trace):
    """Syncs of a descriptor whose sync failed before, without its being closed meanwhile. A call that was interrupted did not
    fail."""
    condemned, found = set(), []
    for line in trace.splitlines():
        call = re.search(r"(fsync|fdatasync|close)\((\d+)", line)
        if not call:
            continue
        name, descriptor = call.groups()
        if name == "close":
            condemned.discard(descriptor)
        elif descriptor in condemned:
            found.append(line)
        elif "EIO" in line:
            condemned.add(descriptor)
    return found


@contextlib.contextmanager
def small_disk(folder, mebibytes):
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "none", folder], check=True)
    try:
        yield lambda more: subprocess.run(["mount", "-o", f"remount,size={more}m", folder], check=True)
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def full(row, lab):
    """F15: the store's disk is full at some point, the server lives, and with more room the same command goes on."""
    if reason := tools.no_mount():
        row.not_run = reason
        return
    for size in SIZES_MIB:
        with row.run(f"{size} MiB"):
            full_at(row, lab, f"{size} MiB", size)


def full_at(row, lab, what, size):
    run = lab.run()
    with small_disk(run.place / "disk", size) as enlarge:
        run.use_store(run.place / "disk" / "store")
        run.server.start()
        watch = run.watched()
        client = run.client(lab.data)
        code, _ = client.wait(60)
        row.count(f"client exits {code}")
        row.check(what, code in (0, FULL), f"the client ended with {code}")
        is_said = code == 0 or "full" in client.said().lower() or "STORAGE_FULL" in client.said()
        row.check(what, is_said, f"nobody said that the disk is full: {client.said()[-300:]}")
        row.check(what, run.server.process.poll() is None, "the server died")
        with contextlib.suppress(grpc.RpcError):
            committed(run.server)
        acknowledged = watch.rows
        enlarge(300)
        report = run.client(lab.data).succeed()
        there = report["session"]["rows_there_before"]
        row.check(what, there >= acknowledged, f"{acknowledged} rows were acknowledged, {there} were found")
        run.end(row, what, lab.data)
        row.check(what, not oracles.panics(run.logs()), "a thread panicked")
