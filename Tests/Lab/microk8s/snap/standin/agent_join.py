"""The calls of a node that wants to join, answered by a control plane."""

import re
import time

import arguments
import certificates
import datastore
import host
import kube
import locks
import paths
import snapctl
import tokens
from agent_refusal import Refusal


def join(request: dict, caller: str, called: str) -> dict:
    """`called` is the address that the caller used for us: the datastore moves to it when it is still on 127.0.0.1."""
    token, worker = request.get("token", ""), bool(request.get("worker"))
    if not (tokens.good(tokens.PERSISTENT, token) or tokens.spend(tokens.CLUSTER, token)):
        raise Refusal("Invalid token")
    if locks.held("no-k8s-dqlite"):
        raise Refusal("Not possible to join. This is not an HA MicroK8s cluster.", 501)
    if str(request.get("port")) != "25000":
        raise Refusal("The port of the cluster agent has to be set to 25000.", 502)
    if caller == called or caller in host.addresses():
        raise Refusal("The joining node has the same IP as the node we contact.", 503)
    move_datastore(called, caller)
    answer = {
        "ca": (paths.CERTS / "ca.crt").read_text(),
        "callback_token": tokens.callback(),
        "apiport": arguments.get("kube-apiserver", "--secure-port"),
        "api_authz_mode": arguments.get("kube-apiserver", "--authorization-mode"),
        "kubelet_args": (paths.ARGS / "kubelet").read_text(),
        "hostname_override": caller,
        "voters": datastore.members() or [],
        "service_account_key": (paths.CERTS / "serviceaccount.key").read_text(),
        "ca_key": None,
        "control_plane_nodes": [f"{m.rpartition(':')[0]}:16443" for m in datastore.members() or []],
        "cluster_cidr": arguments.get("kube-proxy", "--cluster-cidr"),
    }
    if worker:
        for name in ("kubelet", "proxy"):
            tokens.add(tokens.REQUESTS, f"{token}-{name}")
        return answer
    answer |= {
        "ca_key": (paths.CERTS / "ca.key").read_text(),
        "admin_token": "",
        "cluster_cert": (paths.BACKEND / "cluster.crt").read_text(),
        "cluster_key": (paths.BACKEND / "cluster.key").read_text(),
        "lab_address": caller,
        # dqlite lets a newcomer in by its certificate; etcd wants to be told before.
        "lab_initial_cluster": datastore.expect(request["hostname"].lower(), f"{caller}:19001"),
    }
    return answer


def move_datastore(own: str, peer: str) -> None:
    """The very first join: from 127.0.0.1 to an address that others reach; the API is down for some seconds."""
    locks.set("no-cert-reissue")
    if not datastore.address().startswith("127.0.0.1"):
        return
    (paths.BACKEND / "init.yaml").write_text(f"Address: {own}:19001\n")
    (paths.BACKEND / "info.yaml").unlink(missing_ok=True)
    snapctl.restart("daemon-k8s-dqlite")
    for _ in range(60):
        time.sleep(1)
        if datastore.members() is not None:
            break
    datastore.announce(f"{own}:19001")
    detect_address_by(peer)


def detect_address_by(peer: str) -> None:
    """Calico is told to use the address from which the first neighbour can be reached."""
    manifest = paths.ARGS / "cni-network/cni.yaml"
    text = manifest.read_text()
    changed = re.sub(r'(name: IP_AUTODETECTION_METHOD\n\s+value: )"first-found"', rf'\g<1>"can-reach={peer}"', text)
    if changed == text:
        return
    manifest.write_text(changed)
    for _ in range(20):
        if kube.run("apply", "-f", str(manifest), timeout=30).returncode == 0:
            return
        time.sleep(2)


def sign(request: dict, _: str) -> dict:
    token = request.get("token", "")
    if not tokens.spend(tokens.REQUESTS, token):
        raise Refusal("invalid certificate request token")
    try:
        return {"certificate": certificates.sign(request["request"])}
    except RuntimeError as error:
        raise Refusal(f"failed to sign certificate: {error}") from None


def remove_member(request: dict, _: str) -> dict:
    if request.get("callback") not in tokens.callbacks():
        raise Refusal("invalid callback token")
    datastore.forget(request["remove_endpoint"])
    return {}
