"""`microk8s inspect`: which services run, and a tarball with what they said."""

import subprocess
import tarfile
import tempfile
from datetime import datetime
from pathlib import Path

import host
import locks
import paths
import permissions
import snapctl


def main(words: list[str]) -> int:
    if any(w in ("-h", "--help") for w in words):
        print("Usage: microk8s inspect\n\nCheck the deployment and gather logs.")
        return 0
    permissions.need_permission()
    print("Inspecting system")
    print("Inspecting Certificates")
    print("Inspecting services")
    status = 0
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "inspection-report"
        for service in expected():
            unit = f"snap.microk8s.{service}"
            if snapctl.active(service):
                print(f"  Service {unit} is running")
            else:
                print(f" FAIL:  Service {unit} is not running")
                print(f"For more details look at: sudo journalctl -u {unit}")
                status = 1
            keep(report / unit / "journal.log", host.run("journalctl", "-n", "1000", "-u", unit))
        for topic, facts in GATHERED.items():
            print(f"  Copy {topic} to the final report tarball")
            for name, command in facts.items():
                keep(report / name, subprocess.run(command, shell=True, capture_output=True, text=True).stdout)
        warn()
        tarball = paths.DATA / f"inspection-report-{datetime.now():%Y%m%d_%H%M%S}.tar.gz"
        print("Building the report tarball")
        with tarfile.open(tarball, "w:gz") as archive:
            archive.add(report, "inspection-report")
    print(f"  Report tarball is at {tarball}")
    return status


def expected() -> list[str]:
    always = ["daemon-cluster-agent", "daemon-containerd", "daemon-kubelite"]
    return always + (["daemon-apiserver-proxy"] if locks.worker() else ["daemon-k8s-dqlite", "daemon-apiserver-kicker"])


GATHERED = {
    "service arguments": {"args/list": f"ls -R {paths.ARGS}; cat {paths.ARGS}/kube*"},
    "processes list": {"sys/ps": "ps aux"},
    "snap list": {"sys/snap-list": "/usr/bin/snap list"},
    "VM name (or none)": {"sys/vm_name": "systemd-detect-virt"},
    "disk usage information": {"sys/disk_usage": "df -h"},
    "memory usage information": {"sys/memory_usage": "free -m"},
    "server uptime": {"sys/uptime": "uptime"},
    "openSSL information": {"sys/openssl": f"{paths.SNAP}/bin/openssl version -v -d -e"},
    "network configuration": {"network/ip-addr": "ip addr", "network/ip-route": "ip route"},
}


def warn() -> None:
    name = host.run("hostname").strip()
    if name != name.lower() or "_" in name:
        print(f"WARNING:  This machine's hostname contains capital letters and/or underscores.\n"
              f"          This is not a valid name for a Kubernetes node, causing node registration to fail.\n"
              "          Please change the machine's hostname or refer to the documentation for more details:\n"
              "          https://microk8s.io/docs/troubleshooting#heading--common-issues")


def keep(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
