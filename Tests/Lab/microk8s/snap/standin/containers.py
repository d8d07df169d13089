"""All containers of this node at once, as `microk8s stop`, `reset` and the removal end them."""

import os
import signal
import time
from pathlib import Path


def shims() -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if words[0].endswith(b"containerd-shim-runc-v2") or words[0].endswith(b"containerd-shim"):
                found.append(int(entry.name))
    return found


def family(ancestors: set[int]) -> list[int]:
    """The processes below the shims: first them, so that no init of a pod is left behind as an orphan."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, IndexError):
                continue
    found = set()
    for process in parents:
        above = process
        while above in parents and above not in ancestors:
            above = parents[above]
        if above in ancestors:
            found.add(process)
    return sorted(found - ancestors) + sorted(ancestors)


def kill_all() -> None:
    for _ in range(20):
        doomed = family(set(shims()))
        if not doomed:
            return
        for process in doomed:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.2)
