"""`microk8s dbctl`: a backup of the datastore."""

import sys
import tarfile
import tempfile
from datetime import datetime
from pathlib import Path

import datastore
import locks
import paths
import permissions


def main(words: list[str]) -> int:
    permissions.need_permission(sys.stdout)
    if not words or words[0] not in ("backup", "restore") or any(w in ("-h", "--help") for w in words):
        print("Usage: microk8s dbctl [backup [-o FILE] | restore FILE]")
        return 0 if "-h" in words or "--help" in words else 2
    permissions.refuse_on_worker("dbctl", 1)
    if locks.stopped():
        print("microk8s is not running, try microk8s start", file=sys.stderr)
        return 1
    if words[0] == "restore":
        print("The stand-in's datastore takes no backup back: an etcd behind dqlite's socket has no such call.", file=sys.stderr)
        return 1
    names = [w for w in words[1:] if not w.startswith("-")]
    file = Path(names[0] if names else f"backup-{datetime.now():%Y-%m-%d-%H-%M-%S}.tar.gz")
    with tempfile.TemporaryDirectory() as folder:
        done = datastore.ctl("snapshot", "save", f"{folder}/snapshot.db", timeout=60)
        if done.returncode:
            print(done.stderr, file=sys.stderr)
            return 1
        with tarfile.open(file, "w:gz") as archive:
            archive.add(f"{folder}/snapshot.db", "backup/snapshot.db")
            for name in ("cluster.yaml", "info.yaml"):
                archive.add(paths.BACKEND / name, f"backup/{name}")
    print(f"The backup is: {file}")
    return 0
