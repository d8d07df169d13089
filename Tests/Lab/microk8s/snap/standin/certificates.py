"""The node's certificates, made by openssl with the lifetimes of the real ones."""

import hashlib
import os
import shutil
import ssl
import subprocess

import host
import paths

YEARS = "3650"
ONE_YEAR = "365"


def openssl(*arguments: str, given: str | None = None) -> str:
    done = subprocess.run([paths.SNAP / "bin/openssl", *map(str, arguments)], input=given, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"openssl {arguments[0]}: {done.stderr.strip()}")
    return done.stdout


def at(name: str) -> str:
    return str(paths.CERTS / name)


def authority(name: str, subject: str) -> None:
    openssl("genrsa", "-out", at(f"{name}.key"), "2048")
    openssl("req", "-x509", "-new", "-sha256", "-nodes", "-days", YEARS, "-key", at(f"{name}.key"),
            "-subj", subject, "-out", at(f"{name}.crt"))


def key(name: str) -> None:
    # EC where the real one has RSA: a dozen keys at each installation, and the file looks the same to who loads it.
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", at(f"{name}.key"))


def request(name: str, subject: str, san: str = "") -> str:
    key(name)
    extension = ["-addext", f"subjectAltName={san}"] if san else []
    return openssl("req", "-new", "-sha256", "-key", at(f"{name}.key"), "-subj", subject, *extension)


def sign(csr: str, days: str = YEARS, by: str = "ca") -> str:
    return openssl("x509", "-req", "-sha256", "-days", days, "-CA", at(f"{by}.crt"), "-CAkey", at(f"{by}.key"),
                   "-set_serial", str(int.from_bytes(os.urandom(8), "big") >> 1), "-copy_extensions", "copy", given=csr)


def issue(name: str, subject: str, san: str = "", days: str = YEARS, by: str = "ca") -> None:
    text = sign(request(name, subject, san), days, by)
    (paths.CERTS / f"{name}.crt").write_text(text)


def node_names() -> str:
    return ",".join([f"DNS:{host.name()}", *(f"IP:{a}" for a in host.addresses() if a != "none")])


def render_csr() -> str:
    template = (paths.CERTS / "csr.conf.template").read_text()
    more = [f"IP.{n} = {a}" for n, a in enumerate((a for a in host.addresses() if a != "none"), 3)]
    return template.replace("#MOREIPS", "\n".join(more) or "#MOREIPS")


def issue_server() -> None:
    conf = paths.CERTS / "csr.conf"
    conf.write_text(render_csr())
    key("server")
    csr = openssl("req", "-new", "-key", at("server.key"), "-config", conf)
    text = openssl("x509", "-req", "-sha256", "-days", ONE_YEAR, "-CA", at("ca.crt"), "-CAkey", at("ca.key"),
                   "-set_serial", str(int.from_bytes(os.urandom(8), "big") >> 1),
                   "-extensions", "v3_ext", "-extfile", conf, given=csr)
    (paths.CERTS / "server.crt").write_text(text)


def issue_front_proxy_client() -> None:
    issue("front-proxy-client", "/CN=front-proxy-client", days=ONE_YEAR, by="front-proxy-ca")


def issue_clients() -> None:
    issue("client", "/O=system:masters/CN=admin")
    issue("controller", "/CN=system:kube-controller-manager")
    issue("scheduler", "/CN=system:kube-scheduler")
    issue("proxy", "/CN=system:kube-proxy")
    issue("kubelet", kubelet_subject(), node_names())
    issue("apiserver-kubelet-client", "/O=system:masters/CN=kube-apiserver-kubelet-client")


def kubelet_subject() -> str:
    return f"/O=system:nodes/CN=system:node:{host.name()}"


def make_all() -> None:
    paths.CERTS.mkdir(parents=True, exist_ok=True)
    shutil.copy(paths.SNAP / "certs/csr.conf.template", paths.CERTS / "csr.conf.template")
    authority("ca", "/CN=10.152.183.1")
    authority("front-proxy-ca", "/CN=front-proxy-ca")
    openssl("genrsa", "-out", at("serviceaccount.key"), "2048")
    issue_server()
    issue_front_proxy_client()
    issue_clients()
    protect()


def protect() -> None:
    for file in paths.CERTS.iterdir():
        if not file.is_symlink():
            file.chmod(0o660)


def fingerprint() -> str:
    """What `add-node` shows behind the token and `join` checks: SHA-256 over the DER of server.crt, 12 digits of it."""
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert((paths.CERTS / "server.crt").read_text())).hexdigest()[:12]

