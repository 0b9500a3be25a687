"""F1, F2, F3: either side dies, at a named point or at any time."""

import signal
import time

from faults.lab import MODES

SERVER_POINTS = [
    "append.before_write:1",
    "append.before_write:7",
    "append.after_write:7",
    "segment.before_sync:1",
    "segment.before_sync:2",
    "segment.after_sync:2",
    "segment.after_rename:2",
    "segment.after_folder_sync:2",
    "group.after_record:1",
    "group.after_record:2",
    "group.before_acknowledgement:1",
    "publish.before:1",
    "publish.after_manifest:1",
    "publish.after:1",
]
CLIENT_POINTS = [
    "client.before_open:1",
    "client.after_open:1",
    "client.after_chunk:1",
    "client.after_acknowledgement:2",
    "client.before_commit:1",
    "client.after_commit:1",
]


def server_points(row, lab):
    """F1: the server dies at each point and comes back on its port; the client is not told and goes on by itself."""
    for mode in MODES:
        for point in SERVER_POINTS:
            with row.run(f"{point} {mode}"):
                server_point(row, lab, f"{point} {mode}", point, mode)
    row.usually_resumed("all runs")


def server_point(row, lab, what, point, mode):
    run = lab.run()
    run.server.start(fail=point)
    watch = run.watched()
    client = run.client(lab.data, "--mode", mode)
    code = run.server.wait_dead(30)
    if code != -signal.SIGABRT:
        row.check(what, False, f"the point was not reached: the server ended with {code}")
        return
    run.server.start()
    run.acknowledged_is_kept(row, what)
    up = run.server.listening
    report = client.succeed()
    row.resumed(what, watch.first_after(up))
    row.sent_again(what, max(0, report["bytes"] - lab.size(lab.data.path)))
    run.end(row, what, lab.data)


def client_points(row, lab):
    """F2: the client dies; a second one, which was told nothing, sends what is missing and no more."""
    for mode in MODES:
        for point in CLIENT_POINTS:
            with row.run(f"{point} {mode}"):
                client_point(row, lab, f"{point} {mode}", point, mode)


def client_point(row, lab, what, point, mode):
    run = lab.run()
    run.server.start()
    watch = run.watched()
    code, _ = run.client(lab.data, "--mode", mode, fail=point).wait()
    if code != -signal.SIGABRT:
        row.check(what, False, f"the point was not reached: the client ended with {code}")
        return
    acknowledged = watch.rows
    report = run.client(lab.data, "--mode", mode).succeed()
    there = report["session"]["rows_there_before"]
    row.check(what, there >= acknowledged, f"{acknowledged} rows were acknowledged, {there} were found")
    sent = report["rows"] + report["rows_sent_again"]
    row.check(what, sent == lab.data.rows - there, f"{sent} rows were sent behind {there}")
    is_over = "before_commit" in point or "after_commit" in point
    row.check(what, not is_over or report["chunks"] == 0, f"{report['chunks']} chunks were sent, none was missing")
    if there:
        row.sent_again(what, max(0, report["bytes"] - lab.size(lab.data.path) * (lab.data.rows - acknowledged) // lab.data.rows))
    run.end(row, what, lab.data)


def at_random(row, lab):
    """F3: either side dies at any time, again and again, until ten have."""
    for number in range(20 if lab.long else 2):
        mode = MODES[number % 2]
        with row.run(f"{number} {mode}"):
            ten_kills(row, lab, f"{number} {mode}", mode)


def ten_kills(row, lab, what, mode):
    run = lab.run()
    run.server.start()
    run.watched()
    client = run.client(lab.data, "--mode", mode)
    kills = []
    while len(kills) < 10 and client.process.poll() is None:
        # Short pauses first: a transfer is over in about a second.
        time.sleep(lab.random.uniform(0.02, 0.45))
        if client.process.poll() is not None:
            break
        if lab.random.random() < 0.5:
            kills.append("server")
            run.server.kill()
            run.server.start()
            run.acknowledged_is_kept(row, what)
        else:
            kills.append("client")
            client.kill()
            client = run.client(lab.data, "--mode", mode)
    client.succeed()
    row.count("kills", len(kills))
    run.end(row, what, lab.data)
