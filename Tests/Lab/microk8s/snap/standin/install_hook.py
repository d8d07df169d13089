"""The install hook: everything that has to lie in its place before the services start for the first time."""

import grp
import os
import shutil
import subprocess
from pathlib import Path

import certificates
import kubeconfigs
import launch_configuration
import locks
import paths
import tokens

SYSCTLS = """# Added by the microk8s snap.
fs.aio-max-nr = 1048576
fs.inotify.max_user_instances = 1024
fs.inotify.max_user_watches = 1048576
"""

# Others look for these paths; each is made only where nothing stands in its way.
LINKS = {
    "/var/lib/kubelet": paths.COMMON / "var/lib/kubelet",
    "/var/lib/calico": paths.CURRENT / "var/lib/calico",
    "/etc/cni/net.d": paths.CURRENT / "args/cni-network",
    "/opt/cni/bin": paths.CURRENT / "opt/cni/bin",
}


def main(_) -> int:
    if b"container=lxc" in Path("/proc/1/environ").read_bytes() and not Path("/dev/kmsg").exists():
        print("The microk8s snap needs /dev/kmsg, which this LXC container does not have.\n"
              "See https://microk8s.io/docs/lxd for the profile that it needs.")
        return 1
    folders()
    certificates.make_all()
    kubeconfigs.write_all()
    backend()
    addons()
    link()
    host_settings()
    side_load()
    try:
        chosen = launch_configuration.place()
        documents = launch_configuration.read(chosen)
        launch_configuration.prepare(documents)
    except launch_configuration.Refused as refusal:
        print(f"Failed to apply the launch configuration {chosen}: {refusal}")
        return 1
    shutil.copy(chosen, paths.COMMON / "etc/launcher/install.yaml")
    tokens.callback()
    own()
    for name in ("installed.lock", "ha-cluster", "no-etcd", "no-flanneld", "no-apiserver-proxy", "lite.lock"):
        locks.set(name)
    if memory() <= 524288:
        locks.set("low-memory-guard.lock")
    return 0


def folders() -> None:
    for folder in ("run", "var/lib/containerd", "var/lib/kubelet", "var/log", "addons", "plugins", "etc/launcher",
                   "etc/sideload", "hooks"):
        (paths.COMMON / folder).mkdir(parents=True, exist_ok=True)
    shutil.copytree(paths.SNAP / "default-args", paths.ARGS, dirs_exist_ok=True)
    for folder in ("args/cni-network", "credentials", "certs", "var/lock", "var/kubernetes/backend", "var/lib/calico", "opt/cni"):
        (paths.DATA / folder).mkdir(parents=True, exist_ok=True)
    shutil.copytree(paths.SNAP / "opt/cni/bin", paths.DATA / "opt/cni/bin", dirs_exist_ok=True)
    shutil.copy(paths.SNAP / "upgrade-scripts/000-switch-to-calico/resources/calico.yaml",
                paths.ARGS / "cni-network/cni.yaml")
    shutil.copy(paths.ARGS / "traefik/provider-template.yaml", paths.ARGS / "traefik/provider.yaml")
    for path in [paths.ARGS, *paths.ARGS.rglob("*")]:
        path.chmod(0o770 if path.is_dir() else 0o660)


def backend() -> None:
    (paths.BACKEND / "init.yaml").write_text("Address: 127.0.0.1:19001\n")
    certificates.openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", paths.BACKEND / "cluster.key")
    certificates.openssl("req", "-x509", "-new", "-sha256", "-days", certificates.YEARS, "-subj", "/CN=k8s",
                         "-key", paths.BACKEND / "cluster.key", "-out", paths.BACKEND / "cluster.crt",
                         "-addext", "subjectAltName=DNS:k8s,IP:127.0.0.1")


def addons() -> None:
    core = paths.ADDONS / "core"
    if not core.exists():
        shutil.copytree(paths.SNAP / "addons/core", core)


def link() -> None:
    for path, target in LINKS.items():
        if not os.path.lexists(path):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            os.symlink(target, path)


def host_settings() -> None:
    Path("/etc/sysctl.d").mkdir(exist_ok=True)
    Path("/etc/sysctl.d/10-microk8s.conf").write_text(SYSCTLS)
    subprocess.run(["sysctl", "-q", "-e", "-p", "/etc/sysctl.d/10-microk8s.conf"], capture_output=True)
    if Path("/etc/apparmor.d").is_dir():
        Path("/etc/apparmor.d/cri-containerd.apparmor.d").write_text(
            "#include <tunables/global>\nprofile cri-containerd.apparmor.d flags=(attach_disconnected,mediate_deleted) {\n}\n")


def side_load() -> None:
    """Copies: the space is needed twice. Errors are ignored, a missing image only shows when a pod wants it."""
    for source in ("/root/snap/microk8s/common/sideload", "/var/snap/microk8s/common/sideload"):
        for archive in sorted(Path(source).glob("*.tar")):
            try:
                shutil.copy(archive, paths.COMMON / "etc/sideload" / archive.name)
            except OSError:
                pass


def own() -> None:
    try:
        group = grp.getgrnam("microk8s").gr_gid
    except KeyError:
        subprocess.run(["groupadd", "--system", "microk8s"], check=True)
        group = grp.getgrnam("microk8s").gr_gid
    for folder in (paths.CREDENTIALS, paths.CERTS, paths.ARGS, paths.BACKEND):
        for path in [folder, *folder.rglob("*")]:
            if not path.is_symlink():
                os.chown(path, 0, group)
                path.chmod(0o770 if path.is_dir() else 0o660)


def memory() -> int:
    return int(next(l for l in open("/proc/meminfo") if l.startswith("MemTotal")).split()[1])
