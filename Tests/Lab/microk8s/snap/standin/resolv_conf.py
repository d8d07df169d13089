"""Which resolv.conf the kubelet hands to pods: the first whose name servers are all reachable from inside a pod."""

import re
from pathlib import Path

import arguments

PLACES = ["/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"]


def valid(place: str) -> bool:
    """Only name servers that are not on the loopback; one that names none at all is no use either."""
    try:
        servers = re.findall(r"^nameserver\s+(\S+)", Path(place).read_text(), re.M)
    except OSError:
        return False
    return bool(servers) and not any(s.startswith("127.") or s == "::1" for s in servers)


def found() -> str | None:
    return next((p for p in PLACES if valid(p)), None)


def choose() -> None:
    if (place := found()) and arguments.get("kubelet", "--resolv-conf") is None:
        arguments.put("kubelet", "--resolv-conf", place)
