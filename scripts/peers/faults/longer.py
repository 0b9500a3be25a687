"""F13, F17, F19: servers that stand still or are stopped under load, and converters that are killed."""

import signal
import subprocess
import time

from faults import oracles, proxy
from faults.lab import MODES
from faults.network import SLOW
from faults.processes import start

CONVERTED = 20
STREAMS = 8


def standstill(row, lab):
    """F13: the server is stopped for a while in the middle, and nobody is told."""
    for seconds in (5, 40):
        what = f"{seconds} s"
        with row.run(what):
            run = lab.run()
            run.server.start()
            watch = run.watched()
            with proxy.before(run.server.port) as line:
                line.rate = SLOW
                client = run.client(lab.data, address=line.address())
                watch.until(lambda rows: rows > 0)
                run.server.process.send_signal(signal.SIGSTOP)
                time.sleep(seconds)
                run.server.process.send_signal(signal.SIGCONT)
                report = client.succeed()
            short = seconds < 20
            row.check(what, not short or report["attempts"] == 1, f"{report['attempts']} attempts for a short pause")
            row.sent_again(what, max(0, report["bytes"] - lab.size(lab.data.path)))
            run.end(row, what, lab.data)


def conversions(row, lab):
    """F17: a converter is killed at any time; what it leaves is nothing or the whole, and the next one gives the whole."""
    place = lab.place()
    pickle = lab.data.path.with_suffix(".pkl")
    for number in range(CONVERTED):
        with row.run(f"kill {number}"):
            out = place / str(number)
            process = start([lab.brine, "convert", pickle, "-o", out], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            time.sleep(lab.random.uniform(0.01, 1.2))
            process.kill()
            process.communicate()
            stored = oracles.read(out) if out.exists() else None
            row.count("data sets that were whole" if stored else "data sets that were not there")
            if stored is None:
                again = [lab.brine, "convert", pickle, "-o", out, "--overwrite"]
                done = subprocess.run(again, capture_output=True, text=True, check=False)
                row.check(f"kill {number}", done.returncode == 0, done.stderr[-300:])
                stored = oracles.read(out)
            for rows in stored.values():
                row.compare(f"kill {number}", oracles.Difference(lab.data.expected, rows))
            left = [name for name in oracles.leftovers(out) if name != "recruit.pkl"]
            row.check(f"kill {number}", not left, f"left lying about: {left[:5]}")


def stopped(row, lab):
    """F19: SIGTERM while eight sessions stream; each goes on with the server that follows."""
    for number in range(5 if lab.long else 2):
        mode = MODES[number % 2]
        what = f"{number} {mode}"
        with row.run(what):
            run = lab.run()
            run.server.start()
            watch = run.watched()
            clients = [
                run.client(lab.data, "--mode", mode, "--new-run=" + str(index), "--chunk-rows", "200", name=f"client-{index}")
                for index in range(STREAMS)
            ]
            watch.until(lambda rows: rows > 0)
            begin = time.monotonic()
            code = run.server.stop()
            took = time.monotonic() - begin
            row.check(what, code == 0 and took <= 25, f"ended with {code} after {took:.1f} s")
            run.server.start()
            run.acknowledged_is_kept(row, what)
            for client in clients:
                client.succeed(120)
            run.end(row, what, lab.data)
