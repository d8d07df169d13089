#!/usr/bin/python3
"""What is asked of a bundle before the first change, and how the images stand on a node afterwards."""
import io
import json
import os
import pathlib
import shutil
import sys
import tarfile
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import harness  # noqa: E402
from harness import (BUNDLE, CTR, DONE, FAILED, INTERRUPTED, LAB, PROGRAM, RECORD, SERVER, SETTLED, WRONG_INPUT,  # noqa: E402
                     Machine)

BAD = "/root/bad-bundle"
CHART = "charts/jupyterhub-4.2.0.tgz"
HUB = "quay.io/jupyterhub/k8s-hub:4.2.0"
PROXY = "quay.io/jupyterhub/configurable-http-proxy:4.6.3"
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


class Refusals(unittest.TestCase):
    """How a bare machine is looked at that refuses a bundle."""

    def refused(self, *words, **options):
        """Runs `jhub-install --yes WORDS`, which has to end with 2 and do nothing."""
        result = head.install("--yes", *words, check=WRONG_INPUT, **options)
        self.assertFalse(head.exists(RECORD), "a refused run left a record of changes")
        self.assertFalse(head.exists("/snap/microk8s"))
        return result

    def said(self, pattern, *words, **options):
        """It is refused by one line, before preflight."""
        result = self.refused(*words, **options)
        self.assertEqual(result.stdout, "", result)
        line, = result.stderr.splitlines()
        self.assertRegex(line, f"^jhub-install: {pattern}$")

    def spoil(self, script, bundle=BUNDLE):
        """A copy of the bundle, spoilt by a script that runs in it. Its files are the good one's own: replace them."""
        self.addCleanup(head.run, f"rm -rf {BAD}")
        head.run(f"rm -rf {BAD} && cp -al {bundle} {BAD} && cd {BAD} && set -e; {script}")


class BeforeTheFirstChange(Refusals):
    @classmethod
    def setUpClass(cls):
        head.prepare()

    def test_unsigned_is_refused_with_one_line(self):
        self.said(r"\S*offline-images is a plain folder, and nobody has signed what is in it: "
                  r".*'jhub-install bundle create', or say --allow-unsigned", signed=True)
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


