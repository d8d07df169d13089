"""credentials/*.config: who may talk to the API, each with its own client certificate."""

import base64

import paths

USERS = {"client": "admin", "kubelet": "kubelet", "proxy": "kubeproxy", "scheduler": "scheduler", "controller": "controller"}


def write(name: str, authority: str = "ca.crt", server: str = "https://127.0.0.1:16443") -> None:
    user = USERS[name]
    encoded = {part: base64.b64encode((paths.CERTS / file).read_bytes()).decode() for part, file in
               (("ca", authority), ("crt", f"{name}.crt"), ("key", f"{name}.key"))}
    file = paths.CREDENTIALS / f"{name}.config"
    file.write_text(f"""apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: {encoded["ca"]}
    server: {server}
  name: microk8s-cluster
contexts:
- context:
    cluster: microk8s-cluster
    user: {user}
  name: microk8s
current-context: microk8s
kind: Config
preferences: {{}}
users:
- name: {user}
  user:
    client-certificate-data: {encoded["crt"]}
    client-key-data: {encoded["key"]}
""")
    file.chmod(0o660)


def write_all() -> None:
    paths.CREDENTIALS.mkdir(parents=True, exist_ok=True)
    for name in USERS:
        write(name)
