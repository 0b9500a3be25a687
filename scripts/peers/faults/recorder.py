"""A disk that remembers the order of what was written to it: one file of a FUSE file system, of which a loop device is made.

    python -m faults.recorder FOLDER BYTES LOG

Mounts FOLDER with one file `disk` of BYTES in it and appends every write and every flush to LOG: offset, length, data; a flush
has length 0. It speaks the kernel's protocol itself, as much of it as one file needs. Ends when FOLDER is unmounted.
"""

import ctypes
import mmap
import os
import struct
import sys

ROOT, DISK = 1, 2
HEADER = struct.Struct("<IIQQIIIHH")
RECORD = struct.Struct("<QI")
ENOENT, ENOSYS, ENODEV = 2, 38, 19
LOOKUP, FORGET, GETATTR, SETATTR, OPEN, READ, WRITE, STATFS, RELEASE, FSYNC = 1, 2, 3, 4, 14, 15, 16, 17, 18, 20
FLUSH, INIT, OPENDIR, READDIR, RELEASEDIR, INTERRUPT, DESTROY, BATCH_FORGET = 25, 26, 27, 28, 29, 36, 38, 42
WRITE_MAX = 1 << 20
# Nothing of the file stays in the page cache: the order here is the order of the writes.
DIRECT_IO = 1


def mount(folder):
    device = os.open("/dev/fuse", os.O_RDWR)
    libc = ctypes.CDLL(None, use_errno=True)
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0"
    if libc.mount(b"brine-recorder", str(folder).encode(), b"fuse", 0, options.encode()) != 0:
        raise OSError(ctypes.get_errno(), "mount")
    return device


class Disk:
    """The file's bytes, and the log of what changed them."""

    def __init__(self, size, log):
        self.size, self.log = size, os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
        self.bytes = mmap.mmap(-1, size)

    def attributes(self, node):
        mode, size, links = (0o40755, 0, 2) if node == ROOT else (0o100600, self.size, 1)
        return struct.pack("<QQQQQQIIIIIIIIII", node, size, size // 512, 0, 0, 0, 0, 0, 0, mode, links, 0, 0, 0, 4096, 0)

    def answer(self, code, node, body):
        """The body of the answer, or the number of an error."""
        if code == INIT:
            return struct.pack("<IIIIHHIIHHI28x", 7, 31, 1 << 17, 1 << 5 | 1 << 22, 12, 9, WRITE_MAX, 1, 256, 0, 0)
        if code == LOOKUP:
            if body.rstrip(b"\0") != b"disk":
                return ENOENT
            return struct.pack("<QQQQII", DISK, 0, 3600, 3600, 0, 0) + self.attributes(DISK)
        if code in (GETATTR, SETATTR):
            return struct.pack("<QII", 3600, 0, 0) + self.attributes(node)
        if code in (OPEN, OPENDIR):
            return struct.pack("<QII", 0, DIRECT_IO if node == DISK else 0, 0)
        if code == READ:
            _, offset, length = struct.unpack_from("<QQI", body)
            return self.bytes[offset : offset + length]
        if code == WRITE:
            return self.write(body)
        if code == FSYNC:
            os.write(self.log, RECORD.pack(0, 0))
            return b""
        if code == STATFS:
            return struct.pack("<QQQQQIIII24x", self.size // 4096, 0, 0, 2, 0, 4096, 255, 4096, 0)
        return b"" if code in (FLUSH, RELEASE, RELEASEDIR, READDIR, DESTROY) else ENOSYS

    def write(self, body):
        _, offset, length = struct.unpack_from("<QQI", body)
        data = body[40 : 40 + length]
        os.write(self.log, RECORD.pack(offset, length) + data)
        self.bytes[offset : offset + length] = data
        return struct.pack("<II", length, 0)


def serve(device, disk):
    while True:
        try:
            request = os.read(device, WRITE_MAX + 4096)
        except OSError as error:
            if error.errno == ENODEV:
                return
            raise
        _, code, unique, node, *_ = HEADER.unpack_from(request)
        if code in (FORGET, BATCH_FORGET, INTERRUPT):
            continue
        answer = disk.answer(code, node, request[HEADER.size :])
        error, body = (-answer, b"") if isinstance(answer, int) else (0, answer)
        os.write(device, struct.pack("<IiQ", 16 + len(body), error, unique) + body)


def records(path):
    """The log as position in the file, offset and data; None as data is a flush."""
    with open(path, "rb") as file:
        content = file.read()
    at = 0
    while at + RECORD.size <= len(content):
        offset, length = RECORD.unpack_from(content, at)
        at += RECORD.size
        yield at + length, offset, content[at : at + length] if length else None
        at += length


if __name__ == "__main__":
    device = mount(sys.argv[1])
    disk = Disk(int(sys.argv[2]), sys.argv[3])
    print("mounted", flush=True)
    serve(device, disk)
