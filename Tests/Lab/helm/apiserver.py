"""A Kubernetes API server for tests: etcd and kube-apiserver on free ports of the loopback, nothing else.

No kubelet and no controllers: objects are stored, validated and merged as in a cluster, but no pod ever runs.

    with ApiServer() as api:
        subprocess.run([helm, "list", "--kubeconfig", api.kubeconfig])

    apiserver.py COMMAND…       runs the command, with JHUB_TEST_KUBECONFIG naming the way in

The binaries come from the lab's own Kubernetes build, or from $JHUB_LAB_KUBERNETES_BIN.
"""

import ctypes
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
TOKEN = "test-admin"
PR_SET_PDEATHSIG = 1


def binaries():
    """The folder with kube-apiserver and kubectl, or None where there is none."""
    folder = os.environ.get("JHUB_LAB_KUBERNETES_BIN")
    if not folder:
        build = os.path.join(HERE, "..", "kubernetes", "build")
        if os.access(build, os.X_OK):
            cache = subprocess.run([build], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
            folder = os.path.join(cache, "bin")
    if folder and os.access(os.path.join(folder, "kube-apiserver"), os.X_OK):
        return folder
    return None


def available():
    return binaries() is not None and shutil.which("etcd") is not None


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def _die_with_parent():
    # A test that is killed leaves no servers behind.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class ApiServer:
    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="jhub-api-")
        self.children = []
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for child in reversed(self.children):
            child.kill()
            child.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, name):
        return os.path.join(self.folder, name)

    def _spawn(self, name, *argv):
        with open(self._path(name + ".log"), "wb") as log:
            child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                     preexec_fn=_die_with_parent)
        self.children.append(child)

    def _start(self):
        client, peer, port = free_port(), free_port(), free_port()
        subprocess.run(["openssl", "genrsa", "-out", self._path("sa.key"), "2048"],
                       check=True, stderr=subprocess.DEVNULL)
        with open(self._path("tokens.csv"), "w") as f:
            f.write(f'{TOKEN},admin,admin,"system:masters"\n')
        self._spawn("etcd", "etcd", "--data-dir", self._path("etcd"),
                    "--listen-client-urls", f"http://127.0.0.1:{client}",
                    "--advertise-client-urls", f"http://127.0.0.1:{client}",
                    "--listen-peer-urls", f"http://127.0.0.1:{peer}",
                    "--initial-advertise-peer-urls", f"http://127.0.0.1:{peer}",
                    "--initial-cluster", f"default=http://127.0.0.1:{peer}",
                    "--unsafe-no-fsync")
        # A loopback address may not stand in an Endpoints object, hence no reconciler.
        self._spawn("kube-apiserver", os.path.join(binaries(), "kube-apiserver"),
                    "--bind-address=127.0.0.1", f"--secure-port={port}", "--advertise-address=127.0.0.1",
                    "--endpoint-reconciler-type=none", f"--cert-dir={self._path('certs')}",
                    f"--etcd-servers=http://127.0.0.1:{client}",
                    f"--token-auth-file={self._path('tokens.csv')}", "--authorization-mode=RBAC",
                    f"--service-account-key-file={self._path('sa.key')}",
                    f"--service-account-signing-key-file={self._path('sa.key')}",
                    "--service-account-issuer=https://kubernetes.default.svc",
                    "--disable-admission-plugins=ServiceAccount", "--allow-privileged=true",
                    "--service-cluster-ip-range=10.152.183.0/24")
        self.url = f"https://127.0.0.1:{port}"
        self.kubeconfig = self._path("kubeconfig")
        with open(self.kubeconfig, "w") as f:
            json.dump({
                "apiVersion": "v1", "kind": "Config", "current-context": "test",
                "clusters": [{"name": "test", "cluster": {
                    "server": self.url, "certificate-authority": self._path("certs/apiserver.crt")}}],
                "users": [{"name": "admin", "user": {"token": TOKEN}}],
                "contexts": [{"name": "test", "context": {"cluster": "test", "user": "admin"}}],
            }, f)
        os.chmod(self.kubeconfig, 0o600)
        self._wait_until_ready()

    def _wait_until_ready(self):
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            for child in self.children:
                if child.poll() is not None:
                    break
            else:
                try:
                    self.request("GET", "/readyz")
                    self.request("GET", "/api/v1/namespaces/default")
                    return
                except (OSError, LookupError):
                    time.sleep(0.2)
                    continue
            break
        with open(self._path("kube-apiserver.log")) as f:
            raise RuntimeError("the test's API server did not start:\n" + "".join(f.readlines()[-20:]))

    def request(self, method, path, body=None, content_type="application/json"):
        """The answer's JSON (or text); LookupError with the server's words for any other status than 2xx."""
        context = ssl._create_unverified_context()
        request = urllib.request.Request(
            self.url + path, method=method, data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": "Bearer " + TOKEN, "Content-Type": content_type})
        try:
            with urllib.request.urlopen(request, context=context, timeout=10) as answer:
                data = answer.read().decode()
        except urllib.error.HTTPError as error:
            raise LookupError(f"{error.code}: {error.read().decode()}") from None
        return json.loads(data) if data.startswith(("{", "[")) else data

    def patch(self, path, body):
        return self.request("PATCH", path, body, "application/strategic-merge-patch+json")


if __name__ == "__main__":
    with ApiServer() as api:
        sys.exit(subprocess.run(sys.argv[1:], env={**os.environ, "JHUB_TEST_KUBECONFIG": api.kubeconfig}).returncode)
