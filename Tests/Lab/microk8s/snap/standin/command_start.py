"""`microk8s start`: no word of its own, and success even when no node turns ready in its 60 s."""

import sys
import time

import kube
import locks
import permissions


def main(words: list[str]) -> int:
    if any(w in ("-h", "--help") for w in words):
        print("Usage: microk8s start\n\nStart MicroK8s")
        return 0
    if locks.worker():
        print("This MicroK8s deployment is acting as a node in a cluster.")
        print("Use 'snap start microk8s' to start services on this node.")
        return 0
    permissions.need_permission()
    if permissions.with_sudo("snapctl", "start", "microk8s", "--enable"):
        print('Failed to start microk8s services. Check snapd logs with "journalctl -u snapd.service"', file=sys.stderr)
        return 1
    locks.clear("stopped.lock")
    for _ in range(30):
        if " Ready " in kube.text("get", "nodes", timeout=10):
            break
        time.sleep(2)
    return 0
