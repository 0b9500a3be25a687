#!/usr/bin/env python3
"""Measure brine against the Python pipeline (pandas, pyarrow, grpcio) and Arrow Flight, in turn, in one run.

    scripts/bench                 full size: 141,897 rows of 384 dimensions, five rounds
    scripts/bench --quick         5,000 rows, one round: does it still run
    scripts/bench --md            the tables as Markdown, for benches/README.md

Makes the data once (cached in --data), the peers' virtual environments and the release binary. Every round runs all
contestants one after the other; the tables hold medians over the rounds, and the median of the ratios within a round.
Memory is the peak of the process: all resident pages, and the private ones (RssAnon, sampled every 5 ms). Nothing here
fails because something was slow.
"""

import argparse
import contextlib
import json
import os
import pathlib
import platform
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PIPELINE = ROOT / "scripts" / "peers" / "pipeline.py"
FULL_ROWS, QUICK_ROWS = 141_897, 5_000
PRIVATE_BYTES_MAX = 192 << 20


def memory_of(pid):
    """The peak of all resident pages of a process so far, and its private ones now, in MiB."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    found = dict(re.findall(r"^(VmHWM|RssAnon):\s+(\d+) kB", status, re.MULTILINE))
    return {"peak_mib": int(found.get("VmHWM", 0)) / 1024, "private_mib": int(found.get("RssAnon", 0)) / 1024}


def processor_of(pid):
    """The seconds of the processor that a process has used so far."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Sampler(threading.Thread):
    """Follows the memory of a process: peak of all resident pages and of the private ones, in MiB."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.peak, self.private = pid, 0.0, 0.0
        self.done = threading.Event()
        self.start()

    def run(self):
        while not self.done.is_set():
            with contextlib.suppress(OSError):
                now = memory_of(self.pid)
                self.peak = max(self.peak, now["peak_mib"])
                self.private = max(self.private, now["private_mib"])
            self.done.wait(0.005)

    def finish(self):
        self.done.set()
        self.join()
        return {"peak_mib": self.peak, "private_mib": self.private}


def measure(command):
    """Runs one process to its end: its wall time as `wall`, its processor time as `cpu`, its memory, and what it said as JSON."""
    command = [str(part) for part in command]
    spent = ended_children()
    begin = time.perf_counter()
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
        sampler = Sampler(process.pid)
        said = process.communicate()[0]
        wall = time.perf_counter() - begin
        memory = sampler.finish()
        if process.returncode:
            errors.seek(0)
            raise SystemExit(f"{' '.join(command)}\nended with {process.returncode}:\n{said}{errors.read()}")
    return {"wall": wall, "cpu": ended_children() - spent, **memory, "said": json.loads(said)}


def ended_children():
    """The seconds of the processor that all ended child processes have used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@contextlib.contextmanager
def server(command):
    """A process that listens; gives its port and a sampler of its memory."""
    command = [str(part) for part in command]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        found = next((m for line in process.stdout if (m := re.search(r"listening on 127\.0\.0\.1:(\d+)", line))), None)
        if not found:
            raise SystemExit(f"{' '.join(command)}: ended with {process.wait()} before it listened")
        threading.Thread(target=process.stdout.read, daemon=True).start()
        yield int(found.group(1)), Sampler(process.pid)
    finally:
        process.terminate()
        process.wait()


