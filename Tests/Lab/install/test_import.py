#!/usr/bin/python3
"""`images import` of the real program into a real containerd on this computer: killed, with a large layer, and what it leaves.

The program sees folders of the test's own in place of /run, /tmp and those below /var that it writes to.
"""
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from typing import NamedTuple

import harness

sys.path.insert(0, str(harness.LAB / "images"))
import archives  # noqa: E402
import store  # noqa: E402

MIB = 1 << 20
KILLS = 20
OWN = ["run", "tmp", "var/lib", "var/log", "var/cache", "var/tmp"]

# In a mount namespace of its own, which ends with the program; `exec` keeps the process id for whoever kills it.
STAGE = """set -e
mount --bind "$0" /mnt
mount --bind "$1" /mnt/release
shift
for folder in %s; do mount --bind "/mnt/own/$folder" "/$folder"; done
exec "$@"
""" % " ".join(OWN)

CONFIG = """CLUSTER_PROVIDER=existing
KUBECONFIG_FILE=/none
CONTAINERD_SOCKET=/mnt/containerd/containerd.sock
ADMIN_USERS_CSV=admin
SINGLEUSER_IMAGE=import.example/one:1
"""


class Ended(NamedTuple):
    status: int
    events: list
    errors: str
    seconds: float
    peak: int     # bytes of memory
    written: int  # bytes to disks


def noise(seed, mebibytes):
    dice = random.Random(seed)
    for number in range(mebibytes):
        yield f"opt/{seed}/{number}", dice.randbytes(MIB)


