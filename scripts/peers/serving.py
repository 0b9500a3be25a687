#!/usr/bin/env python3
"""Measure `brine serve` against a Python server of the same contract, in turn, in one run.

    scripts/bench serve           full size: 141,897 rows of 384 dimensions, three rounds, chunks of 100, 300 and 1,000 rows
    scripts/bench serve --quick   5,000 rows, one round: does it still run
    scripts/bench serve --md      the tables as Markdown, for benches/README.md

Both servers run through all rounds. A Python client pulls from both, `brine pull` from brine's: where the client is the
limit, its own share of the time says so (1.0 is one core). Every answer must have all rows, in as many chunks as the size
asked for makes. Then 64 readers stop reading, and a healthy one pulls beside them.

Last, 8 readers pull at once from files of an eighth of the full size's rows, of as many, and of four times as many (not
with --quick). The server's private memory must stay within 96 MiB at every size, also where the file is far larger, else the
run fails; and that neither the first request nor the second waits longer for a longer file shows that nothing is loaded.
"""

import argparse
import concurrent.futures
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

import bench

CHUNKS = (100, 300, 1000)
STALLED = 64
READERS = 8
# Who serves and who pulls.
PAIRS = (("python", "python"), ("brine", "python"), ("brine", "brine"))
# Of the full size, whatever the rows of the run: a file must be larger than what the server may hold, or its bound says nothing.
SIZES = (("an eighth", 1 / 8), ("full size", 1), ("four times", 4))
QUICK_SIZES = SIZES[:2]
PRIVATE_MIB_MAX = 96
# What a row of scripts/make_large_pickle.py takes with float32 vectors.
ROW_BYTES = 1_630


