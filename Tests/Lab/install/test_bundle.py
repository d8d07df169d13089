#!/usr/bin/python3
"""A bundle made where there is Internet, carried to a bare machine, and installed from there."""
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import harness  # noqa: E402 (the path comes first)
from harness import BUNDLE, CONFIG, DONE, LAB, WRONG_INPUT, Machine  # noqa: E402

head = Machine()


def setUpModule():
    harness.up()


class Registry:
    """Debian's docker-registry on loopback, with the images of a bundle."""

    def __init__(self, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.host = "127.0.0.1:%d" % free.getsockname()[1]
        config = folder / "registry.yml"
        config.write_text(json.dumps({
            "version": 0.1, "log": {"level": "error"}, "http": {"addr": self.host},
            "storage": {"filesystem": {"rootdirectory": str(folder / "registry")}}}))
        self.process = subprocess.Popen(["docker-registry", "serve", config], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        harness.wait_until(lambda: harness.call(["curl", "-sf", f"http://{self.host}/v2/"]).status == 0, "the registry")

    def push(self, layout, name):
        """As it is: the digests stay."""
        path = name.split("/", 1)[1]
        harness.call(["skopeo", "copy", "--preserve-digests", "--dest-tls-verify=false", f"oci:{layout}:{name}",
                      f"docker://{self.host}/{path}"], check=True)

    def stop(self):
        self.process.terminate()
        self.process.wait()


class FromRegistry(unittest.TestCase):
    """Archives become a bundle, its images go into a registry, and a bundle is made from that for a bare machine."""

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="jhub-bundle-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.config = cls.folder / "jhub.env"
        shutil.copy(LAB / "jhub.env", cls.config)
        cls.config.chmod(0o600)
        cls.archives = cls.create("archives", "--from", harness.bundle())
        cls.registry = Registry(cls.folder)
        cls.addClassCleanup(cls.registry.stop)
        described = json.loads((cls.folder / "archives/bundle.json").read_text())
        for image in described["images"]:
            for name in image["names"]:
                cls.registry.push(cls.folder / "archives/images", name)
        cls.program("bundle", "keygen", "--to", cls.folder / "key")
        cls.mirrors = ["--plain-http", cls.registry.host]
        for host in ["docker.io", "quay.io", "registry.k8s.io"]:
            cls.mirrors += ["--registry", f"{host}={cls.registry.host}"]
        cls.made = cls.create("fetched", *cls.mirrors, "--key", cls.folder / "key.key")

    @classmethod
    def program(cls, *words, check=DONE):
        result = harness.call([harness.release() / "bin/jhub-install", *words], timeout=900)
        if result.status != check:
            raise harness.Failed(f"jhub-install {words}: it had to end with {check}\n{result}")
        return result

    @classmethod
    def create(cls, name, *words, check=DONE):
        """`bundle create --json`: what it says at its end."""
        parts = harness.bundle()
        result = cls.program("bundle", "create", "--json", "--config", cls.config, "--to", cls.folder / name,
                             "--snaps", parts / "snaps", "--charts", parts / "charts", "--packages", parts / "packages",
                             "--for", "debian:12", "--root", harness.release(), *words, check=check)
        return json.loads(result.stdout.splitlines()[-1]) if check == DONE else result

    def test_size(self):
        """The archives share bases: the bundle has each blob once, and next to nothing beside."""
        folder = self.folder / "archives/images"
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        print(f"\nimages: {size} bytes; unique blobs: {self.archives['blobs']}; the archives: {self.archives['archives']}")
        self.assertLessEqual(size, 1.02 * self.archives["blobs"])

    def test_again(self):
        """The registry gives what the archives gave; a second run fetches no blob and changes no byte."""
        before = (self.folder / "fetched/bundle.json").read_bytes()
        described, other = json.loads(before), json.loads((self.folder / "archives/bundle.json").read_text())
        self.assertEqual(described["images"], other["images"])
        self.assertEqual(described["files"], other["files"])
        start = time.time()
        self.create("fetched", *self.mirrors, "--key", self.folder / "key.key")
        self.assertEqual((self.folder / "fetched/bundle.json").read_bytes(), before)
        written = [file for file in (self.folder / "fetched/images/blobs").rglob("*") if file.stat().st_mtime >= start]
        self.assertEqual([file for file in written if file.is_file()], [])

    def test_missing_image(self):
        """An image that no source has is named, with what asks for it, and there is no bundle."""
        result = self.create("none", *self.mirrors, "--set", "SINGLEUSER_IMAGE=myorg/other:1", check=WRONG_INPUT)
        self.assertEqual(len(result.stderr.splitlines()), 1, result)
        self.assertIn("docker.io/myorg/other:1 (SINGLEUSER_IMAGE", result.stderr)
        self.assertFalse((self.folder / "none/bundle.json").exists())

    def test_installs(self):
        """Carried to a bare machine that trusts its key, it installs, and nothing asks for anything outside. Then the
        machine's inventory makes a second bundle small."""
        head.reset()
        head.put_release()
        head.run(["rm", "-rf", BUNDLE])
        head.copy(self.folder / "fetched", BUNDLE)
        head.copy(LAB / "jhub.env", CONFIG)
        head.copy(self.folder / "key.pub", "/root/key.pub")
        refused = head.install("--yes", signed=True)
        self.assertEqual(refused.status, WRONG_INPUT, refused)
        self.assertIn("bundle trust", refused.stdout + refused.stderr)
        self.assertFalse(head.exists(harness.RECORD))
        head.program("bundle", "trust", "/root/key.pub", "--yes", check=DONE)
        harness.forget_leaks()
        head.install("--yes", signed=True, check=DONE)
        self.assertEqual(harness.leaks()[0], 0, harness.leaks())
        self.assertEqual(head.plan(), harness.SETTLED)

        head.program("inventory", "export", "--to", "/root/inventory.json", check=DONE)
        head.fetch("/root/inventory.json", self.folder / "inventory.json")
        known = json.loads((self.folder / "inventory.json").read_text())
        self.assertEqual(known["system"], {"id": "debian", "version": "12"})
        self.assertEqual(known["versions"]["jupyterhub"], "4.2.0")
        self.assertIn("microk8s", [snap["name"] for snap in known["snaps"]])
        small = self.create("small", *self.mirrors, "--have", self.folder / "inventory.json")
        self.assertEqual(small["assumed"], [], "the inventory proves what the packages need")
        self.assertGreater(small["omitted"], 0.9 * self.archives["blobs"])


if __name__ == "__main__":
    unittest.main()