class Bench:
    """The contestants, the data and what was measured: name of a measurement to one value for each round."""

    def __init__(self, args):
        self.args = args
        self.rows = args.rows
        self.measured = {}
        self.limited = {}
        self.pids = {}
        self.python = environment("current")
        self.brine = args.brine or release_binary()
        self.data = {kind: self.dataset(kind) for kind in ("list", "f32")}

    def dataset(self, kind):
        """The pickle of this kind; pandas 2.1.4 writes it, as the published system does."""
        path = self.args.data / f"recruit_{kind}_{self.rows}.pkl"
        if not path.exists():
            note(f"making {path}")
            command = [environment("grpcio-1.60"), ROOT / "scripts" / "make_sample_data.py", self.args.data / "unfinished"]
            command += ["--domain", "recruit", "--rows", self.rows, "--vectors", kind, "--name", path.stem]
            subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL)
            (self.args.data / "unfinished" / path.name).rename(path)
        with open(path, "rb") as file:  # into the page cache
            while file.read(1 << 24):
                pass
        return path

    def note(self, name, result, seconds=None):
        value = {**result, "seconds": seconds or result["wall"]}
        self.measured.setdefault(name, []).append(value)
        note(f"{name}: {value['seconds']:.3f} s")

    def peer(self, *arguments):
        return measure([self.python, PIPELINE, *arguments])

    def convert_round(self, folder):
        self.note("pandas load list", self.peer("load", self.data["list"]))
        for kind, source in self.data.items():
            self.note(f"peer convert {kind}", self.peer("convert", source, folder / f"peer_{kind}.parquet"))
            out = folder / f"brine_{kind}"
            shutil.rmtree(out, ignore_errors=True)
            self.note(f"brine convert {kind}", measure([self.brine, "convert", source, "-o", out, "--name", "recruit", "--json"]))

    def push_round(self, folder, ports):
        dataset = folder / "brine_list" / "recruit"
        result = self.peer("push", self.data["list"], ports["sink"])
        self.expect(result["said"]["rows"])
        self.note("peer push", result, result["said"]["seconds"])
        result = self.peer("flight-push", f"{dataset}.arrow", ports["flight-sink"])
        self.expect(result["said"]["rows"])
        self.note("flight DoPut", result, result["said"]["seconds"])
        result = self.peer("tcp-push", f"{dataset}.arrow", ports["tcp-sink"])
        self.note("raw TCP", result, result["said"]["seconds"])
        discarding = lambda: memory_of(self.pids["discard"])
        self.push("discard", dataset, ports["discard"], discarding, "--dialect", "typed-v1")
        # The server remembers finished sessions: each round is a new run.
        self.push("discard, session", dataset, ports["discard"], discarding, "--dialect", "session", "--new-run")
        for dialect, name in [("typed-v1", "store"), ("session", "store, session")]:
            store = folder / "store"
            shutil.rmtree(store, ignore_errors=True)
            with server([self.brine, "batch-server", "--store", store, "--listen", "127.0.0.1:0"]) as (port, sampler):
                self.push(name, dataset, port, sampler.finish, "--dialect", dialect)

    def push(self, name, dataset, port, memory, *options):
        result = measure([self.brine, "stream", dataset, "--to", f"http://127.0.0.1:{port}", "--json", *options])
        self.expect(result["said"]["rows"])
        self.note(f"brine stream {name}", result, result["said"]["send_seconds"])
        self.measured.setdefault(f"brine server {name}", []).append({**memory(), "seconds": result["wall"]})

    def expect(self, rows):
        if rows != self.rows:
            raise SystemExit(f"{rows} rows arrived, {self.rows} were sent")

    def limit(self, folder):
        """Does a conversion stay within 192 MiB of private memory? The kernel says."""
        for kind, source in self.data.items():
            out = folder / f"limited_{kind}"
            command = ["prlimit", f"--data={PRIVATE_BYTES_MAX}", self.brine, "convert", source, "-o", out, "--json"]
            done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
            self.limited[kind] = "succeeds" if done.returncode == 0 else f"fails ({done.returncode})"
            note(f"prlimit convert {kind}: {self.limited[kind]} {done.stderr[-300:] if done.returncode else ''}")
            shutil.rmtree(out, ignore_errors=True)

    def run(self):
        with tempfile.TemporaryDirectory(prefix="run-", dir=self.args.data) as folder, contextlib.ExitStack() as stack:
            folder = pathlib.Path(folder)
            ports = {}
            sinks = {sink: [self.python, PIPELINE, sink] for sink in ("sink", "flight-sink", "tcp-sink")}
            # Every server that only counts runs through all rounds, brine's like the others.
            sinks["discard"] = [self.brine, "batch-server", "--discard", "--listen", "127.0.0.1:0"]
            for sink, command in sinks.items():
                ports[sink], sampler = stack.enter_context(server(command))
                sampler.finish()
                self.pids[sink] = sampler.pid
            for number in range(self.args.rounds):
                note(f"round {number + 1} of {self.args.rounds}")
                self.convert_round(folder)
                self.push_round(folder, ports)
            self.limit(folder)


def note(text):
    print(text, file=sys.stderr, flush=True)


def environment(name):
    return subprocess.check_output([str(ROOT / "scripts" / "peers" / "environment"), name], text=True).strip()


