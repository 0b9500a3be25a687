"""F11, F12: two clients with one session, and files that change between two attempts."""

import numpy as np
from faults import oracles, proxy
from faults.data import Data
from faults.lab import MODES
from faults.network import SLOW

FENCED = 8


def two_clients(row, lab):
    """F11: the second client takes the session over in the middle of the first one's stream."""
    for number in range(20 if lab.long else 10):
        mode = MODES[number % 2]
        what = f"{number} {mode}"
        with row.run(what):
            run = lab.run()
            run.server.start()
            watch = run.watched()
            with proxy.before(run.server.port) as line:
                line.rate = 2 * SLOW
                first = run.client(lab.data, "--mode", mode, address=line.address())
                most = lab.random.randrange(lab.data.rows // 2)
                watch.until(lambda rows: rows > most)
                second = run.client(lab.data, "--mode", mode, name="second")
                second.succeed()
                code, _ = first.wait()
            row.check(what, code == FENCED, f"the fenced client ended with {code}: {first.said()[-300:]}")
            run.end(row, what, lab.data)


def one_float(table):
    table = table.copy()
    vector = np.array(table["job_post_vectors"].iloc[len(table) // 2])
    vector[7] = np.nextafter(vector[7], np.float32(9))
    table.at[len(table) // 2, "job_post_vectors"] = vector
    return table


def appended(table):
    more = table.head(100).copy()
    more["id"] = [f"ffffffff-0000-5000-8000-{number:012x}" for number in range(len(more))]
    import pandas as pd

    return pd.concat([table, more], ignore_index=True)


CONVERTED = {
    "one float changed": dict(change=one_float),
    "rows appended": dict(change=appended),
    "rows cut off": dict(change=lambda table: table.head(len(table) - 1000)),
    "another file": dict(seed=9),
}


def changed_files(row, lab):
    """F12: a run breaks off, the file becomes another, and the same command is given again."""
    for number, (what, change) in enumerate(CONVERTED.items()):
        for mode in MODES if lab.long else (MODES[number % 2],):
            with row.run(f"{what}, {mode}"):
                reconverted(row, lab, f"{what}, {mode}", change, mode)
    for what, damage in DAMAGES.items():
        with row.run(what):
            damaged(row, lab, what, damage)


def broken_off(lab, run, data, mode):
    """A run whose client dies in the middle."""
    run.server.start()
    watch = run.watched()
    with proxy.before(run.server.port) as line:
        line.rate = 2 * SLOW
        client = run.client(data, "--mode", mode, address=line.address())
        watch.until(lambda rows: rows > 0)
        client.kill()
    watch.stop()
    run.watch = None
    return watch.rows


def reconverted(row, lab, what, change, mode):
    run = lab.run()
    folder = run.place / "data"
    before = Data(lab.brine, folder)
    rows = broken_off(lab, run, before, mode)
    row.check(what, 0 < rows < before.rows, f"{rows} rows were there, which is no middle")
    after = Data(lab.brine, folder, **change)
    report = run.client(after, "--mode", mode).succeed()
    row.check(what, report["session"]["rows_there_before"] == 0, "the other file went on in the old session")
    code = run.server.stop()
    row.check(what, code == 0, f"the server ended with {code}")
    stored = oracles.read(run.store)
    for rows_stored in stored.values():
        row.compare(what, oracles.Difference(after.expected, rows_stored))
    run.quiet(row, what)


def flip_vector(data):
    """A bit of a float, at a place that was sent before."""
    path = data.path.with_suffix(".arrow")
    content = bytearray(path.read_bytes())
    content[len(content) // 10] ^= 1
    path.write_bytes(content)


def flip_later(data):
    path = data.path.with_suffix(".arrow")
    content = bytearray(path.read_bytes())
    content[len(content) * 9 // 10] ^= 1
    path.write_bytes(content)


def cut_short(data):
    path = data.path.with_suffix(".arrow")
    with open(path, "r+b") as file:
        file.truncate(path.stat().st_size // 2)


DAMAGES = {
    "a bit flipped in what was sent": flip_vector,
    "a bit flipped in what was not sent": flip_later,
    "the Arrow file cut short": cut_short,
}


def damaged(row, lab, what, damage):
    """Files that no conversion made: nothing is published, unless what counts is untouched."""
    run = lab.run()
    data = Data(lab.brine, run.place / "data")
    broken_off(lab, run, data, "pending")
    damage(data)
    client = run.client(data)
    code, _ = client.wait()
    row.count(f"exit {code}")
    run.server.stop()
    stored = oracles.read(run.store)
    run.quiet(row, what)
    if code == 0:
        for rows in stored.values():
            row.compare(what, oracles.Difference(data.expected, rows))
        return
    row.check(what, code in (1, 3, 4), f"the client ended with {code}: {client.said()[-300:]}")
    row.check(what, stored is None, "a table was published")
