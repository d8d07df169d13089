"""`microk8s reset`: the cluster's content goes, the installation stays."""

import os
import sys
import time

import command_status
import containers
import fresh_node
import kube
import locks
import permissions
import snapctl


def main(words: list[str]) -> int:
    if any(w in ("-h", "--help") for w in words):
        print("Usage: microk8s reset [--destroy-storage]\n\nClean the cluster from all workloads and addons.")
        return 0
    if os.geteuid() != 0:
        print("Elevated permissions are needed for this command. Please use sudo.")
        return 50
    permissions.refuse_on_worker("reset", 0)
    permissions.need_running()
    if len(kube.text("get", "nodes", "--no-headers").splitlines()) > 1:
        print("Please remove all joined nodes before calling reset.")
        return 0
    print("Disabling all addons.")
    print("Deleting the CNI")
    print("Cleaning resources in namespace default", flush=True)
    snapctl.do("stop", "daemon-kubelite", "daemon-k8s-dqlite")
    containers.kill_all()
    fresh_node.datastore()
    locks.clear("cni-loaded")
    print("Restarting cluster", flush=True)
    snapctl.do("start", "daemon-k8s-dqlite", "daemon-kubelite")
    time.sleep(5)
    ready = command_status.wait(120)
    sys.stdout.flush()
    return 0 if ready else 1
