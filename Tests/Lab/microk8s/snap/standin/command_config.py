"""`microk8s config`: the admin's kubeconfig with an address that others can reach."""

import sys

import host
import paths
import permissions


def main(words: list[str]) -> int:
    permissions.refuse_on_worker("config", 0)
    permissions.need_permission()
    text = paths.CLIENT_CONFIG.read_text()
    if any(w in ("-h", "--help") for w in words):
        print("Usage: microk8s config [-l|--use-loopback]\n\nRetrieve the client config of the MicroK8s cluster.")
        return 0
    if not any(w in ("-l", "--use-loopback") for w in words):
        text = text.replace("127.0.0.1", host.default_ip())
    sys.stdout.write(text + "\n")
    return 0
