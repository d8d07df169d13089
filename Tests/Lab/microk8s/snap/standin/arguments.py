"""The files under args/: one argument a line, `${SNAP_DATA}` and its like expanded when a service starts."""

import os
import re
import shlex

import paths


def lines(service: str) -> list[str]:
    file = paths.ARGS / service
    if not file.exists():
        return []
    return [line.strip() for line in file.read_text().splitlines() if line.strip() and not line.strip().startswith("#")]


def expanded(service: str) -> list[str]:
    """As the shell of the real wrappers reads it: variables, quotes, and two words where a line has two."""
    return [word for line in lines(service) for word in shlex.split(expand(line))]


def expand(text: str) -> str:
    return re.sub(r"\$\{(\w+)\}|\$(\w+)", lambda m: os.environ.get(m[1] or m[2], ""), text)


def get(service: str, name: str) -> str | None:
    for line in lines(service):
        key, _, value = re.sub(r"[\s=]", "\0", line, count=1).partition("\0")
        if key == name:
            return value.strip().strip("\"'")
    return None


def put(service: str, name: str, value: str | None) -> None:
    """Replaces the argument's whole line, adds it at the end, or with no value takes it away."""
    kept, done = [], False
    for line in lines(service):
        if re.split(r"[\s=]", line, maxsplit=1)[0] != name:
            kept.append(line)
        elif value is not None and not done:
            kept.append(f"{name}={value}")
            done = True
    if value is not None and not done:
        kept.append(f"{name}={value}")
    write(service, "".join(line + "\n" for line in kept))


def write(service: str, text: str) -> None:
    file = paths.ARGS / service
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(file.name + ".new")
    fresh.write_text(text)
    fresh.chmod(0o660)
    os.rename(fresh, file)
