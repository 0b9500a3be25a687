"""Attack `brine serve` and `brine batch-server`, and look what they answer, what it costs them and whom else it hurts.

    scripts/attacks                        all attacks, about 6 minutes
    scripts/attacks --quick                shorter floods, fewer sockets, at most 3 minutes
    scripts/attacks --only pings,tokens    some of them
    scripts/attacks --list                 their names
    scripts/attacks --md                   prints the table as Markdown
    scripts/attacks --md FILE              also writes it between the marks in FILE
    scripts/attacks --data DIR/NAME        serves this data set, not the one that is made

An attack that this machine or this binary cannot stand for says NOT RUN and why: that is not a pass (--strict: it fails). Exits
with 1 if a server died, kept memory or files, answered otherwise than it must, or was not healthy afterwards.
"""

import argparse
import concurrent.futures
import os
import pathlib
import platform
import re
import shutil
import tempfile

import contract
from attacks import crowds, drain, floods, patience, sizes, table, trust
from attacks.lab import Lab
from faults.processes import end_all

ROWS = [
    ("message-limit", "a message at the limit, and one of a byte more", sizes.message_limit),
    ("request-limit", "a request far larger than any needs to be", sizes.request_limit),
    ("gzip-bomb", "4 MiB of gzip that become 4 GiB", sizes.gzip_bomb),
    ("zstd-bomb", "4 MiB of zstd that become 128 GiB", sizes.zstd_bomb),
    ("empty-rows", "4 MiB of rows of two bytes", sizes.empty_rows),
    ("nested-groups", "unknown groups, a million deep", sizes.nested_groups),
    ("header-list", "more than 16 KiB of headers", sizes.header_list),
    ("streams", "a 33rd call on one connection", crowds.streams),
    ("connections", "more than 256 connections", crowds.connections),
    ("overload", "four times as many calls as permitted", crowds.overload),
    ("files", "64 files for 200 connections", crowds.files),
    ("rapid-reset", "100,000 calls cancelled at once", floods.rapid_reset),
    ("continuations", "header blocks that never end", floods.continuations),
    ("empty-data", "DATA frames without data", floods.empty_data),
    ("tiny-data", "DATA frames of one byte", floods.tiny_data),
    ("pings", "10,000 PING a second", floods.pings),
    ("settings", "10,000 SETTINGS a second", floods.settings),
    ("silent", "1,000 connections that say nothing", patience.silent),
    ("no-request", "connections that never call", patience.no_request),
    ("keepalive", "clients that ping without calls", patience.keepalive),
    ("tls-silent", "1,000 handshakes that are never finished", patience.tls_silent),
    ("slow-sender", "a byte a second inside a message", patience.slow_sender),
    ("slow-crowd", "16 slow senders, each with the largest message", patience.slow_crowd),
    ("stalled-readers", "64 readers that do not read, chunks of 1,000", patience.stalled),
    ("deadline", "a deadline of 1 s on a long answer", patience.deadline),
    ("tokens", "no token, wrong ones, guesses", trust.tokens),
    ("server-certificates", "expired and wrong ones of the server, plaintext", trust.server_certificates),
    ("client-certificates", "none, expired and forged ones of clients", trust.client_certificates),
    ("sigterm-readers", "SIGTERM while eight read", drain.readers),
    ("sigterm-sender", "SIGTERM while a session sends", drain.senders),
]
# These let time pass, and little else happens.
WAITING = {"silent", "no-request", "keepalive", "tls-silent", "slow-sender", "slow-crowd", "sigterm-readers", "sigterm-sender"}
BEGIN, END = "<!-- attacks -->", "<!-- end of attacks -->"


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/attacks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--brine", type=pathlib.Path, required=True, help="the binary (default: built)")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", default="", help="names of attacks, with commas")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--md", nargs="?", const="-", metavar="FILE")
    parser.add_argument("--data", type=pathlib.Path, metavar="DIR/NAME")
    parser.add_argument("--strict", action="store_true")
    parser.add_argument("--keep", action="store_true", help="leave the folder of the runs, and say where it is")
    return parser.parse_args()


def chosen(args):
    names = [name for name in args.only.split(",") if name]
    unknown = set(names) - {name for name, *_ in ROWS}
    if unknown:
        raise SystemExit(f"no attack is called {', '.join(sorted(unknown))}")
    return [row for row in ROWS if not names or row[0] in names]


def machine(args):
    form = "short form" if args.quick else "whole form"
    cores = len(os.sched_getaffinity(0))
    version = contract.run([args.brine, "--version"]).strip()
    return f"{form}, Linux {platform.release()}, {cores} cores, Python {platform.python_version()}, {version}"


def write_markdown(path, rows, args):
    """Replaces what stands between the marks."""
    text = f"{BEGIN}\n{table.as_markdown(rows)}\n\n{machine(args)}\n{END}"
    old = path.read_text() if path.exists() else ""
    new = re.sub(f"{BEGIN}.*{END}", lambda _: text, old, flags=re.DOTALL) if BEGIN in old else f"{old}{text}\n"
    path.write_text(new)


def attacked(args):
    """Every row, one after the other, because attacks at once would measure each other; the short form lets those wait together that
    only wait."""
    contract.stubs(), contract.stubs("ingest_session")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="brine-attacks-"))
    try:
        lab = Lab(args.brine.resolve(), folder, args.quick, args.data)
        # Converting is no part of the first row's time.
        lab.data, lab.messages  # noqa: B018
        rows = [(table.Row(name, what), action) for name, what, action in chosen(args)]
        together = [(row, action) for row, action in rows if args.quick and row.name in WAITING]
        for row, action in rows:
            if (row, action) not in together:
                table.run(row, action, lab)
                end_all()
        with concurrent.futures.ThreadPoolExecutor(len(WAITING)) as pool:
            list(pool.map(lambda pair: table.run(*pair, lab), together))
        return [row for row, _ in rows]
    finally:
        end_all()
        if args.keep:
            print(f"the runs lie in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def main():
    args = arguments()
    if args.list:
        print("\n".join(f"{name:20} {what}" for name, what, _ in ROWS))
        return 0
    rows = attacked(args)
    print(f"\n{machine(args)}\n{table.as_markdown(rows) if args.md == '-' else table.as_text(rows)}")
    if args.md and args.md != "-":
        write_markdown(pathlib.Path(args.md), rows, args)
    failed = [row for row in rows if row.problems]
    idle = [row for row in rows if not row.problems and row.result != "held"]
    print(f"\nattacks: {len(rows) - len(failed) - len(idle)} withstood, {len(failed)} failed, {len(idle)} NOT RUN")
    return 1 if failed or (args.strict and idle) else 0


if __name__ == "__main__":
    raise SystemExit(main())
