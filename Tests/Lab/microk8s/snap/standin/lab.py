"""What the stand-in needs because its machine is a container and its Kubernetes is 1.20. None of it is in args/."""

import os
import re
import subprocess
from pathlib import Path

import host
import kube
import paths

# Flags of 1.21 to 1.30 that an installer may rightly set and that 1.20 would refuse.
LATER = {
    "kubelet": {"--seccomp-default", "--memory-manager-policy", "--reserved-memory", "--topology-manager-policy-options",
                "--image-service-endpoint", "--local-storage-capacity-isolation", "--config-dir",
                "--tracing-config-file"},
    "kube-apiserver": {"--authentication-config", "--authorization-config", "--tracing-config-file", "--disabled-metrics",
                       "--shutdown-send-retry-after", "--aggregator-reject-forwarding-redirect", "--shutdown-watch-termination-grace-period"},
    "kube-controller-manager": {"--legacy-service-account-token-clean-up-period", "--disabled-metrics",
                                "--concurrent-job-syncs", "--concurrent-cron-job-syncs", "--min-resync-period-jitter"},
    "kube-scheduler": {"--disabled-metrics", "--pod-max-in-unschedulable-pods-duration"},
    "kube-proxy": {"--disabled-metrics", "--iptables-localhost-nodeports", "--pod-bridge-interface", "--pod-interface-name-prefix"},
}

CONFIG = """apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
cgroupRoot: {cgroup_root}
oomScoreAdj: 0
maxOpenFiles: 20000
nodeStatusUpdateFrequency: 4s
syncFrequency: 10s
readOnlyPort: 0
authorization:
  mode: AlwaysAllow
"""


def understood(component: str, words: list[str]) -> list[str]:
    kept = []
    for word in words:
        if word.split("=")[0] in LATER[component]:
            print(f"lab: {component} {word} is newer than 1.20 and left out", flush=True)
        else:
            kept.append(word)
    return kept


def extra(component: str) -> list[str]:
    if component == "kubelet":
        file = Path("/run/jhub-lab/kubelet.yaml")
        file.parent.mkdir(exist_ok=True)
        root = Path("/run/lab/cgroup-root")
        file.write_text(CONFIG.format(cgroup_root=root.read_text().strip() if root.exists() else "/"))
        return [f"--config={file}", "--container-runtime=remote"]
    if component == "kube-controller-manager":
        # The CNI image in Calico's place takes a node's pods from its podCIDR instead of an address pool of its own.
        return ["--allocate-node-cidrs=true", "--cluster-cidr=10.1.0.0/16", "--port=0"]
    if component == "kube-scheduler":
        return ["--port=0"]
    if component == "kube-proxy":
        # These sysctls belong to the whole kernel, which other machines share.
        return ["--conntrack-max-per-core=0", "--conntrack-min=0", "--conntrack-tcp-timeout-established=0s",
                "--conntrack-tcp-timeout-close-wait=0s"]
    return []


def containerd_toml(rendered: str) -> str:
    if "restrict_oom_score_adj" in rendered:
        return rendered
    return re.sub(r'^\[plugins\."io\.containerd\.grpc\.v1\.cri"\]$',
                  "\\g<0>\n  # The lab's machines may not lower an oom_score_adj.\n  restrict_oom_score_adj = true\n"
                  "  disable_apparmor = true", rendered, count=1, flags=re.M)


def daemon_environment() -> dict[str, str]:
    """Where the daemons find what the snap bundles: iptables, runc, shims, conntrack."""
    own = [str(paths.SNAP / "sbin"), str(paths.SNAP / "bin")]
    return {**os.environ, "PATH": ":".join(own + ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"])}


def mount_propagation() -> None:
    # Pods mount with Bidirectional propagation; a container's root is private until somebody says so.
    subprocess.run(["mount", "--make-rshared", "/"], capture_output=True)


def release_leases() -> None:
    """A killed leader's lease lasts 60 s, in which nothing is scheduled. One that was this node's own is void now."""
    for name in ("kube-controller-manager", "kube-scheduler"):
        holder = kube.text("get", "lease", "-n", "kube-system", name, "-o", "jsonpath={.spec.holderIdentity}", timeout=10)
        if holder.startswith(f"{host.name()}_"):
            kube.run("delete", "lease", "-n", "kube-system", name, "--wait=false", timeout=10)
