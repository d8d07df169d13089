"""The datastore. In k8s-dqlite's place runs etcd, behind the same socket and on the same port for its peers."""

import os
import time

import datastore
import lab
import locks
import paths


def main(_) -> int:
    if locks.held("no-k8s-dqlite"):
        return 0
    # The real one sleeps 6 s here; a socket that is not there at once is the fact that matters.
    time.sleep(2)
    os.chdir(paths.BACKEND)
    # After a power cut the old socket is still there, and etcd would take it for somebody else's.
    (paths.BACKEND / "kine.sock:12379").unlink(missing_ok=True)
    os.execve(paths.SNAP / "bin/etcd", ["k8s-dqlite", *datastore.flags()], lab.daemon_environment())
