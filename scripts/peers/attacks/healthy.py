"""An honest client, as a process of its own: it pulls or sends in a loop and says how long each piece took.

    python -m attacks.healthy read|write PORT [--token FILE] [--ca FILE [--identity FILE]] [--messages FILE...]

Each line is the moment and the seconds of a chunk (of an answered stream, when it writes), or the moment and a status code.
"""

import argparse
import pathlib
import time

import grpc
from attacks.wire import INGEST_RPC, PULL_RPC

WAIT = 30
OPTIONS = [("grpc.max_receive_message_length", 16 << 20), ("grpc.max_send_message_length", 16 << 20)]


def same(data):
    return data


def say(text):
    print(f"{time.monotonic():.4f} {text}", flush=True)


def read(channel, args):
    pull = channel.unary_stream(PULL_RPC, request_serializer=same, response_deserializer=same)
    begin = time.monotonic()
    # Field 2, the rows of a chunk: 300.
    for _ in pull(b"\x10\xac\x02", timeout=WAIT, metadata=args.metadata):
        now = time.monotonic()
        say(f"{now - begin:.6f}")
        begin = now


def write(channel, args):
    send = channel.stream_unary(INGEST_RPC, request_serializer=same, response_deserializer=same)
    begin = time.monotonic()
    send(iter(args.messages), timeout=WAIT, metadata=args.metadata)
    say(f"{time.monotonic() - begin:.6f}")


def opened(args):
    if not args.ca:
        return grpc.insecure_channel(f"127.0.0.1:{args.port}", OPTIONS)
    key, chain = [args.identity.with_suffix(".key").read_bytes(), args.identity.read_bytes()] if args.identity else (None, None)
    credentials = grpc.ssl_channel_credentials(args.ca.read_bytes(), key, chain)
    return grpc.secure_channel(f"localhost:{args.port}", credentials, OPTIONS)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("role", choices=["read", "write"])
    parser.add_argument("port")
    parser.add_argument("--token", type=pathlib.Path)
    parser.add_argument("--ca", type=pathlib.Path)
    parser.add_argument("--identity", type=pathlib.Path, help="a certificate, with its key beside it")
    parser.add_argument("--messages", type=pathlib.Path, nargs="*", default=[])
    args = parser.parse_args()
    args.messages = [path.read_bytes() for path in args.messages]
    args.metadata = [("authorization", f"Bearer {args.token.read_text().strip()}")] if args.token else []
    channel = opened(args)
    while True:
        try:
            (read if args.role == "read" else write)(channel, args)
        except grpc.RpcError as error:
            say(error.code().name)
            time.sleep(0.05)


if __name__ == "__main__":
    main()
