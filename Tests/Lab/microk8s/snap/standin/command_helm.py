"""`microk8s helm` and `microk8s helm3`: the bundled helm with the admin's kubeconfig; on a worker only words."""

import os

import paths
import permissions


def main(words: list[str]) -> int:
    permissions.refuse_on_worker("helm", 0)
    permissions.need_permission()
    permissions.need_running()
    program = str(paths.SNAP / "bin/helm")
    os.execv(program, ["helm", f"--kubeconfig={paths.CLIENT_CONFIG}", *words])
