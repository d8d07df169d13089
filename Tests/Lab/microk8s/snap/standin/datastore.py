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
        # Not cluster.crt, as dqlite has it: etcd wants to find its peer's address in the certificate.
        f"--peer-cert-file={paths.CERTS}/server.crt", f"--peer-key-file={paths.CERTS}/server.key",
        "--peer-client-cert-auth", f"--peer-trusted-ca-file={paths.CERTS}/ca.crt", "--logger=zap", "--log-level=warn", "--auto-compaction-retention=1",
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


def listed() -> list[dict]:
    done = ctl("member", "list", "-w", "json")
    return json.loads(done.stdout)["members"] if done.returncode == 0 else []


def announce(own: str) -> None:
    """After a move: tells the members, of whom there is only this one, where it lives now."""
    for member in listed():
        ctl("member", "update", format(member["ID"], "x"), f"--peer-urls=https://{own}")
    write_members(members() or [own])


def expect(name: str, peer: str) -> str:
    """Adds a member that will come; returns what etcd calls its initial cluster."""
    there = [f"{m['name']}={m['peerURLs'][0]}" for m in listed()]
    done = ctl("member", "add", name, f"--peer-urls=https://{peer}")
    if done.returncode:
        raise RuntimeError(done.stderr.strip())
    return ",".join([*there, f"{name}=https://{peer}"])


def forget(peer: str) -> None:
    for member in listed():
        if f"https://{peer}" in member.get("peerURLs", []):
            ctl("member", "remove", format(member["ID"], "x"))
