"""`microk8s`: hands over to `microk8s-NAME.wrapper`."""

import os
import sys

import paths


def names() -> list[str]:
    return sorted(f.name.removeprefix("microk8s-").removesuffix(".wrapper") for f in paths.SNAP.glob("microk8s-*.wrapper"))


def usage() -> None:
    print("Available subcommands are:")
    for name in names():
        print(f"\t{name}")


def main(words: list[str]) -> int:
    if not words:
        usage()
        return 1
    if words[0] in ("help", "--help", "-h"):
        usage()
        return 0
    if words[0] not in names():
        print(f"'{words[0]}' is not a valid MicroK8s subcommand.")
        usage()
        return 1
    wrapper = str(paths.SNAP / f"microk8s-{words[0]}.wrapper")
    sys.stdout.flush()
    os.execv(wrapper, [wrapper, *words[1:]])
