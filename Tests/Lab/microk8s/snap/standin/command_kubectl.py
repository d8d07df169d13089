"""`microk8s kubectl`: on a worker only words, and status 0."""

import os

import arguments
import paths
import permissions


def main(words: list[str]) -> int:
    permissions.refuse_on_worker("kubectl", 0)
    if not any(w.startswith("--kubeconfig") for w in words):
        permissions.need_permission()
    permissions.need_running()
    program = str(paths.SNAP / "kubectl")
    if any(w.startswith("--kubeconfig") for w in words):
        os.execv(program, ["kubectl", *words])
    os.execv(program, ["kubectl", *arguments.expanded("kubectl"), *words])
