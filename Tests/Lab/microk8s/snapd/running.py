"""`snap run`: how every command and every service of a snap is started."""

import os
import subprocess

import environment
import metadata
import paths
import state
from terminal import SnapError


def execute(target: str, arguments: list[str]) -> None:
    name, _, app = target.partition(".")
    entry = state.installed(name)
    if entry is None:
        raise SnapError(f'cannot find current revision for snap {name}: readlink /snap/{name}/current: no such file or directory')
    body = metadata.read(paths.mounted(name, entry["revision"]))["apps"].get(app or name)
    if body is None:
        raise SnapError(f'cannot find app "{app or name}" in "{name}"')
    environ = environment.of(name, entry)
    program, *first = body["command"].split()
    for folder in (environ["SNAP_USER_COMMON"], environ["SNAP_USER_DATA"]):
        try:
            os.makedirs(folder, exist_ok=True)
        except OSError as error:
            raise SnapError(f'cannot create user data directory: failed to create "{folder}": {error.strerror}') from None
    path = os.path.join(environ["SNAP"], program)
    os.execve(path, [path, *first, *arguments], environ)


def hook(name: str, entry: dict, kind: str) -> None:
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
