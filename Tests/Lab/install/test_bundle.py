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
from harness import BUNDLE, CONFIG, DONE, LAB, SERVER, WRONG_INPUT, Machine  # noqa: E402

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
        cls.archives = cls.create("archives", "--from", harness.bundle())
        cls.registry = Registry(cls.folder)
        cls.addClassCleanup(cls.registry.stop)
        described = json.loads((cls.folder / "archives/bundle.json").read_text())
        for image in described["images"]:
            for name in image["names"]:
                cls.registry.push(cls.folder / "archives/images", name)
        harness.program("bundle", "keygen", "--to", cls.folder / "key")
        cls.mirrors = ["--plain-http", cls.registry.host]
        for host in ["docker.io", "quay.io", "registry.k8s.io"]:
            cls.mirrors += ["--registry", f"{host}={cls.registry.host}"]
        cls.made = cls.create("fetched", *cls.mirrors, "--key", cls.folder / "key.key")

    @classmethod
    def create(cls, name, *words, **options):
        return harness.make_bundle(cls.folder / name, *words, **options)

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
        """Carried on several sticks to a bare machine that trusts its key, it installs, and nothing asks for anything
        outside. Then the machine's inventory makes a second bundle small, which is for this machine alone."""
        head.reset()
        head.put_release()
        head.run(["rm", "-rf", BUNDLE])
        head.copy(LAB / "jhub.env", CONFIG)
        head.copy(self.folder / "key.pub", "/root/key.pub")
        volumes = self.carry("fetched")
        self.assertGreaterEqual(volumes, 3)
        self.refused("which this machine does not trust: if you know whose key that is, say 'jhub-install bundle trust FILE.pub'"
                     "; or say --allow-unsigned")
        head.program("bundle", "trust", "/root/key.pub", "--yes", check=DONE)
        head.run(f"mv {BUNDLE}/volume-2 /root/aside")
        self.refused(f"volume 2 of {volumes} is missing: put the directory volume-2 beside the others")
        head.run(f"mv /root/aside {BUNDLE}/volume-2")
        harness.forget_leaks()
        result = head.install("--yes", signed=True, check=DONE)
        self.assertRegex(result.stdout, r"(?m)^Bundle: +signed by [0-9a-f]{16} \(key\)$")
        self.assertEqual(harness.leaks()[0], 0, harness.leaks())
        self.assertEqual(head.plan(), harness.SETTLED)
        self.have()

    def carry(self, name):
        """Each volume on a stick of its own, and links to them where the bundle is looked for."""
        harness.program("bundle", "split", self.folder / name, "--size", "300M", "--to", self.folder / "volumes")
        volumes = sorted(path.name for path in (self.folder / "volumes").iterdir())
        for volume in volumes:
            stick = f"/media/stick-{volume[-1]}"
            head.run(f"mkdir -p {stick} {BUNDLE}")
            head.copy(self.folder / "volumes" / volume, f"{stick}/{volume}")
            head.run(f"ln -s {stick}/{volume} {BUNDLE}/{volume}")
        return len(volumes)

    def refused(self, words):
        """With one line that ends so, and nothing is changed."""
        result = head.install("--yes", signed=True, check=WRONG_INPUT)
        self.assertEqual(result.stdout, "", result)
        line, = result.stderr.splitlines()
        self.assertTrue(line.startswith("jhub-install: the bundle is ") and line.endswith(words), result)
        self.assertFalse(head.exists(harness.RECORD))

    def have(self):
        head.program("inventory", "export", "--to", "/root/inventory.json", check=DONE)
        head.fetch("/root/inventory.json", self.folder / "inventory.json")
        known = json.loads((self.folder / "inventory.json").read_text())
        self.assertEqual(known["system"], {"id": "debian", "version": "12"})
        self.assertEqual(known["versions"]["jupyterhub"], "4.2.0")
        self.assertIn("microk8s", [snap["name"] for snap in known["snaps"]])
        small = self.create("small", *self.mirrors, "--have", self.folder / "inventory.json", "--key", self.folder / "key.key")
        self.assertEqual(small["assumed"], [], "the inventory proves what the packages need")
        self.assertGreater(small["omitted"], 0.9 * self.archives["blobs"])

        head.copy(self.folder / "small", "/root/small")
        result = head.install("--yes", bundle="/root/small", signed=True, check=DONE)
        self.assertIn("nothing was changed", result.stdout)
        head.forget_images(SERVER)
        before = head.record()
        result = head.install("--yes", bundle="/root/small", signed=True, check=WRONG_INPUT)
        self.assertRegex(result.stdout, r"(?m)^FAIL +app.complete +the bundle was made for a site that has layers of "
                                        rf"{SERVER} \(SINGLEUSER_IMAGE, .*\), and this node has not$")
        self.assertEqual(head.record(), before)
        result = head.program("images", "import", check=DONE)
        self.assertEqual(result.stdout.splitlines()[-1], "1 image brought.")
        self.assertEqual(head.images()[SERVER]["state"], "whole")


if __name__ == "__main__":
    unittest.main()