class Serving:
    """The two servers and what was measured: (who serves, who pulls, chunk) to one value for each round."""

    def __init__(self, args):
        self.args = args
        self.python = bench.environment("current")
        self.brine = args.brine or bench.release_binary()
        self.measured = {}
        self.memory = {}
        self.first_chunks = {}
        self.sizes = []

    def source(self):
        """The pickle that scripts/bench makes, and its data set."""
        maker = argparse.Namespace(data=self.args.data, rows=self.args.rows, brine=self.brine)
        return bench.Bench(maker).data["f32"]

    def pull(self, who, chunk, port):
        if who == "python":
            command = [self.python, bench.PIPELINE, "pull", port, "--chunk", chunk]
        else:
            command = [self.brine, "pull", "--from", f"http://127.0.0.1:{port}", "--chunk-size", chunk, "--json", "--quiet"]
        said = bench.measure(command)
        self.expect(said["said"], chunk, self.args.rows)
        return said

    @staticmethod
    def expect(said, chunk, rows):
        """All rows, in as many chunks as they fill."""
        expected = {"rows": rows, "chunks": -(-rows // chunk)}
        found = {name: said[name] for name in expected}
        if found != expected:
            raise SystemExit(f"chunks of {chunk}: {found} arrived, expected were {expected}")

    def time(self, server, client, chunk, port):
        """One pull: its time, and the processor's on both sides."""
        served = bench.processor_of(self.pids[server])
        said = self.pull(client, chunk, port)
        served = bench.processor_of(self.pids[server]) - served
        value = {name: said["said"][name] for name in ("seconds", "first_chunk_seconds", "chunks")}
        # Python's own clock leaves out its imports.
        value.update(client_cpu=said["said"].get("cpu_seconds", said["cpu"]), server_cpu=served)
        value["share"] = value["client_cpu"] / value["seconds"]
        self.measured.setdefault((server, client, chunk), []).append(value)
        bench.note(f"{server} to {client}, chunks of {chunk}: {value['seconds']:.3f} s, first {value['first_chunk_seconds'] * 1000:.1f} ms")

    def rounds(self, ports):
        for number in range(self.args.rounds):
            bench.note(f"round {number + 1} of {self.args.rounds}")
            for chunk in CHUNKS:
                for server, client in PAIRS:
                    self.time(server, client, chunk, ports[server])

    def first_requests(self, ports):
        """How long the first chunk takes of the first requests that a server gets."""
        for who, port in ports.items():
            self.first_chunks[who] = [self.pull(who, 300, port)["said"]["first_chunk_seconds"] for _ in range(2)]

    def stall(self, port, pid):
        """Memory of the server, and a healthy reader's time, while others do not read."""
        quiet = [self.pull("brine", 300, port)["said"]["seconds"] for _ in range(3)]
        self.memory["quiet"] = bench.memory_of(pid)
        command = [self.python, bench.PIPELINE, "stall", port, "--chunk", 1000, "--streams", STALLED]
        stalled = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, text=True)
        try:
            stalled.stdout.readline()
            beside = [self.pull("brine", 300, port)["said"]["seconds"] for _ in range(3)]
            self.memory[f"{STALLED} stalled readers"] = bench.memory_of(pid)
        finally:
            stalled.terminate()
            stalled.wait()
        self.beside = (statistics.median(quiet), statistics.median(beside))

    def size(self, name, factor, folder):
        """What a server of a table of another size takes, and how soon it answers, while several read."""
        pickle, gigabytes = folder / "sized.pkl", bench.FULL_ROWS * factor * ROW_BYTES / 1e9
        maker = [sys.executable, bench.ROOT / "scripts" / "make_large_pickle.py", pickle, "--gigabytes", gigabytes, "--vectors", "f32"]
        subprocess.run([str(part) for part in maker], check=True, stdout=subprocess.DEVNULL)
        convert = [self.brine, "convert", pickle, "-o", folder / "sized", "--name", "recruit", "--only", "arrow", "--json", "--quiet"]
        rows = bench.measure(convert)["said"]["inputs"][0]["tables"][0]["rows"]
        pickle.unlink()
        file_mib = (folder / "sized" / "recruit.arrow").stat().st_size / 2**20
        with bench.server([self.brine, "serve", folder / "sized" / "recruit", "--listen", "127.0.0.1:0"]) as (port, sampler):
            pull = [self.brine, "pull", "--from", f"http://127.0.0.1:{port}", "--json", "--quiet"]
            first = [bench.measure(pull)["said"]["first_chunk_seconds"] * 1000 for _ in range(2)]
            with concurrent.futures.ThreadPoolExecutor(READERS) as readers:
                for said in readers.map(bench.measure, [pull] * READERS):
                    self.expect(said["said"], 300, rows)
            private = sampler.finish()["private_mib"]
        shutil.rmtree(folder / "sized")
        bench.note(f"{name}: {rows:,} rows, {file_mib:.0f} MiB: {private:.0f} MiB private with {READERS} readers")
        self.sizes.append({"name": name, "rows": rows, "file_mib": file_mib, "first": first, "private_mib": private})

    def run(self):
        source = self.source()
        with tempfile.TemporaryDirectory(prefix="serve-", dir=self.args.data) as folder:
            command = [self.brine, "convert", source, "-o", folder, "--name", "recruit", "--quiet"]
            subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL)
            brine = [self.brine, "serve", pathlib.Path(folder) / "recruit", "--listen", "127.0.0.1:0"]
            python = [self.python, bench.PIPELINE, "serve", source]
            with bench.server(python) as (slow, other), bench.server(brine) as (port, sampler):
                other.finish(), sampler.finish()
                self.pids, ports = {"python": other.pid, "brine": sampler.pid}, {"python": slow, "brine": port}
                self.first_requests(ports)
                self.rounds(ports)
                self.stall(port, sampler.pid)
            for name, factor in QUICK_SIZES if self.args.quick else SIZES:
                self.size(name, factor, pathlib.Path(folder))

    def middle(self, server, client, chunk, what="seconds"):
        return statistics.median(value[what] for value in self.measured[server, client, chunk])

    def ratio(self, client, chunk):
        pairs = zip(self.measured["python", "python", chunk], self.measured["brine", client, chunk])
        return statistics.median(peer["seconds"] / ours["seconds"] for peer, ours in pairs)

    def tables(self):
        speed = [["chunk rows", "chunks", "Python serves, Python pulls s", "brine serves, Python pulls s", "ratio",
                  "brine serves, brine pulls s", "ratio", "brine rows/s", "first chunk ms"]]  # fmt: skip
        for chunk in CHUNKS:
            seconds = [self.middle(*who, chunk) for who in PAIRS]
            chunks = self.middle("brine", "brine", chunk, "chunks")
            first = self.middle("brine", "brine", chunk, "first_chunk_seconds") * 1000
            speed.append([str(chunk), f"{chunks:,.0f}", f"{seconds[0]:.3f}", f"{seconds[1]:.3f}", f"{self.ratio('python', chunk):.1f}", f"{seconds[2]:.3f}",
                          f"{self.ratio('brine', chunk):.1f}", f"{self.args.rows / seconds[2]:,.0f}", f"{first:.1f}"])  # fmt: skip
        memory = [["brine serve", "peak MiB", "private MiB"]]
        memory += [[what, f"{value['peak_mib']:.0f}", f"{value['private_mib']:.0f}"] for what, value in self.memory.items()]
        beside = [["a healthy reader, chunks of 300", "s"]]
        beside += [["alone", f"{self.beside[0]:.3f}"], [f"beside {STALLED} stalled ones", f"{self.beside[1]:.3f}"]]
        return [speed, self.shares(), memory, beside, self.requests(), self.by_size()]

    def shares(self):
        table = [["chunk rows, who serves and who pulls", "s", "client's CPU s", "client's share", "server's CPU s", "server's share"]]
        for chunk in CHUNKS:
            for pair in PAIRS:
                seconds, client, share, server = (self.middle(*pair, chunk, what) for what in ("seconds", "client_cpu", "share", "server_cpu"))
                figures = [f"{seconds:.3f}", f"{client:.2f}", f"{share:.2f}", f"{server:.2f}", f"{server / seconds:.2f}"]
                table.append([f"{chunk}, {pair[0]} to {pair[1]}", *figures])
        return table

    def requests(self):
        table = [["first chunk of 300 rows, each server's own client", "first request ms", "second request ms"]]
        return table + [[f"{who} serves", *(f"{seconds * 1000:.1f}" for seconds in both)] for who, both in self.first_chunks.items()]

    def by_size(self):
        table = [["brine serve by size", "rows", "file MiB", "first request: first chunk ms", "second ms", f"private MiB, {READERS} readers"]]
        for size in self.sizes:
            first, second = size["first"]
            figures = [f"{size['rows']:,}", f"{size['file_mib']:.0f}", f"{first:.1f}", f"{second:.1f}", f"{size['private_mib']:.0f}"]
            table.append([size["name"], *figures])
        return table

    def check_memory(self):
        beyond = [size["name"] for size in self.sizes if not 0 < size["private_mib"] <= PRIVATE_MIB_MAX]
        if beyond:
            raise SystemExit(f"not within {PRIVATE_MIB_MAX} MiB of private memory with {READERS} readers: {', '.join(beyond)}")


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench serve", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, default=bench.ROOT / "target" / "bench-data", help="where the data is kept")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rows", type=int)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--md", action="store_true", help="print Markdown")
    parser.add_argument("--brine", help="the binary (default: built for release)")
    args = parser.parse_args()
    args.rows = args.rows or (bench.QUICK_ROWS if args.quick else bench.FULL_ROWS)
    args.rounds = args.rounds or (1 if args.quick else 3)
    args.data = args.data.resolve()
    args.data.mkdir(parents=True, exist_ok=True)
    serving = Serving(args)
    serving.run()
    command = " ".join(["scripts/bench serve", *(["--quick"] if args.quick else []), *(["--md"] if args.md else [])])
    print(f"{bench.machine()}. {args.rows:,} rows of 384 dimensions, medians of {args.rounds} rounds: `{command}`\n")
    print("\n\n".join(map(bench.as_markdown if args.md else bench.as_text, serving.tables())))
    serving.check_memory()


if __name__ == "__main__":
    main()
