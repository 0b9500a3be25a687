"""F16: the power is cut while a session runs. The file system's disk is a recording, so that a cut can be at any write: what was
flushed before it is there, and of what was written since only some, by chance.
"""

import contextlib
import os
import subprocess
import sys

from faults import oracles, recorder, tools
from faults.lab import MODES, committed
from faults.processes import Failed, Watch, start

SIZE = 192 << 20
SECTOR = 4096


@contextlib.contextmanager
def loop(image):
    """A loop device of a file."""
    device = subprocess.run(["losetup", "-f", "--show", image], check=True, capture_output=True, text=True).stdout.strip()
    try:
        yield device
    finally:
        subprocess.run(["losetup", "-d", device], check=False)


@contextlib.contextmanager
def mounted(device, folder):
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "ext4", device, folder], check=True)
    try:
        yield
    finally:
        if subprocess.run(["umount", folder], check=False).returncode:
            subprocess.run(["umount", "-l", folder], check=False)


@contextlib.contextmanager
def recorded(place):
    """A file system whose disk is recorded: its folder and the recording."""
    host, log, folder = place / "host", place / "recording", place / "disk"
    host.mkdir()
    process = start([sys.executable, "-m", "faults.recorder", host, SIZE, log], stdout=subprocess.PIPE)
    if process.stdout.readline().strip() != "mounted":
        raise Failed("the recorded disk could not be mounted")
    try:
        subprocess.run(["mkfs.ext4", "-q", "-F", host / "disk"], check=True)
        with loop(host / "disk") as device, mounted(device, folder):
            yield folder, log
    finally:
        subprocess.run(["umount", "-l", host], check=False)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)


class Marked(Watch):
    """A watch that also notes how long the recording was when an acknowledgement had come."""

    def __init__(self, server, log):
        self.log, self.marks = log, []
        super().__init__(server)

    def noted(self, rows):
        self.marks.append((os.stat(self.log).st_size, rows))


def cuts(row, lab):
    """F16: the recording of a run is cut at many places; each image is mounted, served and gone on with."""
    if reason := tools.no_power_cut():
        row.not_run = reason
        return
    images = 60 if lab.long else 20
    for mode in MODES:
        run, before = lab.run(), len(row.problems)
        with row.run(f"the run, {mode}"), recorded(run.place) as (folder, log):
            run.use_store(folder / "store")
            run.server.start()
            begin = os.stat(log).st_size
            watch = Marked(run.server, log)
            run.client(lab.data, "--mode", mode).succeed()
            watch.stop()
            end = os.stat(log).st_size
            run.server.stop()
        row.runs -= 1
        if len(row.problems) > before:
            return
        kept = run.place / "recording"
        places = sorted(lab.random.sample(range(begin, end), images // 4))
        # The moment after an acknowledgement is the one at which it must hold.
        places += [lab.random.choice(watch.marks)[0] for _ in range(images // 2 - len(places))]
        for place in places:
            acknowledged = max((rows for at, rows in watch.marks if at <= place), default=0)
            with row.run(f"cut at {place}, {mode}"):
                cut(row, lab, f"cut at {place} with {acknowledged} rows acknowledged, {mode}", run, kept, place, acknowledged, mode)


def image(lab, log, place, path):
    """What a disk that lost its power at `place` of the recording may hold."""
    with open(path, "wb") as file:
        file.truncate(SIZE)
        unflushed = []

        def land(offset, data):
            file.seek(offset)
            file.write(data)

        for end, offset, data in recorder.records(log):
            if end > place:
                break
            if data is not None:
                unflushed.append((offset, data))
                continue
            for one in unflushed:
                land(*one)
            unflushed.clear()
        for offset, data in unflushed:
            # Any part of any of them, by blocks.
            for at in range(0, len(data), SECTOR):
                if lab.random.random() < 0.5:
                    land(offset + at, data[at : at + SECTOR])


def cut(row, lab, what, recording, log, place, acknowledged, mode):
    path, folder = recording.place / "image", recording.place / "cut"
    image(lab, log, place, path)
    run = type(recording)(lab, recording.place)
    with loop(path) as device, mounted(device, folder):
        run.use_store(folder / "store")
        run.server.start()
        found = committed(run.server)
        row.lost += max(0, acknowledged - found)
        row.check(what, found >= acknowledged, f"{found} rows are there")
        run.client(lab.data, "--mode", mode).succeed()
        run.end(row, what, lab.data)
        row.check(what, oracles.read(run.store) is not None, "there is no table")
    path.unlink()
