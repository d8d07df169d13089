"""`snap run`: how every command and every service of a snap is started. Each waits for what this loads: it is little."""

import os

import environment
import state
from terminal import SnapError


def execute(target: str, arguments: list[str]) -> None:
    name, _, app = target.partition(".")
    entry = state.installed(name)
    if entry is None:
        raise SnapError(f'cannot find current revision for snap {name}: readlink /snap/{name}/current: no such file or directory')
    command = entry["apps"].get(app or name)
    if command is None:
        raise SnapError(f'cannot find app "{app or name}" in "{name}"')
    environ = environment.of(name, entry)
    program, *first = command.split()
    for folder in (environ["SNAP_USER_COMMON"], environ["SNAP_USER_DATA"]):
        try:
            os.makedirs(folder, exist_ok=True)
        except OSError as error:
            raise SnapError(f'cannot create user data directory: failed to create "{folder}": {error.strerror}') from None
    path = os.path.join(environ["SNAP"], program)
    os.execve(path, [path, *first, *arguments], environ)
