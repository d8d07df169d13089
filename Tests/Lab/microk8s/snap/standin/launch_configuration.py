"""The launch configuration: a YAML file that sets a node up without commands (since 1.27).

`prepare` is what happens before the first start and fails the installation on a bad file; `apply` is done by the cluster
agent when the API answers, and again and again until it succeeds.
"""

import re
import subprocess
from pathlib import Path

import yaml

import arguments
import certificates
import paths
import snapctl

LAUNCHER = paths.COMMON / "etc/launcher"

# The order in which a node looks for its file; the first hit replaces all others.
PLACES = [
    Path("/etc/microk8s.yaml"),
    Path("/root/snap/microk8s/common/.microk8s.yaml"),
    Path("/var/snap/microk8s/common/.microk8s.yaml"),
    paths.SNAP / "microk8s.default.yaml",
]

ARGUMENTS = {
    "extraKubeletArgs": "kubelet", "extraKubeAPIServerArgs": "kube-apiserver", "extraKubeProxyArgs": "kube-proxy",
    "extraKubeControllerManagerArgs": "kube-controller-manager", "extraKubeSchedulerArgs": "kube-scheduler",
    "extraContainerdArgs": "containerd", "extraDqliteArgs": "k8s-dqlite", "extraEtcdArgs": "etcd",
    "extraMicroK8sClusterAgentArgs": "cluster-agent", "extraMicroK8sAPIServerProxyArgs": "apiserver-proxy",
    "extraFlanneldArgs": "flanneld",
}
ENVIRONMENTS = {
    "extraKubeliteEnv": "kubelite-env", "extraContainerdEnv": "containerd-env", "extraDqliteEnv": "k8s-dqlite-env",
    "extraMicroK8sClusterAgentEnv": "cluster-agent-env", "extraMicroK8sAPIServerProxyEnv": "apiserver-proxy-env",
    "extraEtcdEnv": "etcd-env", "extraFlanneldEnv": "flanneld-env", "extraCNIEnv": "cni-env", "extraFIPSEnv": "fips-env",
}
OTHERS = {"version", "addonRepositories", "addons", "extraSANs", "containerdRegistryConfigs", "extraConfigFiles",
          "persistentClusterToken", "join"}


class Refused(Exception):
    pass


class Loader(yaml.BaseLoader):
    """Everything is text, as Go reads into strings, but null stays null: it deletes an argument."""


Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""])
Loader.add_constructor("tag:yaml.org,2002:null", lambda loader, node: None)


def place() -> Path:
    return next(p for p in PLACES if p.exists())


def read(file: Path) -> list[dict]:
    try:
        documents = [d for d in yaml.load_all(file.read_text(), Loader) if d is not None]
    except yaml.YAMLError as error:
        raise Refused(f"failed to parse launch configuration: {error}") from None
    for document in documents:
        check(document)
    return documents


def check(document) -> None:
    if not isinstance(document, dict):
        raise Refused("failed to parse launch configuration: yaml: unmarshal errors: cannot unmarshal into Configuration")
    version = document.get("version")
    if not version:
        raise Refused("failed to parse launch configuration: missing version")
    parts = re.fullmatch(r"v?(\d+)\.(\d+)\.(\d+)", version)
    if not parts:
        raise Refused(f'failed to parse launch configuration: invalid version "{version}"')
    if not (0, 1, 0) <= tuple(map(int, parts.groups())) <= (0, 2, 0):
        raise Refused(f"failed to parse launch configuration: unsupported version {version} (minimum is 0.1.0, maximum is 0.2.0)")
    for key, value in document.items():
        if key in ARGUMENTS | ENVIRONMENTS or key in ("containerdRegistryConfigs", "extraConfigFiles"):
            expect(key, value, dict)
            for name, text in (value or {}).items():
                if isinstance(text, (dict, list)):
                    raise Refused(f"yaml: unmarshal errors: cannot unmarshal {key}.{name} into string")
        elif key in ("addons", "addonRepositories", "extraSANs"):
            expect(key, value, list)
        elif key == "join":
            expect(key, value, dict)
        elif key not in OTHERS:
            print(f"WARNING: unknown field {key} in launch configuration is ignored")
    token = document.get("persistentClusterToken")
    if token is not None and len(token) < 32:
        raise Refused("persistentClusterToken must be at least 32 characters long")


