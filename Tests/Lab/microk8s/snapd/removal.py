"""`snap remove`: services, hook, mount, data."""

import shutil
import subprocess

import changes
import hooks
import metadata
import mounts
import paths
import services
import state
from terminal import SnapError, complain


def remove(name: str, purge: bool) -> None:
    entry = state.installed(name)
    if entry is None:
        complain(f'snap "{name}" is not installed')
        return
    snaps = state.load()["snaps"]
    users = sorted(n for n, e in snaps.items() if e["base"] == name)
    if entry["type"] == "base" and users:
        raise SnapError(f'cannot remove "{name}": snap "{name}" is not removable: snap is being used by snap {users[0]}.')
    if entry["type"] == "snapd" and any(n != "snapd" for n in snaps):
        raise SnapError(f'cannot remove "{name}": snap "{name}" is not removable: snapd required by other snaps')
    changes.ask(name, "remove-snap", entry=entry, purge=purge)
    print(f"{name} removed")


def carry_out(facts: dict) -> None:
    name, entry = facts["name"], facts["entry"]
    units = [u.name for u in paths.UNITS.glob(f"snap.{name}.*.service")]
    subprocess.run(["systemctl", "stop", *units], capture_output=True)
    hooks.run(name, entry, "remove")
    erase(name, entry, keep=not facts["purge"])


def erase(name: str, entry: dict, keep: bool) -> None:
    services.erase(name)
    revision = entry["revision"]
    if keep:
        snapshot(name, entry)
    try:
        for command in metadata.commands(metadata.read(paths.mounted(name, revision))):
            (paths.COMMANDS / command).unlink(missing_ok=True)
    except SnapError:
        pass  # an installation that failed before its mount has no commands
    (paths.SNAPS / name / "current").unlink(missing_ok=True)
    if paths.mounted(name, revision).exists():
        mounts.unmount(name, revision)
    shutil.rmtree(paths.SNAPS / name, ignore_errors=True)
    shutil.rmtree(paths.DATA / name, ignore_errors=True)
    paths.file(name, revision).unlink(missing_ok=True)
    state.record(name, None)


def snapshot(name: str, entry: dict) -> None:
    """Without --purge snapd first saves the data; this keeps what is small and telling, images left out."""
    paths.SNAPSHOTS.mkdir(parents=True, exist_ok=True)
    number = len(list(paths.SNAPSHOTS.iterdir())) + 1
    archive = paths.SNAPSHOTS / f"{number}_{name}_{entry['version']}_{entry['revision']}.tar"
    subprocess.run(["tar", "-C", str(paths.DATA), "--exclude=containerd", "-cf", str(archive), name],
                   capture_output=True)
    archive.touch()
