#!/usr/bin/python3
"""What is asked of a bundle before the first change, and how the images stand on a node afterwards."""
import io
import json
import pathlib
import sys
import tarfile
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import harness  # noqa: E402
from harness import BUNDLE, DONE, FAILED, RECORD, SETTLED, WRONG_INPUT, Machine  # noqa: E402

BAD = "/root/bad-bundle"
CHART = "charts/jupyterhub-4.2.0.tgz"
CTR = ["/snap/bin/microk8s", "ctr"]
SERVER = "docker.io/myorg/jhub-lab:24.10"
CONTENT = "/var/snap/microk8s/common/var/lib/containerd/io.containerd.content.v1.content/blobs/sha256"

head = Machine()


def setUpModule():
    harness.up()


def chart_with(name, text):
    """The lab's chart with one more template, as a file here."""
    file = tempfile.NamedTemporaryFile(suffix=".tgz")
    with tarfile.open(harness.bundle() / CHART) as old, tarfile.open(file.name, "w:gz") as new:
        for member in old:
            new.addfile(member, old.extractfile(member) if member.isfile() else None)
        member = tarfile.TarInfo(f"jupyterhub/templates/{name}")
        member.size = len(text)
        new.addfile(member, io.BytesIO(text.encode()))
    return file


class BeforeTheFirstChange(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        head.prepare()

    def refused(self, *words, **options):
        """Runs `jhub-install --yes WORDS`, which has to end with 2 and do nothing."""
        result = head.install("--yes", *words, check=WRONG_INPUT, **options)
        self.assertFalse(head.exists(RECORD), "a refused run left a record of changes")
        self.assertFalse(head.exists("/snap/microk8s"))
        return result

    def test_unsigned_is_refused_with_one_line(self):
        result = self.refused(signed=True)
        self.assertEqual(result.stdout, "", result)
        line, = result.stderr.splitlines()
        self.assertRegex(line, r"^jhub-install: \S*offline-images is a plain folder, and nobody has signed what is in it: "
                               r".*'jhub-install bundle create', or say --allow-unsigned$")
        log = head.out("cat $(ls -t /var/log/jhub/install-*.log | head -1)")
        self.assertIn("refused: ", log)

    def test_preflight_uses_nothing_of_it_either(self):
        result = head.install("preflight", signed=True, check=WRONG_INPUT)
        self.assertEqual(result.stdout, "", result)
        head.install("preflight", check=DONE)

    def lacking(self, image, asks, **options):
        """The image is named with what asks for it, in one finding; nothing else fails."""
        result = self.refused("--json", bundle=BAD, **options)
        failed = [report for report in map(json.loads, result.stdout.splitlines()) if report.get("verdict") == "failed"]
        self.assertEqual([report["id"] for report in failed], ["app.complete"], result)
        self.assertEqual(failed[0]["measured"], f"no archive holds {image} ({asks})")
        self.assertIn(f" {image}", failed[0]["fix"])

    def spoil(self, script):
        self.addCleanup(head.run, f"rm -rf {BAD}")
        head.run(f"rm -rf {BAD} && cp -al {BUNDLE} {BAD} && cd {BAD} && set -e; {script}")

    def carry(self, template):
        self.spoil(f"rm {CHART}")
        with chart_with("more.yaml", template) as file:
            head.copy(file.name, f"{BAD}/{CHART}")

    def test_without_the_sandbox_image(self):
        self.spoil("rm pause-3.7.tar")
        self.lacking("registry.k8s.io/pause:3.7", "MicroK8s: every pod's sandbox")

    def test_without_an_init_containers_image(self):
        self.carry("""
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: warm}
spec:
  selector: {matchLabels: {app: warm}}
  template:
    metadata: {labels: {app: warm}}
    spec:
      initContainers: [{name: fill, image: quay.io/site/fill:1}]
      containers: [{name: warm, image: quay.io/jupyterhub/k8s-hub:4.2.0}]
""")
        self.lacking("quay.io/site/fill:1", "chart jupyterhub-4.2.0: DaemonSet warm, init container fill")

    def test_without_a_hooks_image(self):
        self.carry("""
apiVersion: batch/v1
kind: Job
metadata: {name: migrate, annotations: {helm.sh/hook: pre-upgrade}}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: migrate, image: quay.io/site/migrate:1}]}}}
""")
        self.lacking("quay.io/site/migrate:1", "chart jupyterhub-4.2.0: Job migrate (hook)")

    def test_without_an_image_that_users_may_choose(self):
        self.spoil(":")
        self.lacking("quay.io/site/r:1", "ALLOWED_CUSTOM_IMAGES, chart jupyterhub-4.2.0: singleuser.profileList.kubespawner_override",
                     settings={"ALLOWED_CUSTOM_IMAGES": "quay.io/site/r:1"})


class OnTheNode(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        head.prepare()
        cls.result = head.install("--yes", check=DONE)

    def test_it_is_said_that_nobody_answers_for_the_bundle(self):
        self.assertRegex(self.result.stdout, r"(?m)^Bundle: +nobody answers for it \(--allow-unsigned\)$")
        log = head.out("cat $(ls /var/log/jhub/install-*.log | head -1)")
        self.assertRegex(log, r"(?m) bundle: \S+: nobody answers for it \(--allow-unsigned\)$")
        done = json.loads(head.install("--json", check=DONE).stdout.splitlines()[-1])
        self.assertEqual(done["bundle"], {"signed": False})

    def images(self):
        """What `images list` says, by name."""
        lines = head.program("images", "list", "--json", check=DONE).stdout.splitlines()
        return {image["image"]: image for image in map(json.loads, lines)}

    def test_list_has_every_image_with_what_wants_it(self):
        images = self.images()
        self.assertEqual({image["state"] for image in images.values()}, {"whole"}, images)
        self.assertEqual(len(images), 10)
        self.assertEqual(images["registry.k8s.io/pause:3.7"]["needs"], ["MicroK8s: every pod's sandbox"])
        self.assertIn("SINGLEUSER_IMAGE", images[SERVER]["needs"])
        self.assertIn("chart jupyterhub-4.2.0: Deployment proxy", images["quay.io/jupyterhub/configurable-http-proxy:4.6.3"]["needs"])
        table = head.program("images", "list", check=DONE).stdout.splitlines()
        self.assertEqual(len(table), 11)
        self.assertRegex(table[0], "^IMAGE +DIGEST +SIZE +STATE +WANTED BY$")

    def forget(self, image):
        """As the kubelet's garbage collection does: every name of the image goes, and with them its blobs."""
        digest = self.images()[image]["digest"]
        names = [line.split()[0] for line in head.out([*CTR, "images", "ls"]).splitlines()[1:] if line.split()[2] == digest]
        head.run([*CTR, "images", "rm", "--sync", *names])

    def test_an_image_that_was_collected_comes_back_alone(self):
        self.forget(SERVER)
        self.assertEqual(self.images()[SERVER]["state"], "missing")
        self.assertEqual({image["state"] for name, image in self.images().items() if name != SERVER}, {"whole"})
        before = len(head.record())
        head.install("--yes", check=DONE)
        changes = [entry["change"] for entry in head.record()[before:] if entry["result"] == "done"]
        self.assertEqual(len(changes), 1, changes)
        self.assertRegex(changes[0], rf"^load {SERVER} \(\d+ blobs, \d+ bytes\)$")
        self.assertEqual(self.images()[SERVER]["state"], "whole")
        self.assertEqual(head.plan(), SETTLED)

    def test_import_brings_the_images_and_nothing_else(self):
        result = head.program("images", "import", check=WRONG_INPUT)
        self.assertIn("--allow-unsigned", result.stderr)
        result = head.program("images", "import", "--allow-unsigned", check=DONE)
        self.assertEqual(result.stdout.splitlines()[-1], "Every image is on the node; nothing was changed.")
        self.forget(SERVER)
        # This one it is not asked for.
        result = head.program("images", "import", "--allow-unsigned", "--image", "busybox:1.28.4", check=DONE)
        self.assertEqual(self.images()[SERVER]["state"], "missing")
        result = head.program("images", "import", "--allow-unsigned", "--image", "myorg/jhub-lab:24.10", check=DONE)
        self.assertEqual(result.stdout.splitlines()[-1], "1 images brought.")
        self.assertEqual(self.images()[SERVER]["state"], "whole")
        result = head.program("images", "import", "--allow-unsigned", "--image", "quay.io/site/none:1", check=WRONG_INPUT)
        self.assertIn("quay.io/site/none:1", result.stderr)

    def test_verify_finds_one_bit(self):
        result = head.program("images", "verify", check=DONE)
        self.assertEqual(len(result.stdout.splitlines()), 10)
        self.assertRegex(result.stdout, rf"(?m)^ok  {SERVER}: \d+ blobs, ")
        # The largest is a layer.
        blob = head.out(f"ls -S {CONTENT} | head -1")
        flip = f"import sys; f = open('{CONTENT}/{blob}', 'r+b'); f.seek(5000); b = f.read(1)[0] ^ 1; f.seek(5000); f.write(bytes([b]))"
        head.run(["/usr/bin/python3", "-c", flip])
        self.addCleanup(head.run, ["/usr/bin/python3", "-c", flip])
        result = head.program("images", "verify", check=FAILED)
        bad = [line for line in result.stdout.splitlines() if line.startswith("BAD")]
        self.assertTrue(bad, result)
        for line in bad:
            self.assertRegex(line, rf"^BAD \S+: sha256:{blob} is damaged$")


if __name__ == "__main__":
    unittest.main()
