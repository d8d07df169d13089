#!/usr/bin/python3
"""Tests of the image archives. Those that import need root and containerd; `test.py Archives` needs neither."""

import json
import os
import stat
import subprocess
import sys
import tarfile
import tempfile
import time
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
here = Path(__file__).resolve().parent
sys.path.insert(0, str(here))
import archives  # noqa: E402

KINDS = [(form, whole, "none") for form in archives.FORMS for whole in archives.COMPRESSIONS]
KINDS += [("oci", "none", "gzip"), ("oci", "none", "zstd"), ("oci", "zstd", "gzip")]


def sample() -> list[archives.Image]:
    shared = archives.layer_of_files({"etc/motd": "hello", "bin/sh": archives.Link("busybox")})
    top = archives.layer_of_files({"etc/issue": archives.File(b"two", 0o600, 1000, 100), "a" * 120 + "/b": "long"})
    return [archives.Image(["docker.io/demo/a:1", "docker.io/demo/a:latest"], [shared, top], {"Cmd": ["sh"]}),
            archives.Image(["demo/b:2"], [shared])]


class Temporary(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def plain(self, path: Path) -> Path:
        """The archive as ctr takes it: MicroK8s' containerd does not look into a compressed one either."""
        if path.suffix not in (".gz", ".zst"):
            return path
        with open(self.folder / "plain.tar", "wb") as plain:
            subprocess.run(["gzip" if path.suffix == ".gz" else "zstd", "-qdc", path], stdout=plain, check=True)
        return self.folder / "plain.tar"


class Archives(Temporary):
    def test_same_input_same_bytes(self):
        for kind in KINDS:
            with self.subTest(kind=kind):
                for name in "ab":
                    archives.write(self.folder / name, sample(), *kind)
                self.assertEqual((self.folder / "a").read_bytes(), (self.folder / "b").read_bytes())

    def test_docker_links_a_layer_met_twice(self):
        archives.write(self.folder / "a.tar", sample(), "docker")
        with tarfile.open(self.folder / "a.tar") as tar:
            first, second = json.load(tar.extractfile("manifest.json"))
            self.assertEqual(first["RepoTags"], ["docker.io/demo/a:1", "docker.io/demo/a:latest"])
            self.assertEqual(second["RepoTags"], ["demo/b:2"])
            layers = [tar.getmember(layer) for layer in first["Layers"] + second["Layers"]]
            self.assertEqual([layer.issym() for layer in layers], [False, False, True])
            self.assertEqual(layers[2].linkname, "../" + first["Layers"][0])

    def test_docker25_is_an_oci_layout_too(self):
        archives.write(self.folder / "a.tar", sample(), "docker25")
        with tarfile.open(self.folder / "a.tar") as tar:
            manifest = json.load(tar.extractfile("manifest.json"))
            index = json.load(tar.extractfile("index.json"))
            self.assertEqual([entry["annotations"]["io.containerd.image.name"] for entry in index["manifests"]],
                             ["docker.io/demo/a:1", "docker.io/demo/a:latest", "docker.io/demo/b:2"])
            for image in manifest:
                self.assertTrue(all(tar.getmember(layer).isfile() for layer in image["Layers"] + [image["Config"]]))

    def test_compressed_layers_say_so(self):
        for compression in ("gzip", "zstd"):
            archives.write(self.folder / "a.tar", sample(), "oci", "none", compression)
            with tarfile.open(self.folder / "a.tar") as tar:
                place = json.load(tar.extractfile("index.json"))["manifests"][0]["digest"].replace(":", "/")
                layers = json.load(tar.extractfile("blobs/" + place))["layers"]
                self.assertEqual({layer["mediaType"] for layer in layers},
                                 {"application/vnd.oci.image.layer.v1.tar+" + compression})

    def test_what_an_archive_cannot_be(self):
        with self.assertRaises(ValueError):
            archives.write(self.folder / "a.tar", sample(), "docker", "none", "gzip")
        self.assertEqual(os.listdir(self.folder), [])

    @unittest.skipUnless(os.geteuid() == 0, "makes a device node")
    def test_layer_of_an_overlay(self):
        root = self.folder / "root"
        (root / "etc").mkdir(parents=True)
        (root / "etc/a").write_text("a")
        os.link(root / "etc/a", root / "etc/b")
        os.mknod(root / "etc/gone", stat.S_IFCHR, os.makedev(0, 0))
        (root / "etc/left").write_text("out")
        layer = archives.layer_of_tree(root, self.folder / "layer.tar", lambda name: name == "etc/left")
        with tarfile.open(layer.tar.path) as tar:
            self.assertEqual(tar.getnames(), ["etc", "etc/a", "etc/b", "etc/.wh.gone"])
            self.assertEqual(tar.getmember("etc/b").linkname, "etc/a")
            self.assertEqual({entry.mtime for entry in tar}, {archives.CREATED_SECONDS})

    def test_names_in_full(self):
        for name, full in {"busybox:1": "docker.io/library/busybox:1", "a/b:1": "docker.io/a/b:1", "quay.io/a/b:1": "quay.io/a/b:1",
                           "localhost/a:1": "localhost/a:1", "host:5000/a:1": "host:5000/a:1"}.items():
            self.assertEqual(archives.full_name(name), full)

    def test_make_image(self):
        out = self.folder / "x.tar.zst"
        subprocess.run([here / "make-image", "--ref", "demo/a:1", "--file", "etc/motd=hello", "--layer", "--file", "bin/true=@/bin/true",
                        "--format", "docker25", "--compress", "zstd", out], check=True)
        with tarfile.open(self.plain(out)) as tar:
            self.assertEqual(len(json.load(tar.extractfile("manifest.json"))[0]["Layers"]), 2)
        refused = subprocess.run([here / "make-image", "--file", "a=b", out], stderr=subprocess.PIPE, text=True)
        self.assertEqual(refused.returncode, 2)
        self.assertIn("before the first --ref", refused.stderr)


class Containerd(Temporary):
    """A containerd of its own, in a folder that goes with it."""

    @classmethod
    def setUpClass(cls):
        if os.geteuid() != 0:
            raise unittest.SkipTest("containerd needs root")
        folder = tempfile.TemporaryDirectory(prefix="lab-images-")
        cls.addClassCleanup(folder.cleanup)
        cls.socket = Path(folder.name) / "socket"
        config = Path(folder.name) / "config.toml"
        config.write_text(f'''version = 2
root = "{folder.name}/root"
state = "{folder.name}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "{cls.socket}"
[ttrpc]
  address = "{cls.socket}.ttrpc"
[plugins."io.containerd.internal.v1.opt"]
  path = "{folder.name}/opt"
''')
        daemon = subprocess.Popen(["containerd", "--config", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        cls.addClassCleanup(lambda: (daemon.terminate(), daemon.wait()))
        until = time.monotonic() + 20
        while cls.try_ctr("version").returncode != 0:
            if daemon.poll() is not None or time.monotonic() > until:
                raise RuntimeError("containerd does not start")
            time.sleep(0.1)

    @classmethod
    def try_ctr(cls, *arguments) -> subprocess.CompletedProcess:
        return subprocess.run(["ctr", "-a", cls.socket, "-n", "k8s.io", *arguments], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)

    def ctr(self, *arguments) -> str:
        done = self.try_ctr(*arguments)
        self.assertEqual(done.returncode, 0, f"ctr {arguments}: {done.stdout}")
        return done.stdout

    def whole(self) -> set[str]:
        """The names of the images, all of which must be complete and unpacked."""
        lines = [line.split() for line in self.ctr("images", "check").splitlines()[1:]]
        for words in lines:
            self.assertIn("complete", words)
            self.assertEqual(words[-1], "true")
        return {words[0] for words in lines}


class Imports(Containerd):
    def test_every_kind(self):
        for kind in KINDS:
            with self.subTest(kind=kind):
                path = self.folder / ("x.tar" + {"none": "", "gzip": ".gz", "zstd": ".zst"}[kind[1]])
                archives.write(path, sample(), *kind)
                self.ctr("images", "import", self.plain(path))
                self.assertEqual(self.whole(), {"docker.io/demo/a:1", "docker.io/demo/a:latest", "docker.io/demo/b:2"})
                self.ctr("images", "rm", "--sync", *self.whole())

    def test_platforms_that_are_not_there(self):
        image = sample()[1]
        image.absent = ("arm64", "s390x")
        archives.write(self.folder / "x.tar", [image])
        self.ctr("images", "import", self.folder / "x.tar")
        self.assertEqual(self.whole(), {"docker.io/demo/b:2"})
        self.ctr("images", "rm", "--sync", *self.whole())


# What a user of the single-user image does, from inside: the page, a kernel, a cell.
NOTEBOOK = r'''
import json, subprocess, time, urllib.request, websocket
server = subprocess.Popen(["jupyter", "lab", "--no-browser", "--ip=127.0.0.1", "--port=8888", "--ServerApp.token=t"])
def ask(path, method="GET"):
    request = urllib.request.Request("http://127.0.0.1:8888" + path, method=method, headers={"Authorization": "token t"})
    with urllib.request.urlopen(request) as answer: return answer.read()
for _ in range(120):
    try: ask("/api/status"); break
    except OSError: time.sleep(0.5)
assert b"jupyter-config-data" in ask("/lab")
kernel = json.loads(ask("/api/kernels", "POST"))["id"]
socket = websocket.create_connection("ws://127.0.0.1:8888/api/kernels/%s/channels" % kernel, header=["Authorization: token t"])
header = {"msg_id": "1", "username": "", "session": "s", "msg_type": "execute_request", "version": "5.3"}
socket.send(json.dumps({"header": header, "parent_header": {}, "metadata": {}, "content": {"code": "print(6*7)", "silent": False}, "channel": "shell"}))
while True:
    message = json.loads(socket.recv())
    if message["msg_type"] == "stream": print("the cell says", message["content"]["text"]); break
server.terminate(); server.wait()
'''

# The chart's hub asks tornado for curl, and its configuration reads YAML.
HUB = '''
import kubespawner, nativeauthenticator, oauthenticator.generic, jupyterhub_idle_culler, tornado.curl_httpclient, yaml, os
open("/srv/jupyterhub/x", "w"); print("hub of", os.getuid())
'''


class Built(Containerd):
    NAMES = {
        "registry.k8s.io/pause:3.7", "docker.io/calico/cni:v3.25.1", "docker.io/calico/node:v3.25.1",
        "docker.io/calico/kube-controllers:v3.25.1", "docker.io/coredns/coredns:1.10.1",
        "docker.io/cdkbot/hostpath-provisioner:1.5.0", "docker.io/library/busybox:1.28.4", "quay.io/jupyterhub/k8s-hub:4.2.0",
        "quay.io/jupyterhub/configurable-http-proxy:4.6.3", "docker.io/myorg/jhub-lab:24.10",
    }

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = subprocess.run([here / "build"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
        cls.images = sorted((Path(folder) / "images").iterdir())

    def test_all_of_them(self):
        for path in self.images:
            self.ctr("images", "import", self.plain(path))
        self.assertEqual(self.whole(), self.NAMES)

        cell = self.folder / "cell.py"
        cell.write_text(NOTEBOOK)
        for number, (image, command, expected, status) in enumerate([
            ("registry.k8s.io/pause:3.7", ["/pause", "-v"], "pause.c", 0),
            ("docker.io/library/busybox:1.28.4", ["sh", "-c", "mkdir -m 0777 -p /tmp/a/b && echo made"], "made", 0),
            ("docker.io/calico/cni:v3.25.1", ["/opt/cni/bin/install"], "installed ptp", 0),
            ("docker.io/calico/node:v3.25.1", ["/bin/calico-node", "-felix-live"], "", 0),
            ("docker.io/calico/node:v3.25.1", ["/bin/calico-node", "-felix-ready"], "not set up yet", 1),
            ("docker.io/calico/kube-controllers:v3.25.1", ["/usr/bin/check-status", "-r"], "", 0),
            ("docker.io/coredns/coredns:1.10.1", ["/coredns", "-conf", "/none"], "no such file", 1),
            ("docker.io/cdkbot/hostpath-provisioner:1.5.0", ["/hostpath-provisioner"], "lab-cluster provision: ", 1),
            ("quay.io/jupyterhub/k8s-hub:4.2.0", ["tini", "--", "jupyterhub", "--version"], "5.3.0", 0),
            ("quay.io/jupyterhub/k8s-hub:4.2.0", ["python3", "-c", HUB], "hub of 1000", 0),
            ("quay.io/jupyterhub/configurable-http-proxy:4.6.3", ["configurable-http-proxy", "--version"], "4.", 0),
            ("docker.io/myorg/jhub-lab:24.10", ["/bin/sh", "-c", "id -u; id -gn; cd && pwd"], "1000\nusers\n/home/jovyan", 0),
            ("docker.io/myorg/jhub-lab:24.10", ["python3", "/cell.py"], "the cell says 42", 0),
        ]):
            with self.subTest(image=image, command=command[:2]):
                done = self.try_ctr("run", "--rm", "--mount", f"type=bind,src={cell},dst=/cell.py,options=rbind:ro",
                                    image, f"test-{os.getpid()}-{number}", *command)
                self.assertEqual(done.returncode, status, done.stdout)
                self.assertIn(expected, done.stdout.replace("\r", ""))

    def test_plain_where_microk8s_side_loads(self):
        for name in ("pause-", "calico-", "coredns_"):
            found = [path for path in self.images if path.name.startswith(name)]
            self.assertEqual([path.suffix for path in found], [".tar"])
            self.assertTrue(tarfile.is_tarfile(found[0]))

    def test_every_reader_has_something_to_read(self):
        self.assertEqual({path.suffix for path in self.images}, {".tar", ".gz", ".zst"})
        forms = set()
        for path in self.images:
            with tarfile.open(self.plain(path)) as tar:
                forms.add(("manifest.json" in tar.getnames(), "index.json" in tar.getnames()))
        self.assertEqual(forms, {(True, False), (True, True), (False, True)})


if __name__ == "__main__":
    unittest.main()
