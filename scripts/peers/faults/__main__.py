"""Break things on purpose, and look whether a row was lost or stored twice.

    scripts/faults                     the short form, about 5 minutes
    scripts/faults --long              all rows that this machine can run
    scripts/faults --only F1,F5        some of them
    scripts/faults --seed 7            other random choices (default: 1)
    scripts/faults --md FILE           also writes the table as Markdown, between the marks in FILE
    scripts/faults --strict            a row that could not run counts as failed

A row that this machine cannot run says NOT RUN and why: that is not acceptance. Exits with 1 if a row failed.
"""

import argparse
import pathlib
import platform
import re
import shutil
import tempfile

import contract
from faults import chunks, disk, kills, longer, network, older, power, pulled, rivals, table, tools
from faults.lab import Lab
from faults.processes import end_all


def no_postgres(row, _):
    row.not_run = "there is no store in PostgreSQL yet"


ROWS = [
    ("F1", "server killed at each named point", kills.server_points, True),
    ("F2", "client killed at each named point", kills.client_points, True),
    ("F3", "either side killed at random, up to ten times a run", kills.at_random, True),
    ("F4", "silence of 0.5, 3 and 15 s in the middle", network.partitions, False),
    ("F5", "every connection reset each second", network.resets, True),
    ("F6", "1 and 5 % of the packets lost", network.loss, False),
    ("F7", "a slow and late line", network.slow, False),
    ("F8", "one bit changed in each MiB", network.corruption, False),
    ("F9", "connection cut after N bytes", network.cuts, True),
    ("F10", "chunks doubled, reordered, lost, overlapping, changed", chunks.mutations, True),
    ("F11", "two clients with one session", rivals.two_clients, True),
    ("F12", "file changed between attempts", rivals.changed_files, True),
    ("F13", "server stopped for 5 and 40 s", longer.standstill, False),
    ("F14", "fsync, write and rename fail", disk.errors, True),
    ("F15", "disk full at ten sizes", disk.full, True),
    ("F16", "power cut, disk images of any write", power.cuts, True),
    ("F17", "converter killed at any time", longer.conversions, False),
    ("F18", "PostgreSQL stopped, and cut off in COMMIT", no_postgres, False),
    ("F19", "SIGTERM with eight streams", longer.stopped, False),
    ("F20", "old servers that fail on the way", older.servers, True),
    ("F21", "old clients into the new server", older.clients, True),
    ("F22", "consumers of served rows killed", pulled.consumers, False),
]
BEGIN, END = "<!-- results -->", "<!-- end of results -->"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--brine", type=pathlib.Path, required=True, help="a binary with the feature failpoints")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--short", action="store_true", help="the short form (default)")
    form.add_argument("--long", action="store_true")
    parser.add_argument("--only", default="", help="names of rows, with commas")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--md", type=pathlib.Path)
    parser.add_argument("--strict", action="store_true")
    parser.add_argument("--keep", action="store_true", help="leave the folder of the runs, and say where it is")
    return parser.parse_args()


def chosen(args):
    names = [name.upper() for name in args.only.split(",") if name]
    unknown = set(names) - {name for name, *_ in ROWS}
    if unknown:
        raise SystemExit(f"no row is called {', '.join(sorted(unknown))}")
    return [row for row in ROWS if (row[0] in names if names else args.long or row[3])]


def machine(args):
    form = "long" if args.long else "short"
    return f"{form} form, seed {args.seed}, Linux {platform.release()}, Python {platform.python_version()}; {tools.mounted()}"


def write_markdown(path, rows, args):
    """Replaces what stands between the marks."""
    text = f"{BEGIN}\n{table.as_markdown(rows)}\n\n{machine(args)}\n{END}"
    old = path.read_text() if path.exists() else ""
    new = re.sub(f"{BEGIN}.*{END}", lambda _: text, old, flags=re.DOTALL) if BEGIN in old else f"{old}{text}\n"
    path.write_text(new)


def main():
    args = arguments()
    # The second file imports the first.
    contract.stubs(), contract.stubs("ingest_session")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="brine-faults-"))
    try:
        lab = Lab(args.brine.resolve(), folder, args.seed, args.long)
        rows = [table.measured(table.Row(name, fault), action, lab) for name, fault, action, _ in chosen(args)]
    finally:
        end_all()
        if args.keep:
            print(f"the runs lie in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    print(f"\n{machine(args)}\n{table.as_text(rows)}")
    if args.md:
        write_markdown(args.md, rows, args)
    failed = [row for row in rows if row.problems]
    idle = [row for row in rows if not row.problems and row.result != "passed"]
    print(f"\nfaults: {len(rows) - len(failed) - len(idle)} rows passed, {len(failed)} failed, {len(idle)} NOT RUN")
    return 1 if failed or (args.strict and idle) else 0


if __name__ == "__main__":
    raise SystemExit(main())
