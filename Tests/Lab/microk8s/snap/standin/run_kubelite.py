"""kubelite: API server, controller manager, scheduler, proxy and kubelet behind one service.

The real one is one process; this one starts the five and ends them all as soon as one ends, which looks the same to
systemd and to whoever restarts it.
"""

import re
import signal
import subprocess
import sys
import time

import api
import arguments
import host
import lab
import locks
import paths
import resolv_conf

# Arguments that Kubernetes dropped on its way to 1.30; the wrapper takes them out of the files.
GONE = {
    "kubelet": ["--network-plugin", "--cni-conf-dir", "--cni-bin-dir", "--container-runtime", "--pod-infra-container-image",
                "--dynamic-config-dir", "--experimental-dockershim-root-directory"],
    "kube-apiserver": ["--insecure-port", "--insecure-bind-address", "--token-auth-file"],
    "kube-controller-manager": ["--port", "--address", "--deployment-controller-sync-period", "--pod-eviction-timeout"],
    "kube-scheduler": ["--port", "--address", "--policy-configmap"],
    "kube-proxy": [],
}

children: dict[str, subprocess.Popen] = {}


def main(_) -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        prepare()
        start_all()
        while True:
            for name, child in children.items():
                if child.poll() is not None:
                    print(f"{name} exited with {child.returncode}", flush=True)
                    return 1
            time.sleep(0.5)
    finally:
        end_all()


def prepare() -> None:
    if not locks.held("no-arg-sanitisation"):
        for service, names in GONE.items():
            for name in names:
                if arguments.get(service, name) is not None:
                    arguments.put(service, name, None)
    if not (arguments.get("kube-apiserver", "--advertise-address") or arguments.get("kube-apiserver", "--bind-address")):
        wait_for_default_route()
    forward_pods()
    resolv_conf.choose()
    locks.clear("stopped.lock")


def wait_for_default_route() -> None:
    for _ in range(10):
        if host.default_route():
            return
        print("Waiting for default route to appear.", flush=True)
        time.sleep(1)
    print("WARNING: No default route exists. MicroK8s might not work properly.", flush=True)


def forward_pods() -> None:
    """Docker and firewalls set FORWARD to DROP; pods' packets shall pass all the same."""
    pods = arguments.get("kube-proxy", "--cluster-cidr") or "10.1.0.0/16"
    environ = lab.daemon_environment()
    for direction in ("-s", "-d"):
        rule = ["FORWARD", direction, pods, "-m", "comment", "--comment", "generated for MicroK8s pods", "-j", "ACCEPT"]
        if subprocess.run(["iptables", "-w", "-C", *rule], env=environ, capture_output=True).returncode:
            subprocess.run(["iptables", "-w", "-A", *rule], env=environ, capture_output=True)


def control_plane() -> bool:
    words = arguments.expanded("kubelite")
    return "--start-control-plane=false" not in words and not locks.worker()


def start_all() -> None:
    if control_plane():
        start("kube-apiserver")
        # The API server needs the datastore and some seconds; the others end themselves when it is not there in time.
        wait(api.ready, 90)
        lab.release_leases()
        start("kube-controller-manager")
        start("kube-scheduler")
    start("kubelet")
    # kube-proxy started before its Node exists backs off for many seconds.
    wait(lambda: api.exists(f"/api/v1/nodes/{host.name()}"), 30)
    start("kube-proxy")


def wait(claim, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and not claim():
        if any(child.poll() is not None for child in children.values()):
            return
        time.sleep(0.3)


def start(name: str) -> None:
    if any(child.poll() is not None for child in children.values()):
        return
    words = lab.understood(name, arguments.expanded(name))
    children[name] = subprocess.Popen([paths.SNAP / "bin" / name, *lab.extra(name), *words], cwd=paths.ARGS,
                                      env={**lab.daemon_environment(), **environment_file()})


def environment_file() -> dict[str, str]:
    file = paths.ARGS / "kubelite-env"
    text = file.read_text() if file.exists() else ""
    return dict(re.findall(r'^(?:export )?(\w+)="?(.*?)"?$', text, re.M))


def end_all() -> None:
    for child in children.values():
        if child.poll() is None:
            child.terminate()
    deadline = time.monotonic() + 10
    for child in children.values():
        try:
            child.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.kill()