class Signed(Refusals):
    """A bundle with a signature, at the gate of a bare machine."""
    WHOLE = "/root/signed"

    @classmethod
    def setUpClass(cls):
        head.prepare()
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="jhub-gate-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        harness.program("bundle", "keygen", "--to", cls.folder / "site")
        cls.made = cls.folder / "bundle"
        harness.make_bundle(cls.made, "--from", harness.bundle(), "--key", cls.folder / "site.key")
        head.copy(cls.made, cls.WHOLE)
        head.copy(cls.folder / "site.pub", "/root/site.pub")

    def dated(self, date):
        """The same bundle, of another date, with the signature of the same key."""
        other = self.folder / date
        shutil.copytree(self.made, other, copy_function=os.link)
        described = json.loads((other / "bundle.json").read_text())
        described["created"] = date
        (other / "bundle.json").unlink()
        (other / "bundle.json").write_text(json.dumps(described))
        harness.program("bundle", "sign", "--key", self.folder / "site.key", other)
        return other

    def trust(self):
        head.program("bundle", "trust", "/root/site.pub", "--yes", check=DONE)
        self.addCleanup(head.run, "rm -r /etc/jhub/trusted-keys")

    def refuses(self, pattern, *words):
        self.said(pattern, *words, bundle=BAD, signed=True)

    def test_of_a_trusted_key(self):
        self.trust()
        head.install("preflight", bundle=self.WHOLE, signed=True, check=DONE)

    def test_of_a_key_that_nobody_knows(self):
        self.spoil(":", self.WHOLE)
        self.refuses(r"the bundle is signed with [0-9a-f]{16}, which this machine does not trust: .*"
                     r"'jhub-install bundle trust FILE.pub'; or say --allow-unsigned")

    def test_with_another_bundles_signature(self):
        self.trust()
        other = self.dated("2026-01-02T03:04:05Z")
        self.spoil("rm bundle.json.sig", self.WHOLE)
        head.copy(other / "bundle.json.sig", f"{BAD}/bundle.json.sig")
        # Whatever is allowed.
        for words in [], ["--allow-unsigned"]:
            self.refuses(r"the signature of [0-9a-f]{16} \(site\) does not fit bundle.json: one of the two was changed: .*", *words)

    def test_with_one_bit_flipped_in_its_description(self):
        self.trust()
        self.spoil("""python3 - <<'END'
data = bytearray(open("bundle.json", "rb").read())
data[data.index(b"SINGLEUSER_IMAGE")] ^= 1
__import__("os").remove("bundle.json")
open("bundle.json", "wb").write(data)
END""", self.WHOLE)
        self.refuses(r"the signature of [0-9a-f]{16} \(site\) does not fit bundle.json: .*")

    def test_with_a_file_that_is_in_no_list(self):
        self.trust()
        self.spoil("touch snaps/more.snap", self.WHOLE)
        self.refuses(rf"the bundle is not as it was made: {BAD}/snaps/more.snap is in no list: remove it, unless .*")

    def test_without_one_of_its_files(self):
        self.trust()
        self.spoil(f"rm {CHART}", self.WHOLE)
        self.refuses(rf"the bundle is not as it was made: {CHART} is missing: mend it with 'jhub-install bundle repair {BAD} .*")

    def test_with_one_bit_flipped_in_a_snap(self):
        self.trust()
        self.spoil("""python3 - <<'END'
data = bytearray(open("snaps/microk8s_8142.snap", "rb").read())
data[50 << 20] ^= 1
__import__("os").remove("snaps/microk8s_8142.snap")
open("snaps/microk8s_8142.snap", "wb").write(data)
END""", self.WHOLE)
        self.refuses(r"the bundle is not as it was made: chunk 12 of snaps/microk8s_8142.snap \(bytes 50331648 to 54525951\) is "
                     r"damaged: mend it with .*")

    def test_of_tomorrow(self):
        self.trust()
        later = self.dated("2099-01-02T03:04:05Z")
        self.spoil("rm bundle.json bundle.json.sig", self.WHOLE)
        for name in "bundle.json", "bundle.json.sig":
            head.copy(later / name, f"{BAD}/{name}")
        self.refuses(r"the bundle is not as it was made: this machine's clock says \S+, and the bundle was made at "
                     r"2099-01-02T03:04:05Z: set the clock")


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

    def test_list_has_every_image_with_what_wants_it(self):
        images = head.images()
        self.assertEqual({image["state"] for image in images.values()}, {"whole"}, images)
        self.assertEqual(len(images), 10)
        self.assertEqual(images["registry.k8s.io/pause:3.7"]["needs"], ["MicroK8s: every pod's sandbox"])
        self.assertIn("SINGLEUSER_IMAGE", images[SERVER]["needs"])
        self.assertIn("chart jupyterhub-4.2.0: Deployment proxy", images["quay.io/jupyterhub/configurable-http-proxy:4.6.3"]["needs"])
        table = head.program("images", "list", check=DONE).stdout.splitlines()
        self.assertEqual(len(table), 11)
        self.assertRegex(table[0], "^IMAGE +DIGEST +SIZE +STATE +WANTED BY$")

    def test_an_image_that_was_collected_comes_back_alone(self):
        head.forget_images(SERVER)
        self.assertEqual(head.images()[SERVER]["state"], "missing")
        self.assertEqual({image["state"] for name, image in head.images().items() if name != SERVER}, {"whole"})
        before = len(head.record())
        head.install("--yes", check=DONE)
        changes = [entry["change"] for entry in head.record()[before:] if entry["result"] == "done"]
        self.assertEqual(len(changes), 1, changes)
        self.assertRegex(changes[0], rf"^load {SERVER} \(\d+ blobs, \d+ bytes\)$")
        self.assertEqual(head.images()[SERVER]["state"], "whole")
        self.assertEqual(head.plan(), SETTLED)

    def test_import_brings_the_images_and_nothing_else(self):
        result = head.program("images", "import", check=WRONG_INPUT)
        self.assertIn("--allow-unsigned", result.stderr)
        result = head.program("images", "import", "--allow-unsigned", check=DONE)
        self.assertEqual(result.stdout.splitlines()[-1], "Every image is on the node; nothing was changed.")
        head.forget_images(SERVER)
        # This one it is not asked for.
        result = head.program("images", "import", "--allow-unsigned", "--image", "busybox:1.28.4", check=DONE)
        self.assertEqual(head.images()[SERVER]["state"], "missing")
        result = head.program("images", "import", "--allow-unsigned", "--image", "myorg/jhub-lab:24.10", check=DONE)
        self.assertEqual(result.stdout.splitlines()[-1], "1 image brought.")
        self.assertEqual(head.images()[SERVER]["state"], "whole")
        result = head.program("images", "import", "--allow-unsigned", "--image", "quay.io/site/none:1", check=WRONG_INPUT)
        self.assertIn("quay.io/site/none:1", result.stderr)

    def test_an_interrupted_import_goes_on(self):
        lacking = [HUB, SERVER, PROXY, "docker.io/coredns/coredns:1.10.1"]
        head.forget_images(*lacking)
        # Once the first bytes have moved: Ctrl-C.
        status, *errors = head.run(f"""cd /root
            {PROGRAM} images import --allow-unsigned --json >/run/import 2>/run/errors & pid=$!
            until grep -q '"moved"' /run/import; do kill -0 $pid || break; sleep 0.02; done
            kill -INT $pid; wait $pid; echo $?; cat /run/errors""").stdout.splitlines()
        self.assertEqual(status, str(INTERRUPTED), errors)
        self.assertEqual(errors[0], "interrupted: finishing the change in hand (once more to stop at once)")
        self.assertRegex(errors[1], "^jhub-install: interrupted")
        left = [image for image in lacking if head.images()[image]["state"] != "whole"]
        self.assertTrue(left, "it brought everything in spite of the interrupt")
        self.assertEqual({head.images()[image]["state"] for image in left}, {"missing"}, "half an image is listed")
        result = head.program("images", "import", "--allow-unsigned", check=DONE)
        self.assertEqual(result.stdout.splitlines()[-1], f"{len(left)} image{'s' if len(left) > 1 else ''} brought.")
        self.assertEqual({image["state"] for image in head.images().values()}, {"whole"})

    def test_prune_takes_what_we_brought_and_nothing_uses(self):
        old, used, foreign = (f"quay.io/site/{name}:1" for name in ["old", "used", "foreign"])
        pause = harness.call([LAB / "kubernetes/build"], timeout=1800, check=True).stdout.strip() + "/pause"
        for name, images in ("own", [old, used]), ("foreign", [foreign]):
            with tempfile.NamedTemporaryFile(suffix=".tar") as file:
                words = [word for image in images for word in ["--ref", image, "--file", f"name={image}", "--layer",
                                                               "--file", f"pause=@{pause}", "--config", '{"Cmd":["/pause"]}']]
                harness.call([LAB / "images/make-image", *words, file.name], check=True)
                head.copy(file.name, f"/root/{name}.tar")
        head.run(f"mv /root/own.tar {BUNDLE}/own.tar")
        self.addCleanup(head.run, f"rm -f {BUNDLE}/own.tar /root/foreign.tar")
        wanted = ["--set", f"ALLOWED_CUSTOM_IMAGES={old}"]
        head.program("images", "import", "--allow-unsigned", "--image", used, check=DONE)
        head.program("images", "import", "--allow-unsigned", *wanted, check=DONE)
        head.run([*CTR, "images", "import", "/root/foreign.tar"])
        self.addCleanup(head.run, [*CTR, "images", "rm", "--sync", foreign])
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "site", "namespace": "default"},
               "spec": {"containers": [{"name": "site", "image": used, "imagePullPolicy": "Never"}]}}
        head.kubectl("apply", "-f", "-", stdin=json.dumps(pod))
        harness.wait_until(lambda: head.get("pod", "site", "default")["status"]["phase"] == "Running", "the pod")

        self.assertEqual(self.prune(*wanted), [], "the config wants it")
        self.assertEqual(self.prune(), [f"nothing uses {old} any more"])
        self.assertEqual(head.images()[old]["state"], "extra", "it only looked")
        result = head.program("images", "prune", "--yes", check=DONE)
        self.assertEqual(result.stdout.splitlines()[-1], "1 image removed.")
        images = head.images()
        self.assertNotIn(old, images)
        self.assertEqual([images[name]["state"] for name in (used, foreign)], ["extra", "extra"])
        head.kubectl("delete", "pod", "site", "-n", "default", "--grace-period=0")
        harness.wait_until(lambda: self.prune() == [f"nothing uses {used} any more"], "the container to be gone")
        head.program("images", "prune", "--yes", check=DONE)
        self.assertEqual(self.prune(), [], "what somebody else brought stays")
        self.assertEqual(head.images()[foreign]["state"], "extra")
        self.assertEqual(head.plan(), SETTLED)

    def prune(self, *words):
        """The reasons that `images prune` shows."""
        lines = head.program("images", "prune", *words, check=DONE).stdout.splitlines()
        return [] if lines == ["Nothing to remove."] else lines[:-1]

    def test_an_image_that_is_nowhere_is_left_out_only_by_name(self):
        self.addCleanup(head.install, "--yes", check=DONE)
        settings = {"ALLOWED_CUSTOM_IMAGES": "quay.io/site/r:1"}
        before = head.record()
        head.install("--yes", settings=settings, check=WRONG_INPUT)
        self.assertEqual(head.record(), before)
        words = ["--yes", "--ignore", "disk.fsync", "--ignore", "app.complete"]
        result = head.install(*words, settings=settings, check=DONE)
        self.assertRegex(result.stdout, r"(?m)^Ignored: +app.complete: no archive holds quay.io/site/r:1 \(ALLOWED_CUSTOM_IMAGES, ")
        result = head.install(*words, "--json", settings=settings, check=DONE)
        ignored = json.loads(result.stdout.splitlines()[-1])["ignored"]
        self.assertIn("app.complete", [report["id"] for report in ignored])

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
