"""What a snap says of itself: meta/snap.yaml, read from the squashfs file without installing it."""

import os
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

from terminal import SnapError


@contextmanager
def opened(file: str):
    """The file's tree, mounted for a moment: a bare machine has no unsquashfs."""
    with open(file, "rb") as stream:
        if stream.read(4) != b"hsqs":
            raise SnapError(f'cannot open snap file: "{file}" is not a snap or snapdir')
    os.makedirs("/run/snapd", exist_ok=True)
    place = tempfile.mkdtemp(dir="/run/snapd")
    try:
        done = subprocess.run(["mount", "-t", "squashfs", "-o", "ro,loop", file, place], capture_output=True, text=True)
        if done.returncode:
            raise SnapError(f'cannot open snap file: cannot mount "{file}": {done.stderr.strip()}')
        try:
            yield Path(place)
        finally:
            subprocess.run(["umount", place], check=True)
    finally:
        os.rmdir(place)


def read(tree: Path) -> dict:
    import yaml  # slow to load, and few commands come here

    try:
        found = yaml.safe_load((tree / "meta/snap.yaml").read_text())
    except OSError:
        raise SnapError("cannot open snap file: open meta/snap.yaml: no such file or directory") from None
    return {"type": "app", "confinement": "strict", "apps": {}, "hooks": {}, "assumes": [], **found}


def services(meta: dict) -> dict:
    return {name: app for name, app in meta["apps"].items() if "daemon" in app}


def commands(meta: dict) -> list[str]:
    """Names under /snap/bin: the app called as its snap stands alone, the others are dotted."""
    return [meta["name"] if app == meta["name"] else f"{meta['name']}.{app}"
            for app, body in meta["apps"].items() if "daemon" not in body]
