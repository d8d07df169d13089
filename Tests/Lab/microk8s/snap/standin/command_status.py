"""`microk8s status`, with the order of its checks and its statuses: 0 on a worker and on a stopped node, too."""

import argparse
import sys
import time

import addons
import datastore
import kube
import locks
import permissions

NOT_RUNNING = "microk8s is not running. Use microk8s inspect for a deeper inspection."


def main(words: list[str]) -> int:
    permissions.need_permission()
    if locks.worker():
        print("This MicroK8s deployment is acting as a node in a cluster.")
        print("Please use the control plane node.")
        return 0
    if locks.held("low-memory-guard.lock"):
        print("This node does not have enough RAM to host the Kubernetes control plane services\n"
              "and join the database quorum. You may consider joining this node as a worker instead to a cluster.")
        return 1
    if locks.stopped():
        print("microk8s is not running, try microk8s start")
        return 0
    options = parse(words)
    ready = wait(options.timeout) if options.wait_ready or options.timeout else is_ready()
    rows = addons.rows() if ready else ""
    known = addons.available()
    on = [a for a in known if ready and a.enabled(rows)]
    off = [a for a in known if a not in on]
    if options.addon:
        return one(options.addon, on, ready)
    form = "yaml" if options.yaml else options.format
    {"yaml": as_yaml, "short": as_short, "pretty": as_pretty}[form](ready, on, off)
    return 0 if ready else 1


def parse(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Microk8s cluster status check.", prog="microk8s status")
    parser.add_argument("--format", help="print cluster and addon status, output can be in yaml, pretty or short",
                        default="pretty", choices={"pretty", "yaml", "short"})
    parser.add_argument("-w", "--wait-ready", action="store_true", help="wait until the cluster is in ready state")
    parser.add_argument("-t", "--timeout", type=int, default=0,
                        help="specify a timeout in seconds when waiting for the cluster to be ready.")
    parser.add_argument("-a", "--addon", default="", help="check the status of an addon.")
    parser.add_argument("--yaml", action="store_true", help="DEPRECATED, use '--format yaml' instead")
    return parser.parse_args(words)


def is_ready() -> bool:
    # Any node that is Ready will do, also somebody else's.
    return "service/kubernetes" in kube.text("get", "all", "--all-namespaces") and \
        " Ready " in kube.text("get", "nodes", "--all-namespaces")


def wait(timeout: int) -> bool:
    end = time.monotonic() + timeout
    while True:
        if is_ready():
            return True
        if timeout and time.monotonic() > end:
            return False
        time.sleep(2)


def voters() -> list[str]:
    """The datastore's members; ten tries, which takes its time when it is down."""
    for _ in range(10):
        if (found := datastore.members()) is not None:
            return found
        time.sleep(2)
    return []


def one(name: str, on: list, ready: bool) -> int:
    print("enabled" if any(name in (a.name, a.full_name) for a in on) else "disabled")
    return 0 if ready else 1


def as_pretty(ready: bool, on: list, off: list) -> None:
    if not ready:
        print(NOT_RUNNING)
        return
    print("microk8s is running")
    members = voters()
    print(f"high-availability: {'yes' if len(members) > 2 else 'no'}")
    print(f"  datastore master nodes: {' '.join(members) or 'none'}")
    print("  datastore standby nodes: none")
    print("addons:")
    for title, listed in (("enabled", on), ("disabled", off)):
        if listed:
            print(f"  {title}:")
            for addon in listed:
                print(f"    {addon.name:<20} # ({addon.repository}) {addon.description}")


def as_short(ready: bool, on: list, off: list) -> None:
    if not ready:
        print(NOT_RUNNING)
        return
    print("microk8s is running")
    print("addons:")
    for word, listed in (("enabled", on), ("disabled", off)):
        for addon in listed:
            print(f"{addon.full_name}: {word}")


def as_yaml(ready: bool, on: list, off: list) -> None:
    members = voters()
    print(f"microk8s:\n  running: {ready}")
    print(f"high-availability:\n  enabled: {len(members) > 2}\n  nodes:")
    for member in members:
        print(f"    - address: {member}\n      role: voter")
    if not ready:
        # Behind the high-availability block, where YAML takes it for a part of that.
        print(f"  message: {NOT_RUNNING}")
        return
    print("addons:")
    for word, listed in (("enabled", on), ("disabled", off)):
        for addon in listed:
            print(f"  - name: {addon.name}\n    repository: {addon.repository}\n    description: {addon.description}\n"
                  f"    version: {addon.version}\n    status: {word}")
    sys.stdout.flush()
