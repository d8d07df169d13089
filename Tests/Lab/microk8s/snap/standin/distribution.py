"""Arguments for every control plane: through each one's cluster agent, on port 25000, which is written in stone here."""

import sys

import agent_client
import host
import kube
import paths


def control_planes() -> list[str]:
    """The addresses of the control planes, this node as 127.0.0.1."""
    found = []
    for node in kube.objects("get", "nodes"):
        labels = node["metadata"].get("labels", {})
        if "node.kubernetes.io/microk8s-worker" in labels:
            continue
        if node["metadata"]["name"] == host.name():
            found.append("127.0.0.1")
        else:
            found += [a["address"] for a in node["status"]["addresses"] if a["type"] == "InternalIP"]
    return found


def send(body: dict) -> None:
    token = (paths.CREDENTIALS / "callback-token.txt").read_text().strip()
    for address in control_planes():
        status, answer = agent_client.post(f"{address}:25000", "/cluster/api/v1.0/configure", {"callback": token, **body})
        if status != 200:
            print(f"Failed to configure {address}: {answer.get('error', status)}", file=sys.stderr)


def configure(service: str, values: dict[str, str]) -> None:
    send({"service": [{"name": service, "arguments_update": [values]}]})


def restart(service: str) -> None:
    send({"service": [{"name": service, "restart": True}]})
