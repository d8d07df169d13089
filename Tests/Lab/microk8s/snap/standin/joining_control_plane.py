"""A node becomes one more control plane: the other cluster's authority and datastore take the place of its own."""

import shutil
import time

import arguments
import certificates
import datastore
import joining_worker
import kubeconfigs
import locks
import paths
import snapctl
import tokens


def join(answer: dict, _: str) -> None:
    print("Waiting for this node to finish joining the cluster. ", end="", flush=True)
    snapctl.do("stop", "daemon-kubelite", "daemon-k8s-dqlite")
    for name, key in (("ca.crt", "ca"), ("ca.key", "ca_key"), ("serviceaccount.key", "service_account_key")):
        joining_worker.write_certificate(name, answer[key])
    certificates.issue_server()
    certificates.issue_clients()
    certificates.protect()
    kubeconfigs.write_all()
    tokens.write(tokens.OWN_CALLBACK, [answer["callback_token"]])
    arguments.put("kube-apiserver", "--authorization-mode", answer["api_authz_mode"])
    take_datastore(answer)
    for name in ("no-cert-reissue", "cni-loaded"):
        locks.set(name)
    for service in ("daemon-k8s-dqlite", "daemon-kubelite", "daemon-cluster-agent"):
        snapctl.do("start", service)
        snapctl.restart(service)
    time.sleep(10)
    # At most ten looks; and it is called a success when the member never showed up, too.
    for _ in range(10):
        print(".. ", end="", flush=True)
        if f"{answer['lab_address']}:19001" in (datastore.members() or []):
            break
        time.sleep(5)
    print("\n", end="")


def take_datastore(answer: dict) -> None:
    own = f"{answer['lab_address']}:19001"
    shutil.rmtree(paths.BACKEND / "lab-data", ignore_errors=True)
    for name, key in (("cluster.crt", "cluster_cert"), ("cluster.key", "cluster_key")):
        (paths.BACKEND / name).write_text(answer[key])
    voters = "".join(f"  - {v}\n" for v in answer["voters"])
    (paths.BACKEND / "init.yaml").write_text(f"Cluster:\n{voters}Address: {own}\n")
    (paths.BACKEND / "info.yaml").unlink(missing_ok=True)
    (paths.BACKEND / "lab-initial-cluster").write_text(answer["lab_initial_cluster"])
    datastore.write_members([*answer["voters"], own])


