"""Which snaps are installed: one JSON file, as snapd has one, replaced whole so that a power cut leaves the old one."""

import json
import os

import paths


def load() -> dict:
    if paths.STATE.exists():
        return json.loads(paths.STATE.read_text())
    return {"snaps": {}, "held": None}


def save(state: dict) -> None:
    paths.STATE.parent.mkdir(parents=True, exist_ok=True)
    fresh = paths.STATE.with_suffix(".new")
    with open(fresh, "w") as out:
        json.dump(state, out, indent=1)
        out.flush()
        os.fsync(out.fileno())
    os.rename(fresh, paths.STATE)


def installed(name: str) -> dict | None:
    return load()["snaps"].get(name)


def record(name: str, entry: dict | None) -> None:
    state = load()
    if entry is None:
        state["snaps"].pop(name, None)
    else:
        state["snaps"][name] = entry
    save(state)


def version() -> str:
    """Once the snapd snap is there, snapd runs from it (it re-executes itself)."""
    return paths.SNAP_VERSION if installed("snapd") else paths.DISTRIBUTION_VERSION
