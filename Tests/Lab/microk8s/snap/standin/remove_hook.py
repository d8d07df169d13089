"""The remove hook: no container and no mount of ours outlives the snap."""

import os
import subprocess

import containers
import install_hook


def main(_) -> int:
    containers.kill_all()
    unmount()
    for interface in ("vxlan.calico", "flannel.1", "cni0"):
        subprocess.run(["ip", "link", "delete", interface], capture_output=True)
    for path, target in install_hook.LINKS.items():
        if os.path.islink(path) and os.readlink(path) == str(target):
            os.unlink(path)
    for file in ("/etc/sysctl.d/10-microk8s.conf", "/etc/apparmor.d/cri-containerd.apparmor.d"):
        if os.path.exists(file):
            os.unlink(file)
    return 0


def unmount() -> None:
    with open("/proc/self/mounts") as mounts:
        places = [line.split()[1] for line in mounts]
    for place in reversed(places):
        if place.startswith(("/var/snap/microk8s/common/", "/run/netns/cni-")):
            subprocess.run(["umount", "-l", place], capture_output=True)
