"""apiservice-kicker: every 5 s, what should be so and is not: the CNI applied once, certificates with today's addresses."""

import time

import api
import certificates
import kube
import locks
import paths
import snapctl


def main(_) -> int:
    while True:
        time.sleep(5)
        if locks.worker():
            continue
        if api.ready():
            apply_cni()
        renew_certificates()


def apply_cni() -> None:
    """Hook 90-calico-apply: once, and again only when cni-needs-reload asks for it."""
    if locks.held("cni-loaded") and not locks.held("cni-needs-reload"):
        return
    manifest = paths.ARGS / "cni-network/cni.yaml"
    if manifest.exists():
        done = kube.run("apply", "-f", str(manifest))
        print(done.stdout, done.stderr, sep="", end="", flush=True)
        if done.returncode:
            return
    locks.set("cni-loaded")
    locks.clear("cni-needs-reload")


def renew_certificates() -> None:
    """While alone, a new address of the host costs a restart of the API: the certificate must name it."""
    if locks.held("no-cert-reissue") or locks.stopped():
        return
    wanted = certificates.render_csr()
    if wanted == (paths.CERTS / "csr.conf").read_text():
        return
    print("CSR change detected. Reconfiguring the kube-apiserver", flush=True)
    certificates.issue_server()
    certificates.issue("kubelet", certificates.kubelet_subject(), certificates.node_names())
    certificates.protect()
    snapctl.restart("daemon-kubelite", "daemon-cluster-agent")
