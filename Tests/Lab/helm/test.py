#!/usr/bin/python3
"""Tests of the `helm` command: its flags and texts alone, its actions against a real API server."""

import json
import os
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = subprocess.run([os.path.join(HERE, "build")], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
HELM = os.path.join(FOLDER, "helm", "helm")
sys.path[:0] = [os.path.dirname(HELM), HERE]

import apiserver  # noqa: E402 (paths come first)
from helmcli import errors, flags, output, yamltext  # noqa: E402

HOME = tempfile.TemporaryDirectory()  # the library keeps a discovery cache under it
CHART = {
    "Chart.yaml": "apiVersion: v2\nname: demo\nversion: 0.1.0\nappVersion: '9'\n",
    "values.yaml": "# what the chart takes\nimage: demo:1\nreplicas: 1\n",
    "values.schema.json": json.dumps({
        "type": "object", "additionalProperties": False,
        "properties": {"image": {"type": "string"}, "replicas": {"type": ["integer", "null"]}}}),
    "templates/demo.yaml": """
apiVersion: v1
kind: Service
metadata: {name: {{ .Release.Name }}}
spec: {selector: {app: demo}, ports: [{port: 80, name: http, protocol: TCP}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: demo}}
  template:
    metadata: {labels: {app: demo}}
    spec: {containers: [{name: main, image: {{ .Values.image | quote }}}]}
""",
}


def write_chart(folder):
    for name, text in CHART.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as f:
            f.write(text)


def helm(*arguments, stdin="", **environment):
    return subprocess.run([HELM, *arguments], input=stdin, capture_output=True, text=True,
                          env={"PATH": "/usr/bin:/bin", "HOME": HOME.name, **environment})


class Words(unittest.TestCase):
    def test_flags_anywhere(self):
        table = {"namespace": ("n", flags.TEXT), "wait": ("", flags.SWITCH), "values": ("f", flags.LIST),
                 "timeout": ("", flags.DURATION), "dry-run": ("", flags.TEXT)}
        given, rest = flags.parse(
            ["a", "-nhub", "--wait", "-f", "-", "--timeout=25m0s", "--values=x", "--dry-run", "b"], table)
        self.assertEqual(rest, ["a", "b"])
        self.assertEqual((given["namespace"], given["wait"], given["values"], given["timeout"], given["dry-run"]),
                         ("hub", True, ["-", "x"], 1500, "client"))

    def test_durations(self):
        for text, seconds in (("1h30m", 5400), ("90s", 90), ("500ms", 1), ("0", 0)):
            self.assertEqual(flags._seconds("timeout", text), seconds)
        for text in ("5", "x", "5y", "m"):
            with self.assertRaises(errors.Failure):
                flags._seconds("timeout", text)

    def test_schema_messages_of_helm_3(self):
        text = errors.as_helm3(
            "values don't meet the specifications of the schema(s) in the following chart(s):\ndemo:\n"
            "- at '/cpu/limit': got string, want null or number\n"
            "- at '': additional properties 'a', 'b' not allowed\n")
        self.assertEqual(text.splitlines()[2:], [
            "- cpu.limit: Invalid type. Expected: null/number, given: string",
            "- (root): Additional property a is not allowed", "- (root): Additional property b is not allowed"])

    def test_values_as_yaml(self):
        values = {"b": [1, {"c": "x", "d": []}], "a": {"t": "1", "y": "yes", "n": None, "s": "l1\nl2\n"}}
        self.assertEqual(yamltext.dump(values),
                         'a:\n  "n": null\n  s: |\n    l1\n    l2\n  t: "1"\n  "y": "yes"\n'
                         'b:\n- 1\n- c: x\n  d: []\n')

    def test_times(self):
        self.assertEqual(output._go_time("2026-01-02T03:04:05Z"), "2026-01-02 03:04:05 +0000 UTC")
        self.assertEqual(output._ansi_time("2026-01-02T03:04:05.123456789Z"), "Fri Jan  2 03:04:05 2026")


class Offline(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.chart = cls.temporary.name
        write_chart(cls.chart)

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def test_template(self):
        done = helm("template", "x", self.chart, "-f", "-", "--set", "replicas=3", stdin="image: other:2\n")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn('image: "other:2"', done.stdout)
        self.assertIn("replicas: 3", done.stdout)
        self.assertTrue(done.stdout.startswith("---\n# Source: demo/templates/demo.yaml\n"))

    def test_wrong_values_are_refused(self):
        for command in (["template", "x", self.chart], ["lint", self.chart]):
            done = helm(*command, "--set-string", "replicas=2")
            self.assertEqual(done.returncode, 1)
            self.assertIn("values don't meet the specifications of the schema(s) in the following chart(s):",
                          done.stdout + done.stderr)

    def test_show_and_version(self):
        self.assertTrue(helm("show", "values", self.chart).stdout.startswith("# what the chart takes\n"))
        self.assertIn("name: demo\n", helm("show", "chart", self.chart).stdout)
        self.assertRegex(helm("version", "--short").stdout, r"^v3\.14\.\d+\+g[0-9a-f]{7}$")

    def test_mistakes(self):
        for command, message in (
                (["frob"], 'Error: unknown command "frob" for "helm"'),
                (["list", "--frob"], "Error: unknown flag: --frob"),
                (["install", "a", "/nonexistent"], 'Error: path "/nonexistent" not found'),
                (["upgrade", "a"], 'Error: "helm upgrade" requires 2 arguments'),
                (["list", "--kubeconfig", "/nonexistent"], "Error: Kubernetes cluster unreachable: "),
                (["template", "a", self.chart, "-f", "/nonexistent"],
                 "Error: open /nonexistent: no such file or directory")):
            done = helm(*command)
            self.assertEqual(done.returncode, 1)
            self.assertTrue(done.stderr.startswith(message), done.stderr)


@unittest.skipUnless(apiserver.available(), "no kube-apiserver or no etcd here")
class Cluster(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.api = apiserver.ApiServer().__enter__()
        cls.addClassCleanup(cls.api.__exit__)
        cls.temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.temporary.cleanup)
        cls.chart = cls.temporary.name
        write_chart(cls.chart)

    def helm(self, *arguments, expect=0, stdin=""):
        done = helm(*arguments, "-n", self.namespace, stdin=stdin, KUBECONFIG=self.api.kubeconfig)
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return done.stderr if expect else done.stdout

    def json(self, *arguments):
        return json.loads(self.helm(*arguments, "-o", "json"))

    def setUp(self):
        self.namespace = "test-" + self.id().rpartition("_")[2]

    def deployment(self):
        return f"/apis/apps/v1/namespaces/{self.namespace}/deployments/a"

    def install(self):
        return self.helm("upgrade", "--install", "a", self.chart, "--create-namespace")

    def test_life_of_a_release(self):
        self.assertIn('Release "a" does not exist. Installing it now.', self.install())
        again = self.json("upgrade", "--install", "a", self.chart, "-f", "-", "--timeout", "25m0s")
        self.assertEqual((again["version"], again["info"]["status"]), (2, "deployed"))
        (entry,) = self.json("list", "--filter", "^a$")
        entry.pop("updated")
        self.assertEqual(entry, {"name": "a", "namespace": self.namespace, "revision": "2", "status": "deployed",
                                 "chart": "demo-0.1.0", "app_version": "9"})
        self.assertEqual(self.json("list", "--filter", "^b$"), [])
        self.assertIsNone(self.json("get", "values", "a"))
        self.assertEqual(self.json("get", "values", "a", "--all"), {"image": "demo:1", "replicas": 1})
        self.assertIn("kind: Deployment", self.helm("get", "manifest", "a"))
        self.assertEqual([each["status"] for each in self.json("history", "a")], ["superseded", "deployed"])
        self.assertIn("Rollback was a success", self.helm("rollback", "a", "1"))
        self.helm("uninstall", "a", "--keep-history")
        self.assertEqual(self.json("list"), [])
        self.assertEqual([each["status"] for each in self.json("list", "-a")], ["uninstalled"])
        self.assertIn('release "a" uninstalled', self.helm("uninstall", "a"))
        self.assertEqual(self.helm("status", "a", expect=1), "Error: release: not found\n")

    def test_edited_objects_are_put_back_edited(self):
        self.install()
        self.api.patch(self.deployment(), {"spec": {"replicas": 7, "template": {"spec": {"containers": [
            {"name": "main", "image": "evil:6"}]}}}})
        self.api.request("DELETE", f"/api/v1/namespaces/{self.namespace}/services/a")
        self.install()
        spec = self.api.request("GET", self.deployment())["spec"]
        self.assertEqual((spec["replicas"], spec["template"]["spec"]["containers"][0]["image"]), (1, "demo:1"))
        self.api.request("GET", f"/api/v1/namespaces/{self.namespace}/services/a")

    def test_killed_upgrade_stays_pending_killed(self):
        self.install()
        upgrade = subprocess.Popen(
            [HELM, "upgrade", "a", self.chart, "-n", self.namespace, "--wait", "--set", "replicas=2"],
            env={"PATH": "/usr/bin:/bin", "HOME": HOME.name, "KUBECONFIG": self.api.kubeconfig},
            stdout=subprocess.DEVNULL)
        for _ in range(100):
            if any(each["status"] == "pending-upgrade" for each in self.json("list", "-a")):
                break
            time.sleep(0.1)
        upgrade.kill()
        upgrade.wait()
        self.assertEqual([each["status"] for each in self.json("list", "--pending")], ["pending-upgrade"])
        self.assertEqual(self.json("list"), [])
        self.assertEqual(self.helm("upgrade", "--install", "a", self.chart, expect=1),
                         "Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress\n")
        self.helm("rollback", "a", "1")
        self.install()

    def test_interrupted_install_fails_interrupted(self):
        install = subprocess.Popen(
            [HELM, "install", "a", self.chart, "-n", self.namespace, "--create-namespace", "--wait"],
            env={"PATH": "/usr/bin:/bin", "HOME": HOME.name, "KUBECONFIG": self.api.kubeconfig}, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        for _ in range(100):
            if self.json("list", "-a"):
                break
            time.sleep(0.1)
        install.terminate()
        out, err = install.communicate(timeout=20)
        self.assertIn("Release a has been cancelled.", out)
        self.assertEqual(install.returncode, 1, err)
        self.assertEqual([each["status"] for each in self.json("list", "-a")], ["failed"])

    def test_waiting_ends_waiting(self):
        message = self.helm("install", "a", self.chart, "--create-namespace", "--wait", "--timeout", "1s", expect=1)
        self.assertEqual(message, "Error: INSTALLATION FAILED: context deadline exceeded\n")
        self.assertEqual([each["status"] for each in self.json("list")], ["failed"])
        message = self.helm("install", "b", self.chart, "--atomic", "--timeout", "1s", expect=1)
        self.assertIn("release b failed, and has been uninstalled due to atomic being set", message)
        self.assertEqual([each["name"] for each in self.json("list", "-a")], ["a"])

    def test_dry_run_changes_nothing_trial(self):
        self.install()
        for mode in ("--dry-run", "--dry-run=server"):
            self.assertIn("replicas: 4", self.helm("upgrade", "a", self.chart, mode, "--set", "replicas=4"))
        self.assertEqual(len(self.json("history", "a")), 1)


if __name__ == "__main__":
    unittest.main()
