"""`microk8s images`: import to every node, which says it worked even where it did not; export of this node's images."""

import json
import subprocess
import sys

import agent_client
import host
import paths
import permissions
import tokens

USAGE = """Usage: microk8s images [OPTIONS] COMMAND

Commands:
  import        Import OCI images into the MicroK8s cluster
  export-local  Export OCI images from the current MicroK8s node"""


def main(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help", "help"):
        print(USAGE)
        return 0 if words else 1
    permissions.need_permission(sys.stdout)
    if words[0] == "import":
        return bring(words[1] if len(words) > 1 else "-")
    if words[0] == "export-local":
        return export(words[1:])
    print(USAGE)
    return 1


def bring(file: str) -> int:
    try:
        body = sys.stdin.buffer.read() if file == "-" else open(file, "rb").read()
    except OSError as error:
        print(f"Error: failed to open {file}: {error}", file=sys.stderr)
        return 1
    # On a worker this gets a sentence instead of JSON, and that is where it ends, traceback and all.
    answer = subprocess.run([paths.SNAP / "microk8s-kubectl.wrapper", "get", "node", "-o", "json"], capture_output=True, text=True)
    nodes = json.loads(answer.stdout)["items"]
    for node in nodes:
        address = next(a["address"] for a in node["status"]["addresses"] if a["type"] == "InternalIP")
        send(address, body)
    return 0


def send(address: str, body: bytes) -> None:
    print(f"Pushing OCI images to {address}:25000", flush=True)
    try:
        connection = agent_client.connect(f"{address}:25000", 240)
        connection.request("POST", "/cluster/api/v2.0/image/import", body,
                           {"x-microk8s-callback-token": tokens.callback()})
        answer = connection.getresponse()
        content = answer.read().decode(errors="replace")
    except OSError as error:
        print(f"Failed to reach {address}:25000: {error}", file=sys.stderr)
        return
    if answer.status != 200:
        print(f"Failed to import images on {address}:25000: {content}", file=sys.stderr)


def export(words: list[str]) -> int:
    out = words[0] if words else "-"
    names = words[1:]
    ctr = [str(paths.SNAP / "bin/ctr"), f"--address={paths.SOCKET}", "--namespace=k8s.io"]
    if not names:
        listed = subprocess.run([*ctr, "image", "list", "-q"], capture_output=True, text=True).stdout.split()
        names = [n for n in listed if not n.startswith("sha256:") and "@sha256:" not in n]
    print(f"Exporting OCI images {names} from {host.name()}", file=sys.stderr)
    return subprocess.run([*ctr, "image", "export", out, *names]).returncode
