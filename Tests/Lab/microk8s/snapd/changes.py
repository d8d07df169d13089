"""Changes are the daemon's work: one that was accepted goes on when the command that asked for it is killed, and after a
power cut at the next start. A second change of the same snap is told so and may try again (exit status 10)."""

import fcntl
import json
import os
import subprocess
from contextlib import contextmanager

import paths
from terminal import SnapError


def file(name: str):
    return paths.CHANGES / f"{name}.json"


def outcome(name: str):
    return paths.CHANGES / f"{name}.outcome"


@contextmanager
def lock(name: str):
    paths.CHANGES.mkdir(parents=True, exist_ok=True)
    with open(paths.CHANGES / f"{name}.lock", "w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def ask(name: str, kind: str, **facts) -> None:
    """Hands a change over and waits for its end; what went wrong is raised here."""
    with lock(f"{name}.asking"):
        if file(name).exists():
            under_way = json.loads(file(name).read_text())["kind"]
            raise SnapError(f'snap "{name}" has "{under_way}" change in progress', 10)
        outcome(name).unlink(missing_ok=True)
        unfinished = file(name).with_suffix(".new")
        with open(unfinished, "w") as out:
            json.dump({"kind": kind, "name": name, **facts}, out)
            out.flush()
            os.fsync(out.fileno())
        os.rename(unfinished, file(name))
    subprocess.run(begin(name, "--wait"), capture_output=True)
    if not outcome(name).exists():
        raise SnapError(f'change of snap "{name}" was interrupted', 1)
    failure = json.loads(outcome(name).read_text())["failure"]
    if failure is not None:
        raise SnapError(failure)


def begin(name: str, how: str) -> list[str]:
    # A unit of its own: it ends with its work, and not with the terminal that asked for it.
    return ["systemd-run", "--quiet", "--collect", how, f"--unit=snapd-change-{name}", "/usr/bin/snap", "carry-out", name]


def carry_out(name: str, kinds: dict) -> None:
    with lock(name):
        if not file(name).exists():
            return
        facts = json.loads(file(name).read_text())
        failure = None
        try:
            kinds[facts["kind"]](facts)
        except SnapError as error:
            failure = str(error)
        except Exception as error:
            failure = f"cannot perform the following tasks:\n- {facts['kind']} of {name} ({error})"
        outcome(name).write_text(json.dumps({"failure": failure}))
        file(name).unlink()


def resume() -> None:
    for pending in paths.CHANGES.glob("*.json"):
        subprocess.run(begin(pending.stem, "--no-block"), capture_output=True)
