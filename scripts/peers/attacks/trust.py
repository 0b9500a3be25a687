"""Who may not call: without a token, with a wrong one, with a certificate that is none."""

import secrets

import grpc
from attacks import tools
from attacks.lab import SERVE, channel, health
from attacks.wire import HEALTH_RPC, PULL_RPC

ASK = b"\x10\x64"
NO_TRUST = ("UNAVAILABLE", "UNAUTHENTICATED")


def told(opened, *metadata):
    """What a pull is told."""
    same = lambda data: data  # noqa: E731
    call = opened.unary_stream(PULL_RPC, request_serializer=same, response_deserializer=same)(ASK, timeout=20, metadata=metadata)
    try:
        next(iter(call))
        call.cancel()
        return "OK"
    except grpc.RpcError as error:
        return error.code().name


def tokens(row, lab):
    """No token, wrong ones, ones nearly right, and very many."""
    right, file = secrets.token_hex(16), lab.folder / "token"
    file.write_text(right + "\n")
    file.chmod(0o600)
    with lab.site(row, SERVE, ["--token-file", file], needs=("--token-file",), token=file) as site:
        if not site:
            return
        wrong = secrets.token_hex(16)
        asked = {
            "no token": ([], "UNAUTHENTICATED"),
            "a wrong one": ([("authorization", f"Bearer {wrong}")], "UNAUTHENTICATED"),
            "half of it": ([("authorization", f"Bearer {right[:16]}")], "UNAUTHENTICATED"),
            "more than it": ([("api-key", right + "0")], "UNAUTHENTICATED"),
            "the right one": ([("authorization", f"Bearer {right}")], "OK"),
            "as api-key": ([("api-key", right)], "OK"),
        }
        for what, (metadata, wanted) in asked.items():
            with channel(site.port) as opened:
                code = told(opened, *metadata)
            row.answered(f"{what}: {code}")
            row.must(code == wanted, f"{what}: {code}, not {wanted}")
        guesses(row, site, wrong)
        row.must(wrong not in site.said() and right not in site.said(), "a token stands in the log")
        row.must(health(site.port) == "SERVING", "health needs a token")


def guesses(row, site, wrong):
    """Guessing is throttled, for its address."""
    wire, codes = site.wire(), {}
    for number in range(200):
        state = wire.ask(PULL_RPC, ASK, ("authorization", f"Bearer {wrong}{number}"), seconds=5)
        codes[state.told()] = codes.get(state.told(), 0) + 1
    row.answered("200 guesses: " + ", ".join(f"{count} {code}" for code, count in codes.items()))
    row.must(set(codes) <= {"UNAUTHENTICATED", "RESOURCE_EXHAUSTED"}, f"guesses were told {codes}")
    row.must(codes.get("UNAUTHENTICATED", 0) <= 100, f"{codes.get('UNAUTHENTICATED', 0)} of 200 guesses were looked at")


def server_certificates(row, lab):
    """Certificates that an honest client has to refuse: expired, of another host, of a stranger. It is grpcio that judges."""
    if reason := lab.no_tls():
        row.not_run = reason
        return
    made = lab.certificates
    made.signed("expired", dates=tools.PAST).signed("elsewhere", names="DNS:elsewhere.example").signed("strange", by="stranger")
    for name, wanted in (("server", "OK"), ("expired", NO_TRUST), ("elsewhere", NO_TRUST), ("strange", NO_TRUST)):
        with lab.site(row, SERVE, lab.tls_flags(name), needs=("--tls-cert", "--tls-key"), honest=False, checked=name == "server",
                      ca=made.path("ca")) as site:  # fmt: skip
            if not site:
                return
            with channel(site.port, made.path("ca")) as opened:
                code = told(opened)
            row.answered(f"{name}: {code}")
            row.must(code == wanted or code in wanted, f"{name}: {code}")
            if name == "server":
                plaintext(row, site)


def plaintext(row, site):
    """Who speaks plainly to an encrypted port learns nothing and is cut off."""
    wire = site.wire()
    state = wire.ask(HEALTH_RPC, b"", seconds=10)
    row.answered(f"plaintext: {wire.told()}")
    row.must(state.code() is None and wire.closed is not None, f"plaintext to TLS: {state.told()}, {wire.told()}")


def client_certificates(row, lab):
    """mTLS: no certificate, an expired one, a stranger's, and the right one."""
    if reason := lab.no_tls():
        row.not_run = reason
        return
    made, flags = lab.certificates, ("--tls-cert", "--tls-key", "--tls-client-ca")
    made.signed("client").signed("late", dates=tools.PAST).signed("forged", by="stranger")
    client_ca = [*lab.tls_flags("server"), "--tls-client-ca", made.path("ca")]
    with lab.site(row, SERVE, client_ca, needs=flags, ca=made.path("ca"), identity="client") as site:
        if not site:
            return
        for name, wanted in ((None, NO_TRUST), ("late", NO_TRUST), ("forged", NO_TRUST), ("client", ("OK",))):
            with channel(site.port, made.path("ca"), **lab.identity(name)) as opened:
                code = told(opened)
            row.answered(f"{name or 'none'}: {code}")
            row.must(code in wanted, f"client certificate {name or 'none'}: {code}")