def release_binary():
    subprocess.run(["cargo", "build", "--release", "--quiet"], cwd=ROOT, check=True)
    return pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release" / "brine"


def median(values, what):
    return statistics.median(value[what] for value in values)


def comparison(bench, what, peer, brine):
    """One line of the first table."""
    rounds = list(zip(bench.measured[peer], bench.measured[brine]))
    ratio = statistics.median(p["seconds"] / b["seconds"] for p, b in rounds)
    seconds = [median(bench.measured[name], "seconds") for name in (peer, brine)]
    return [what, f"{seconds[0]:.3f}", f"{seconds[1]:.3f}", f"{ratio:.1f}", f"{bench.rows / seconds[1]:,.0f}"]


def tables(bench):
    """The tables as lists of rows, headings first."""
    peer_push, discard, store = "peer push", "brine stream discard", "brine stream store"
    sessions = {name: f"{name}, session" for name in (discard, store)}
    speed = [
        ["what", "peer s", "brine s", "ratio", "brine rows/s"],
        comparison(bench, "convert, lists of floats (peer: Python)", "peer convert list", "brine convert list"),
        comparison(bench, "convert, float32 arrays (peer: Python)", "peer convert f32", "brine convert f32"),
        comparison(bench, "convert, lists (peer: pandas.read_pickle alone)", "pandas load list", "brine convert list"),
        comparison(bench, "stream to a server that counts (peer: Python push)", peer_push, discard),
        comparison(bench, "stream to a server that stores (peer: Python push, not stored)", peer_push, store),
        comparison(bench, "stream to a server that counts (peer: Flight DoPut)", "flight DoPut", discard),
        comparison(bench, "stream to a server that counts (peer: bytes on a bare socket)", "raw TCP", discard),
        comparison(bench, "session to a server that counts (peer: brine without sessions)", discard, sessions[discard]),
        comparison(bench, "session to a server that stores (peer: Python push, not stored)", peer_push, sessions[store]),
        comparison(bench, "session to a server that stores (peer: brine without sessions)", store, sessions[store]),
    ]
    memory = [["process", "peak MiB", "private MiB"]]
    for name, values in bench.measured.items():
        memory.append([name, f"{median(values, 'peak_mib'):.0f}", f"{median(values, 'private_mib'):.0f}"])
    limit = [["convert under prlimit --data=201326592 (192 MiB)", ""]]
    limit += [[kind, said] for kind, said in bench.limited.items()]
    return [speed, memory, limit]


def machine():
    model, total = platform.machine(), 0
    with contextlib.suppress(OSError):
        model = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text()).group(1)
        total = int(re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text()).group(1)) >> 20
    cores = len(os.sched_getaffinity(0))
    return f"{model}, {cores} cores, {total} GiB, {platform.system()} {platform.release()}, {time.strftime('%Y-%m-%d')}"


def as_markdown(table):
    lines = [f"| {' | '.join(row)} |" for row in table]
    lines.insert(1, "|---" + "|---:" * (len(table[0]) - 1) + "|")
    return "\n".join(lines)


def as_text(table):
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
    return "\n".join("  ".join(cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths))) for row in table)


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, default=ROOT / "target" / "bench-data", help="where the data is kept")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rows", type=int)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--md", action="store_true", help="print Markdown")
    parser.add_argument("--json", action="store_true", help="print every measurement as JSON")
    parser.add_argument("--brine", help="the binary (default: built for release)")
    args = parser.parse_args()
    args.rows = args.rows or (QUICK_ROWS if args.quick else FULL_ROWS)
    args.rounds = args.rounds or (1 if args.quick else 5)
    args.data = args.data.resolve()
    args.data.mkdir(parents=True, exist_ok=True)
    bench = Bench(args)
    bench.run()
    if args.json:
        print(json.dumps({"machine": machine(), "rows": args.rows, "measured": bench.measured, "limited": bench.limited}))
        return
    command = " ".join(["scripts/bench", *(["--quick"] if args.quick else []), *(["--md"] if args.md else [])])
    print(f"{machine()}. {args.rows:,} rows of 384 dimensions, medians of {args.rounds} rounds: `{command}`\n")
    print("\n\n".join(map(as_markdown if args.md else as_text, tables(bench))))


if __name__ == "__main__":
    main()
