"""args/traefik/provider.yaml: the API servers that a worker's proxy knows."""

import json
import re
import subprocess

import arguments
import kube
import paths

PROVIDER = "traefik/provider.yaml"


def read() -> list[str]:
    file = paths.ARGS / PROVIDER
    return re.findall(r"- address: (\S+)", file.read_text()) if file.exists() else []


def write(addresses: list[str]) -> None:
    template = (paths.ARGS / "traefik/provider-template.yaml").read_text()
    servers = "\n".join(f"        - address: {a}" for a in addresses)
    arguments.write(PROVIDER, template.replace("# APISERVERS", servers))
    traefik = (paths.ARGS / "traefik/traefik-template.yaml").read_text()
    arguments.write("traefik/traefik.yaml", traefik.replace("$TRAEFIK_PROVIDER", str(paths.ARGS / PROVIDER)))


def asked() -> list[str]:
    """What the Service `kubernetes` says now, asked as the kubelet."""
    done = subprocess.run([kube.KUBECTL, f"--kubeconfig={paths.CREDENTIALS}/kubelet.config", "--request-timeout=10s",
                           "get", "endpoints", "kubernetes", "-n", "default", "-o", "json"], capture_output=True, text=True)
    if done.returncode:
        raise OSError(done.stderr.strip())
    found = []
    for subset in json.loads(done.stdout).get("subsets") or []:
        port = subset["ports"][0]["port"]
        found += [f"{a['ip']}:{port}" for a in subset.get("addresses") or []]
    return sorted(found)
