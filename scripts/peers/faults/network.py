"""F4 to F9: what a network does to a session, done by a proxy; F6 by the kernel, which alone can lose packets."""

import re
import subprocess
import time

from faults import proxy, tools
from faults.lab import MODES
from faults.processes import Failed

# Long enough for several resets: the data set is 19 MB.
SLOW = 4_000_000
CUTS = 64
PREFACE = 24


def resets(row, lab):
    """F5: every connection is reset each second."""
    for mode in MODES:
        with row.run(mode):
            run = lab.run()
            run.server.start()
            run.watched()
            with proxy.before(run.server.port) as line:
                line.rate = SLOW / 4 if lab.long else SLOW
                client = run.client(lab.data, "--mode", mode, address=line.address())
                while client.process.poll() is None and line.cuts < 200:
                    time.sleep(1)
                    line.reset_all()
                report = client.succeed(1)
            row.count("resets", line.cuts)
            row.check(mode, line.cuts >= 4, f"only {line.cuts} resets before it was over")
            row.sent_again(mode, max(0, report["bytes"] - lab.size(lab.data.path)), per=line.cuts)
            run.end(row, mode, lab.data)


def partitions(row, lab):
    """F4: nothing passes for a while, in either direction, and nobody is told."""
    for seconds, most in ((0.5, 2), (3, 2), (15, 12)):
        for mode in MODES:
            what = f"{seconds} s, {mode}"
            with row.run(what):
                run = lab.run()
                run.server.start()
                watch = run.watched()
                with proxy.before(run.server.port) as line:
                    line.rate = SLOW
                    client = run.client(lab.data, "--mode", mode, address=line.address())
                    watch.until(lambda rows: rows > 0)
                    line.is_open.clear()
                    time.sleep(seconds)
                    line.is_open.set()
                    healed = time.monotonic()
                    client.succeed()
                row.resumed(what, watch.first_after(healed), most)
                run.end(row, what, lab.data)


def loss(row, lab):
    """F6: packets vanish, both ways, in a network of its own: TCP brings them again, and nobody above it need know."""
    row.not_run = tools.no_netfilter()
    if row.not_run:
        return
    with tools.namespace() as failed:
        if failed:
            raise Failed(failed)
        inside = ["ip", "netns", "exec", tools.NAMESPACE]
        for percent in (1, 5):
            for mode in MODES:
                with row.run(f"{percent} %, {mode}"):
                    lossy(row, lab, inside, percent, mode)


def lossy(row, lab, inside, percent, mode):
    what = f"{percent} %, {mode}"
    run = lab.run()
    run.server.start(wrapper=inside)
    for command in ("flush ruleset", "add table inet f", "add chain inet f out { type filter hook output priority 0; }"):
        subprocess.run([*inside, "nft", command], check=True)
    rule = f"add rule inet f out ip protocol tcp numgen random mod 100 < {percent} counter drop"
    subprocess.run([*inside, "nft", rule], check=True)
    report = run.client(lab.data, "--mode", mode, wrapper=inside).succeed(180)
    said = subprocess.run([*inside, "nft", "list", "chain", "inet", "f", "out"], check=True, capture_output=True, text=True).stdout
    lost = int(re.search(r"counter packets (\d+)", said).group(1))
    row.count("packets lost", lost)
    row.check(what, lost > 0, "no packet was lost")
    row.check(what, percent > 1 or report["attempts"] == 1, f"{report['attempts']} attempts")
    row.sent_again(what, max(0, report["bytes"] - lab.size(lab.data.path)))
    run.end(row, what, lab.data)


def slow(row, lab):
    """F7: a line of 8 Mbit/s that is 50 ms long, more or less, is filled all the same."""
    for mode in MODES:
        with row.run(mode):
            run = lab.run()
            run.server.start()
            with proxy.before(run.server.port) as line:
                line.rate, line.delay, line.jitter = 1_000_000, 0.05, 0.02
                report = run.client(lab.data, "--mode", mode, address=line.address()).succeed()
                share = report["bytes"] / report["send_seconds"] / line.rate
            row.check(mode, report["attempts"] == 1, f"{report['attempts']} attempts")
            row.check(mode, share >= 0.8, f"only {share:.0%} of the line's rate")
            run.end(row, mode, lab.data)


def corruption(row, lab):
    """F8: one bit in each MiB to the server is another: nothing of it is stored, and everything arrives in the end."""
    for mode in MODES:
        with row.run(mode):
            run = lab.run()
            run.server.start()
            with proxy.before(run.server.port) as line:
                line.corrupt_every = 1 << 20
                client = run.client(lab.data, "--mode", mode, "--chunk-rows", "50", address=line.address())
                client.succeed()
            row.count("bits changed", line.corrupted)
            run.end(row, mode, lab.data)


def positions(lab, run):
    """Where to cut: inside every kind of frame, one way and the other, and behind whole ones."""
    heard = [bytearray(), bytearray()]
    run.server.start()
    with proxy.before(run.server.port) as line:
        line.hears = lambda direction, data: heard[direction].extend(data)
        run.client(lab.small, address=line.address()).succeed()
    run.server.stop()
    found = []
    for direction, skip in ((0, PREFACE), (1, 0)):
        by_name = {}
        for name, first, end in proxy.frames(heard[direction], skip):
            by_name.setdefault(name, []).extend([(name, direction, at) for at in (first, first + 4, (first + end) // 2, end)])
        kinds = [by_name[name] for name in ("HEADERS", "DATA", "trailers", "WINDOW_UPDATE") if name in by_name]
        share = CUTS * (3 if direction == 0 else 2) // 5 // len(kinds)
        for places in kinds:
            step = max(1, len(places) // share)
            # From the end on: there stands the answer to Commit.
            found += places[::-1][::step][:share]
    rest = CUTS - len(found)
    found += [("anywhere", 0, lab.random.randrange(PREFACE, len(heard[0]))) for _ in range(rest)]
    return found


def cuts(row, lab):
    """F9: the connection ends after so many bytes one way."""
    for number, (name, direction, at) in enumerate(positions(lab, lab.run())):
        what = f"{('to', 'from')[direction]} the server after byte {at} ({name})"
        with row.run(what):
            mode = MODES[number % 2]
            run = lab.run()
            run.server.start()
            with proxy.before(run.server.port) as line:
                line.cut = (direction, at)
                report = run.client(lab.small, "--mode", mode, address=line.address()).succeed()
                row.count("cuts", line.cuts)
            row.sent_again(what, max(0, report["bytes"] - lab.size(lab.small.path)))
            run.end(row, what, lab.small)
