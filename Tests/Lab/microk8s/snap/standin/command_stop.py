"""`microk8s stop`: services off, also for the next boot, and every container of the node killed."""

import containers
import locks
import permissions


def main(words: list[str]) -> int:
    if any(w in ("-h", "--help") for w in words):
        print("Usage: microk8s stop\n\nStop MicroK8s")
        return 0
    if locks.worker():
        print("This MicroK8s deployment is acting as a node in a cluster.")
        print("Use 'snap stop microk8s' to stop services on this node.")
        return 0
    permissions.need_permission()
    status = permissions.with_sudo("snap", "stop", "microk8s.daemon-kubelite") or \
        permissions.with_sudo("snap", "stop", "microk8s", "--disable")
    containers.kill_all()
    locks.set("stopped.lock")
    return status
