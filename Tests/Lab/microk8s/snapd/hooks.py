"""A snap's hooks."""

import subprocess

import environment
import paths
from terminal import SnapError


def run(name: str, entry: dict, kind: str) -> None:
    """Runs meta/hooks/KIND if the snap has it; its words are only heard when it fails."""
    program = paths.mounted(name, entry["revision"]) / "meta/hooks" / kind
    if not program.exists():
        return
    done = subprocess.run([program], env=environment.of(name, entry), cwd=paths.DATA / name / entry["revision"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        said = done.stdout.strip()
        told = f"\n-----\n{said}\n-----" if "\n" in said else f" {said}" if said else f" exit status {done.returncode}"
        raise SnapError("cannot perform the following tasks:\n"
                        f'- Run {kind} hook of "{name}" snap if present (run hook "{kind}":{told})')
