"""What this machine lets one do, asked of the machine: each answer is None, or why not."""

import contextlib
import functools
import os
import pathlib
import shutil
import subprocess
import tempfile


def works(command):
    """Whether a command succeeds, and else the last thing it said."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return None if done.returncode == 0 else (done.stdout.strip().splitlines() or [f"exit code {done.returncode}"])[-1]


@functools.cache
def no_strace():
    if shutil.which("strace") is None:
        return "there is no strace"
    failed = works(["strace", "-f", "-D", "-qq", "-o", "/dev/null", "-e", "inject=fsync:error=EIO:when=1", "true"])
    return failed and f"strace cannot inject errors: {failed}"


@functools.cache
def no_mount():
    if os.geteuid() != 0:
        return "mounting needs root"
    with tempfile.TemporaryDirectory(prefix="brine-probe-") as folder:
        failed = works(["mount", "-t", "tmpfs", "-o", "size=1m", "none", folder])
        if failed is None:
            failed = works(["umount", folder])
    return failed and f"a tmpfs cannot be mounted: {failed}"


@functools.cache
def no_power_cut():
    """Power cuts are made from a log of what a file system wrote to its disk, which a FUSE file is."""
    if reason := no_mount():
        return reason
    missing = [tool for tool in ("mkfs.ext4", "losetup") if shutil.which(tool) is None]
    if missing:
        return f"there is no {' and no '.join(missing)}"
    if not pathlib.Path("/dev/fuse").exists():
        return "there is no /dev/fuse"
    return None


@functools.cache
def no_netfilter():
    if os.geteuid() != 0:
        return "network namespaces need root"
    missing = [tool for tool in ("ip", "nft") if shutil.which(tool) is None]
    if missing:
        return f"there is no {' and no '.join(missing)} (packages iproute2 and nftables)"
    with namespace() as failed:
        return failed or works(["ip", "netns", "exec", NAMESPACE, "nft", "list", "ruleset"])


NAMESPACE = f"brine-faults-{os.getpid()}"


@contextlib.contextmanager
def namespace():
    """A network of its own, with a loopback: None, or why there is none."""
    failed = works(["ip", "netns", "add", NAMESPACE])
    try:
        yield failed or works(["ip", "-n", NAMESPACE, "link", "set", "lo", "up"])
    finally:
        if not failed:
            works(["ip", "netns", "delete", NAMESPACE])


def mounted():
    """Where the tools stand that only some machines have, for the line under the table."""
    said = {"strace": no_strace(), "mount": no_mount(), "power cuts": no_power_cut(), "netfilter": no_netfilter()}
    return ", ".join(f"{name}: {'yes' if reason is None else reason}" for name, reason in said.items())
