"""`microk8s ctr`: containerd's own client; works on workers, and on a stopped node as far as containerd runs."""

import arguments
import paths
import permissions


def main(words: list[str]) -> int:
    permissions.need_permission()
    kind = "overlayfs"
    return permissions.with_sudo("env", f"CONTAINERD_SNAPSHOTTER={kind}", paths.SNAP / "bin/ctr",
                                 *arguments.expanded("ctr"), *words)
