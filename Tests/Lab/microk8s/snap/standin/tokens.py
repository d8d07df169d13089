"""Tokens: who may join, whose certificate may be signed, which neighbour may change arguments.

A line is `token` (gone after its first use) or `token|unix time` (good until then, however often).
"""

import secrets
import time

import paths

CLUSTER = paths.CREDENTIALS / "cluster-tokens.txt"
PERSISTENT = paths.CREDENTIALS / "persistent-cluster-tokens.txt"
REQUESTS = paths.CREDENTIALS / "certs-request-tokens.txt"
OWN_CALLBACK = paths.CREDENTIALS / "callback-token.txt"
CALLBACKS = paths.CREDENTIALS / "callback-tokens.txt"


def lines(file) -> list[str]:
    return [l.strip() for l in file.read_text().splitlines() if l.strip()] if file.exists() else []


def write(file, kept: list[str]) -> None:
    file.touch(mode=0o660)
    file.write_text("".join(line + "\n" for line in kept))
    file.chmod(0o660)


def add(file, token: str, seconds: int = -1) -> None:
    line = token if seconds <= 0 else f"{token}|{int(time.time()) + seconds}"
    write(file, lines(file) + [line])


def good(file, token: str) -> bool:
    for line in lines(file):
        name, bar, end = line.partition("|")
        if name == token and (not bar or int(end) > time.time()):
            return True
    return False


def spend(file, token: str) -> bool:
    """Whether the token is good. A line without a time is gone by being used, whatever becomes of the join."""
    if not good(file, token):
        return False
    write(file, [line for line in lines(file) if line != token])
    return True


def callback() -> str:
    found = lines(OWN_CALLBACK)
    if found:
        return found[0]
    made = secrets.token_hex(32)
    write(OWN_CALLBACK, [made])
    return made


def callbacks() -> set[str]:
    return {callback(), *(line.split()[-1] for line in lines(CALLBACKS))}
