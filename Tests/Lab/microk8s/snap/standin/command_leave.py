"""`microk8s leave`: this node stands alone again, as a fresh one."""

import sys
import time

import agent_client
import api
import arguments
import datastore
import fresh_node
import host
import locks
import paths
import permissions
import snapctl
import tokens


def main(words: list[str]) -> int:
    if any(w in ("-h", "--help") for w in words):
        print("Usage: microk8s leave\n\nDetach this node from the cluster.")
        return 0
    permissions.need_permission(sys.stdout)
    permissions.need_running()
    if locks.worker():
        print("Configuring services.", flush=True)
        stand_alone()
        return 0
    members = datastore.members()
    if members is None:
        print("Could not contact the other nodes of the datastore.")
        return 2
    if len(members) < 2:
        print("This MicroK8s deployment is not acting as a node in a cluster.")
        return 1
    if not leave_datastore(members):
        print("Could not contact the other nodes of the datastore.")
        return 2
    stand_alone()
    return 0


def leave_datastore(members: list[str]) -> bool:
    own = datastore.address()
    others = [m for m in members if m != own]
    token = tokens.callback()
    for peer in others:
        try:
            status, _ = agent_client.post(f"{peer.rpartition(':')[0]}:25000", "/cluster/api/v2.0/dqlite/remove",
                                          {"callback": token, "remove_endpoint": own})
        except OSError:
            continue
        if status == 200:
            return True
    return False


def stand_alone() -> None:
    print("Generating new cluster certificates.", flush=True)
    for service in ("daemon-kubelite", "daemon-apiserver-proxy", "daemon-k8s-dqlite"):
        snapctl.do("stop", service)
    for name in ("clustered.lock", "no-k8s-dqlite", "no-cert-reissue", "cni-loaded", "join-in-progress"):
        locks.clear(name)
    locks.set("no-apiserver-proxy")
    (paths.CERTS / "ca.remote.crt").unlink(missing_ok=True)
    for service in ("kubelet", "kube-proxy"):
        arguments.write(service, (paths.SNAP / "default-args" / service).read_text())
    fresh_node.credentials()
    fresh_node.datastore()
    print("Waiting for node to start. ", end=" ", flush=True)
    for service in ("daemon-k8s-dqlite", "daemon-kubelite", "daemon-cluster-agent"):
        snapctl.do("start", service)
        snapctl.restart(service)
    time.sleep(10)
    for _ in range(15):
        if api.exists(f"/api/v1/nodes/{host.name()}"):
            break
        print(".. ", end="", flush=True)
        time.sleep(2)
    print(flush=True)
