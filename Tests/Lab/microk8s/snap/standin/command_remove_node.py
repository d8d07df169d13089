"""`microk8s remove-node`: takes the Node object away (nothing is drained), and with --force a dead control plane."""

import json
import sys

import datastore
import kube
import locks
import permissions


def main(words: list[str]) -> int:
    permissions.need_permission(sys.stdout)
    if any(w in ("-h", "--help") for w in words):
        print("Usage: microk8s remove-node [OPTIONS] NODE\n\n  Remove a node from the cluster\n\nOptions:\n"
              "  --force  Remove the node even if it is registered with dqlite")
        return 0
    if locks.worker():
        print("This MicroK8s deployment is acting as a node in a cluster. Please use microk8s leave.")
        return 1
    if not words:
        print("Please provide the node you want to remove.")
        return 1
    if len(words) > 1 and words[1] != "--force":
        print("Please provide the node and the optional --force flag.")
        return 1
    return remove(words[0], force=len(words) > 1)


def remove(node: str, force: bool) -> int:
    name, addresses = found(node)
    if name is None:
        print(kube.run("get", "no", node).stderr, end="", file=sys.stderr)
        print(f"Node {node} does not exist in Kubernetes.")
        return 1
    registered = [m for m in datastore.members() or [] if m.rpartition(":")[0] in addresses]
    if registered and not force:
        print(f"Removal failed. Node {node} is registered with dqlite. "
              "Please, run first 'microk8s leave' on the departing node. \n"
              "If the node is not available anymore and will never attempt to join the cluster in the future use the "
              "'--force' flag \nto unregister the node while removing it.")
        return 1
    for member in registered:
        datastore.forget(member)
    kube.run("delete", "no", name, "--timeout=90s")
    return 0


def found(node: str) -> tuple[str | None, list[str]]:
    """By name, or by one of its addresses."""
    done = kube.run("get", "nodes", "-o", "json")
    for item in json.loads(done.stdout or '{"items": []}')["items"]:
        addresses = [a["address"] for a in item["status"].get("addresses", [])]
        if node == item["metadata"]["name"] or node in addresses:
            return item["metadata"]["name"], addresses
    return None, []
