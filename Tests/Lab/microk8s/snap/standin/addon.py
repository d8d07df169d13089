"""What the addons' scripts share. They are started as programs of their own, with the snap's environment."""

import os
import subprocess
import sys
from pathlib import Path
from string import Template

import kube


def manifest(file: Path, **values: str) -> str:
    return Template(file.read_text()).safe_substitute(os.environ, **values)


def apply(text: str) -> None:
    pipe("apply", text)


def delete(text: str) -> None:
    pipe("delete", text, "--ignore-not-found")


def pipe(verb: str, text: str, *more: str) -> None:
    done = kube.run(verb, "-f", "-", *more, given=text)
    print(done.stdout, end="", flush=True)
    if done.returncode:
        print(done.stderr, end="", file=sys.stderr)
        sys.exit(done.returncode)


def routable(address: str) -> bool:
    return subprocess.run(["ip", "route", "get", address], capture_output=True).returncode == 0


def say(text: str) -> None:
    print(text, flush=True)