def thin(seed, mebibytes):
    """As `noise`, of which a sixteenth cannot be compressed."""
    dice = random.Random(seed)
    for number in range(mebibytes):
        yield f"opt/{seed}/{number}", dice.randbytes(MIB // 16) + bytes(MIB - MIB // 16)


class Import(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        missing = None if os.geteuid() == 0 else "containerd needs root"
        for tool in ["containerd", "ctr", "unshare"]:
            if subprocess.run(["which", tool], capture_output=True).returncode != 0:
                missing = f"there is no {tool}"
        if missing and os.environ.get("CI") == "true":
            raise harness.Failed(missing)
        if missing:
            raise unittest.SkipTest(missing)
        cls.release = harness.release()

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="jhub-import-", dir="/var/tmp")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.bundle, self.own = self.folder / "bundle", self.folder / "own"
        for path in [self.bundle, self.folder / "containerd", self.folder / "release", *(self.own / name for name in OWN)]:
            path.mkdir(parents=True)
        (self.folder / "jhub.env").write_text(CONFIG)
        (self.folder / "jhub.env").chmod(0o600)
        self.containerd = self.enterContext(store.Containerd(self.folder / "containerd"))

    def layer(self, name, files):
        return archives.layer_of_stream(files, self.folder / name)

    def start(self, output, errors):
        command = ["/mnt/release/bin/jhub-install", "images", "import", "--all", "--config", "/mnt/jhub.env",
                   "--bundle", "/mnt/bundle", "--allow-unsigned", "--json"]
        return subprocess.Popen(["unshare", "--mount", "sh", "-c", STAGE, self.folder, self.release, *command],
                                stdin=subprocess.DEVNULL, stdout=output, stderr=errors)

    def run_import(self, kill_after=None):
        """To its end, or to the kill's."""
        start = time.monotonic()
        with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
            process = self.start(output, errors)
            if kill_after is not None:
                time.sleep(kill_after)
                # Popen's own would ask first, and take the status of one that has ended.
                os.kill(process.pid, signal.SIGKILL)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            seconds = time.monotonic() - start
            output.seek(0)
            errors.seek(0)
            # A kill may leave half a line.
            events = [json.loads(line) for line in output if line.endswith("\n")]
            return Ended(process.returncode, events, errors.read(), seconds, usage.ru_maxrss << 10, usage.ru_oublock << 9)

    def whole_import(self):
        done = self.run_import()
        self.assertEqual((done.status, done.errors), (0, ""), done)
        return done

    @staticmethod
    def moved(done):
        return sum(event["bytes"] for event in done.events if event["event"] == "loaded")

    def at_rest(self):
        """What is in the store once containerd has done what a killed client had asked for."""
        before = None
        for _ in range(100):
            now = (self.containerd.content(), self.containerd.begun())
            if now == before:
                return now
            before = now
            time.sleep(0.1)
        raise harness.Failed("containerd does not come to rest")

    def assertNothingLeft(self):
        """Beside record, log and what the archives hold, nothing stays of a run."""
        left = {str(path.relative_to(self.own)): path.stat().st_size for path in self.own.rglob("*") if path.is_file()}
        known = ("run/jhub/install.lock", "var/lib/jhub/changes.jsonl", "var/log/jhub/", "var/cache/jhub/")
        self.assertEqual([name for name in left if not name.startswith(known)], [])
        self.assertLess(sum(left.values()), MIB, left)

    def test_killed_at_random_moments(self):
        seed = random.SystemRandom().randrange(1 << 32)
        print(f"seed {seed}", file=sys.stderr, flush=True)
        dice = random.Random(seed)
        base = self.layer("base", noise("base", 40))
        docker = [archives.Image([f"import.example/{name}:1"], [base, self.layer(name, noise(name, 24))], {"Cmd": ["/none"]})
                  for name in ["one", "two"]]
        gzip = archives.Image(["import.example/three:1"], [self.layer(name, noise(name, 16)) for name in ["under", "over"]],
                              {"Cmd": ["/none"]})
        archives.write(self.bundle / "docker.tar", docker, form="docker")
        archives.write(self.bundle / "oci.tar", [gzip], form="oci", layer_compression="gzip")
        carried = self.carried()
        names = {name for image in [*docker, gzip] for name in image.names}

        first = self.whole_import()
        everything = self.containerd.content()
        self.assertEqual(self.moved(first), sum(everything.values()))
        self.clear(names)

        strikes, midst, rest = 0, 0, 0
        for _ in range(4 * KILLS):
            moment = dice.uniform(0, first.seconds)
            with self.subTest(seed=seed, kill=strikes + 1, moment=f"{moment:.3f} s"):
                killed = self.run_import(kill_after=moment)
                content, begun = self.at_rest()
                listed = self.containerd.images()
                self.assertEqual([name for name, whole in listed.items() if not whole], [], "half an image is listed")
                missing = {digest: size for digest, size in everything.items() if digest not in content}
                rest = sum(size - begun.get(digest, 0) for digest, size in missing.items())
                again = self.whole_import()
                self.assertEqual(self.moved(again), rest, f"of {missing}, begun {begun}")
                self.assertEqual(self.containerd.images(), dict.fromkeys(names, True))
                self.assertEqual((self.containerd.content(), self.containerd.begun()), (everything, {}))
                self.assertEqual(self.containerd.ctr("leases", "ls", "--quiet").stdout, "")
                self.clear(names)
            strikes += killed.status == -9
            midst += killed.status == -9 and 0 < rest < sum(everything.values())
            if strikes == KILLS:
                break
        self.assertEqual(strikes, KILLS, "it was done before it was killed")
        self.assertGreater(midst, KILLS // 4, "hardly a kill came while blobs were moving")
        self.assertNothingLeft()
        self.assertEqual(self.carried(), carried)

    def carried(self):
        return {path.name: (path.stat().st_size, path.stat().st_mtime_ns) for path in self.bundle.iterdir()}

    def clear(self, names):
        self.containerd.ctr("images", "rm", "--sync", *sorted(names))
        self.assertEqual(self.containerd.content(), {})

    def test_a_large_layer_takes_neither_memory_nor_disk(self):
        image = archives.Image(["import.example/one:1"], [self.layer("large", thin("large", 1100))], {"Cmd": ["/none"]})
        for compression in ["none", "zstd"]:
            with self.subTest(compression):
                archive = self.bundle / "one.tar"
                archives.write(archive, [image], form="docker", compression=compression)
                done = self.whole_import()
                blobs = self.containerd.content()
                self.assertGreater(max(blobs.values()), 1 << 30)
                self.assertEqual(self.moved(done), sum(blobs.values()))
                self.assertLess(done.peak, 100_000_000)
                # The record, the log, and what the archive holds; not one layer on its way.
                self.assertLess(done.written, 4 * MIB)
                self.assertEqual(self.containerd.begun(), {})
                self.assertNothingLeft()
                self.assertEqual(list(self.carried()), ["one.tar"])
                self.clear(image.names)
                archive.unlink()
                print(f"{compression}: {done.peak >> 20} MiB of memory, {done.written >> 10} KiB written", file=sys.stderr)


if __name__ == "__main__":
    unittest.main()
