"""Who is in the datastore's cluster: the files of dqlite's backend folder, and etcd's own list of members."""

import json
import re
import subprocess

import host
import paths


def address() -> str:
    """Where this member's peers find it: 127.0.0.1 until the first join, then the host's own address."""
    for name in ("info.yaml", "init.yaml"):
        file = paths.BACKEND / name
        if file.exists() and (found := re.search(r"^Address: (\S+)$", file.read_text(), re.M)):
            return found[1]
    return "127.0.0.1:19001"


def flags() -> list[str]:
    own = address()
    name = host.name()
    (paths.BACKEND / "info.yaml").write_text(f"Address: {own}\nID: {identity()}\nRole: 0\n")
    if not (paths.BACKEND / "cluster.yaml").exists():
        write_members([own])
    joined = paths.BACKEND / "lab-initial-cluster"
    peers = joined.read_text().strip() if joined.exists() else f"{name}=https://{own}"
    return [
        f"--name={name}", "--data-dir=lab-data",
        # A URL of etcd's must have a port, so the socket is named as dqlite names it, in the folder where we stand.
        "--listen-client-urls=unix://kine.sock:12379", "--advertise-client-urls=unix://kine.sock:12379",
        f"--listen-peer-urls=https://{own}", f"--initial-advertise-peer-urls=https://{own}",
        f"--initial-cluster={peers}", f"--initial-cluster-state={'existing' if joined.exists() else 'new'}",
        "--peer-cert-file=cluster.crt", "--peer-key-file=cluster.key", "--peer-client-cert-auth",
        "--peer-trusted-ca-file=cluster.crt", "--logger=zap", "--log-level=warn", "--auto-compaction-retention=1",
        "--quota-backend-bytes=2147483648",
    ]


def identity() -> int:
    return 3297041220608546238


def write_members(addresses: list[str]) -> None:
    (paths.BACKEND / "cluster.yaml").write_text(
        "".join(f"- Address: {a}\n  ID: {identity() + n}\n  Role: 0\n" for n, a in enumerate(addresses)))


def ctl(*words: str, timeout: float = 10) -> subprocess.CompletedProcess:
    endpoint = f"unix://{paths.BACKEND}/kine.sock:12379"
    try:
        return subprocess.run([paths.SNAP / "bin/etcdctl", f"--endpoints={endpoint}", "--dial-timeout=2s", "--command-timeout=4s", *words],
                              capture_output=True, text=True, timeout=timeout, env={"ETCDCTL_API": "3", "PATH": "/usr/bin:/bin"})
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(words, 1, "", "timed out")


def members() -> list[str] | None:
    """The voters' addresses; nothing when the datastore does not answer."""
    done = ctl("member", "list", "-w", "json")
    if done.returncode:
        return None
    urls = [m.get("peerURLs", [""])[0] for m in json.loads(done.stdout)["members"]]
    return sorted(u.removeprefix("https://") for u in urls)