def expect(key: str, value, kind: type) -> None:
    if value is not None and not isinstance(value, kind):
        raise Refused(f"yaml: unmarshal errors: cannot unmarshal {key} into {'map' if kind is dict else 'array'}")


def prepare(documents: list[dict]) -> set[str]:
    """Writes tokens, files, arguments, names and registries; returns the services that this concerns."""
    touched = set()
    for document in documents:
        if token := document.get("persistentClusterToken"):
            write(paths.CREDENTIALS / "persistent-cluster-tokens.txt", token + "\n")
        for name, text in (document.get("extraConfigFiles") or {}).items():
            write(paths.ARGS / name, text or "")
            touched.add("daemon-kubelite")
        for key, service in ARGUMENTS.items():
            for name, value in (document.get(key) or {}).items():
                arguments.put(service, name, value)
                touched.add("daemon-kubelite" if service.startswith("kube") else f"daemon-{service}")
        for key, file in ENVIRONMENTS.items():
            for name, value in (document.get(key) or {}).items():
                put_environment(file, name, value)
        if names := document.get("extraSANs"):
            add_names(names)
            touched |= {"daemon-kubelite", "daemon-cluster-agent"}
        for registry, text in (document.get("containerdRegistryConfigs") or {}).items():
            write(paths.ARGS / "certs.d" / registry / "hosts.toml", text or "")
    return touched


def apply(documents: list[dict]) -> None:
    for document in documents:
        for repository in document.get("addonRepositories") or []:
            command("addons", "repo", "add", repository["name"], repository["url"])
        for addon in document.get("addons") or []:
            verb = "disable" if addon.get("disable") == "true" else "enable"
            command(verb, addon["name"], *(addon.get("args") or []))
        touched = prepare([{k: v for k, v in document.items() if document.get("version")}]) if differs(document) else set()
        if join := document.get("join"):
            url = join.get("url") or ""
            command("join", url, *(["--worker"] if join.get("worker") == "true" else []))
        for service in sorted(touched):
            snapctl.restart(service)


def differs(document: dict) -> bool:
    """The file that was applied before the first start must not restart everything once more."""
    for key, service in ARGUMENTS.items():
        if any(arguments.get(service, n) != v for n, v in (document.get(key) or {}).items()):
            return True
    return any(document.get(k) for k in ("persistentClusterToken", "extraConfigFiles", "containerdRegistryConfigs", *ENVIRONMENTS)) \
        or any(n not in (paths.CERTS / "csr.conf.template").read_text() for n in document.get("extraSANs") or [])


def command(*words: str) -> None:
    done = subprocess.run([paths.SNAP / "microk8s.wrapper", *words], capture_output=True, text=True)
    print(done.stdout, done.stderr, sep="", end="", flush=True)
    if done.returncode:
        raise Refused(f"failed to run microk8s {' '.join(words)}: exit status {done.returncode}")


def add_names(names: list[str]) -> None:
    file = paths.CERTS / "csr.conf.template"
    text = file.read_text()
    for name in names:
        kind = "IP" if re.fullmatch(r"[\d.]+|[0-9a-f:]+", name) else "DNS"
        number = 100 + text.count("\nDNS.1") + text.count("\nIP.1")
        if not re.search(rf"= {re.escape(name)}$", text, re.M):
            text = text.replace("#MOREIPS", f"{kind}.{number} = {name}\n#MOREIPS")
    file.write_text(text)
    certificates.issue_server()


def put_environment(file: str, name: str, value: str | None) -> None:
    target = paths.ARGS / file
    old = target.read_text().splitlines() if target.exists() else []
    kept = [line for line in old if not re.match(rf"(export )?{re.escape(name)}=", line)]
    write(target, "\n".join(kept + ([f'export {name}="{value}"'] if value is not None else [])) + "\n")


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(0o660)
