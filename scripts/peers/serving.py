#!/usr/bin/env python3
"""Measure `brine serve` against a Python server of the same contract, in turn, in one run.

    scripts/bench serve           full size: 141,897 rows of 384 dimensions, three rounds, chunks of 100, 300 and 1,000 rows
    scripts/bench serve --quick   5,000 rows, one round: does it still run
    scripts/bench serve --md      the tables as Markdown, for benches/README.md

Both servers run through all rounds. A Python client pulls from both, `brine pull` from brine's: where the client is the
limit, its own share of the time says so. Then 64 readers stop reading, and a healthy one pulls beside them.
"""

import argparse
import pathlib
import statistics
import subprocess
import tempfile

import bench

CHUNKS = (100, 300, 1000)
STALLED = 64


class Serving:
    """The two servers and what was measured: (who serves, who pulls, chunk) to one value for each round."""

    def __init__(self, args):
        self.args = args
        self.python = bench.environment("current")
        self.brine = args.brine or bench.release_binary()
        self.measured = {}
        self.memory = {}

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
        if said["said"]["rows"] != self.args.rows:
            raise SystemExit(f"{said['said']['rows']} rows arrived, {self.args.rows} are served")
        return said

    def note(self, server, client, chunk, said):
        value = {name: said["said"][name] for name in ("seconds", "first_chunk_seconds")}
        value.update(wall=said["wall"], peak_mib=said["peak_mib"], private_mib=said["private_mib"])
        self.measured.setdefault((server, client, chunk), []).append(value)
        bench.note(f"{server} to {client}, chunks of {chunk}: {value['seconds']:.3f} s, first {value['first_chunk_seconds'] * 1000:.1f} ms")

    def rounds(self, ports):
        for number in range(self.args.rounds):
            bench.note(f"round {number + 1} of {self.args.rounds}")
            for chunk in CHUNKS:
                self.note("python", "python", chunk, self.pull("python", chunk, ports["python"]))
                self.note("brine", "python", chunk, self.pull("python", chunk, ports["brine"]))
                self.note("brine", "brine", chunk, self.pull("brine", chunk, ports["brine"]))

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

    def run(self):
        source = self.source()
        with tempfile.TemporaryDirectory(prefix="serve-", dir=self.args.data) as folder:
            command = [self.brine, "convert", source, "-o", folder, "--name", "recruit", "--quiet"]
            subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL)
            brine = [self.brine, "serve", pathlib.Path(folder) / "recruit", "--listen", "127.0.0.1:0"]
            python = [self.python, bench.PIPELINE, "serve", source]
            with bench.server(python) as (slow, _), bench.server(brine) as (port, sampler):
                sampler.finish()
                self.rounds({"python": slow, "brine": port})
                self.stall(port, sampler.pid)

    def middle(self, server, client, chunk, what="seconds"):
        return statistics.median(value[what] for value in self.measured[server, client, chunk])

    def ratio(self, client, chunk):
        pairs = zip(self.measured["python", "python", chunk], self.measured["brine", client, chunk])
        return statistics.median(peer["seconds"] / ours["seconds"] for peer, ours in pairs)

    def tables(self):
        speed = [["chunk rows", "Python serves, Python pulls s", "brine serves, Python pulls s", "ratio",
                  "brine serves, brine pulls s", "ratio", "brine rows/s", "first chunk ms"]]  # fmt: skip
        for chunk in CHUNKS:
            seconds = [self.middle(*who, chunk) for who in (("python", "python"), ("brine", "python"), ("brine", "brine"))]
            first = self.middle("brine", "brine", chunk, "first_chunk_seconds") * 1000
            speed.append([str(chunk), f"{seconds[0]:.3f}", f"{seconds[1]:.3f}", f"{self.ratio('python', chunk):.1f}", f"{seconds[2]:.3f}",
                          f"{self.ratio('brine', chunk):.1f}", f"{self.args.rows / seconds[2]:,.0f}", f"{first:.1f}"])  # fmt: skip
        memory = [["brine serve", "peak MiB", "private MiB"]]
        memory += [[what, f"{value['peak_mib']:.0f}", f"{value['private_mib']:.0f}"] for what, value in self.memory.items()]
        beside = [["a healthy reader, chunks of 300", "s"]]
        beside += [["alone", f"{self.beside[0]:.3f}"], [f"beside {STALLED} stalled ones", f"{self.beside[1]:.3f}"]]
        return [speed, memory, beside]


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


if __name__ == "__main__":
    main()
