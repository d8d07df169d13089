"""What MicroK8s asks of its host: addresses, the default route, the name."""

import ipaddress
import re
import socket
import subprocess

import arguments

# Interfaces of the cluster itself are no addresses of the host (scripts: get_ips).
OWN_INTERFACES = ("vxlan.calico", "flannel.1", "cni0", "ovn0")


def name() -> str:
    return socket.gethostname().lower()


def run(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True).stdout


def own_addresses() -> set[str]:
    found = set()
    for interface in OWN_INTERFACES:
        found |= set(re.findall(r"inet6? ([0-9a-f.:]+)/", run("ip", "addr", "show", interface)))
    return found


def addresses() -> list[str]:
    """`hostname -I` without link-local addresses and those of the cluster; the text `none` when nothing is left."""
    mine = own_addresses()
    found = [a for a in run("hostname", "-I").split() if not a.startswith("169.254.") and a not in mine and not in_pods(a)]
    return found or ["none"]


def in_pods(address: str) -> bool:
    """The CNI in Calico's place gives each pod's cable an address on the host's end; Calico's own cables have none."""
    pods = ipaddress.ip_network(arguments.get("kube-proxy", "--cluster-cidr") or "10.1.0.0/16", strict=False)
    return ipaddress.ip_address(address) in pods


def default_ip() -> str:
    """The address of the interface with the default route; without such a route, 127.0.0.1, which misleads many."""
    match = re.search(r"^default .*?dev (\S+)", run("ip", "-4", "route", "show"), re.M)
    if not match:
        return "127.0.0.1"
    found = re.search(r"inet ([\d.]+)/", run("ip", "-4", "addr", "show", match[1], "scope", "global"))
    return found[1] if found else "127.0.0.1"


def default_route() -> bool:
    return any(line.startswith("default") for family in ("-4", "-6")
               for line in run("ip", family, "route", "show").splitlines())
