"""What this machine and this binary can do: each answer is None, or why not; and certificates made by openssl."""

import functools
import pathlib
import resource
import shutil
import subprocess


@functools.cache
def help_of(brine, command):
    return subprocess.run([str(brine), command, "--help"], capture_output=True, text=True, check=False).stdout


def lacks(brine, command, flags):
    """Which flags the binary does not know."""
    missing = [flag for flag in flags if f"{flag} " not in help_of(brine, command)]
    return f"brine {command} has no {' and no '.join(missing)}" if missing else None


@functools.cache
def few_files(wanted):
    """Whether this process may open so many connections; it asks for more if it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= wanted:
        return None
    if hard != resource.RLIM_INFINITY and hard < wanted:
        return f"{wanted} connections need more files than this user may open ({hard})"
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return None


def no_openssl():
    return "there is no openssl to make certificates with" if shutil.which("openssl") is None else None


class Certificates:
    """Two authorities, and what they signed."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.authority("ca"), self.authority("stranger")

    def path(self, name, kind="pem"):
        return self.folder / f"{name}.{kind}"

    def read(self, name, kind="pem"):
        return self.path(name, kind).read_bytes()

    def run(self, *arguments):
        done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, cwd=self.folder, check=False)
        if done.returncode:
            raise SystemExit(f"openssl {arguments[0]}: {done.stderr[-500:]}")

    def key(self, name):
        self.run("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", self.path(name, "key.sec1"))
        self.run("pkcs8", "-topk8", "-nocrypt", "-in", self.path(name, "key.sec1"), "-out", self.path(name, "key"))
        self.path(name, "key").chmod(0o600)

    def authority(self, name):
        self.key(name)
        subject = ("-subj", f"/CN=brine attacks {name}", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        self.run("req", "-x509", "-new", "-key", self.path(name, "key"), "-days", 2, "-out", self.path(name), *subject)

    def signed(self, name, names="DNS:localhost,IP:127.0.0.1", by="ca", dates=None):
        """A certificate for a server or a client; `dates` are its first and last moment, if it is not good today."""
        if self.path(name).exists():
            return self
        self.key(name)
        config = self.path(name, "cnf")
        config.write_text(CONFIG.format(folder=self.folder, name=name, by=by, names=names))
        self.path(name, "index").write_text("")
        self.run("req", "-new", "-key", self.path(name, "key"), "-subj", f"/CN={name}", "-out", self.path(name, "csr"))
        times = ("-startdate", dates[0], "-enddate", dates[1]) if dates else ("-days", 2)
        self.run("ca", "-batch", "-config", config, "-notext", "-in", self.path(name, "csr"), "-out", self.path(name), *times)
        return self


# What `openssl ca` needs to know: it is the command of OpenSSL 3.0 that signs with any dates.
CONFIG = """[ca]
default_ca = own
[own]
database = {folder}/{name}.index
new_certs_dir = {folder}
certificate = {folder}/{by}.pem
private_key = {folder}/{by}.key
default_md = sha256
rand_serial = yes
unique_subject = no
policy = any
x509_extensions = leaf
[any]
commonName = supplied
[leaf]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth,clientAuth
subjectAltName = {names}
"""
PAST = ("20200101000000Z", "20210101000000Z")
