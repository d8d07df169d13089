#!/usr/bin/python3
"""Tests of the Kubernetes that was built: it is the version, and has the repairs, that the lab needs."""
import pathlib
import subprocess
import unittest

HERE = pathlib.Path(__file__).resolve().parent
FOLDER = pathlib.Path(subprocess.run([HERE / "build"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip())


def output(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True).stdout


class Build(unittest.TestCase):
    def test_every_program_is_1_20_2(self):
        for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy"):
            self.assertEqual(output(FOLDER / "bin" / name, "--version"), "Kubernetes v1.20.2\n")
        self.assertIn('GitVersion:"v1.20.2"', output(FOLDER / "bin/kubectl", "version", "--client"))

    def test_all_is_static(self):
        """The programs run in machines and images that have other libraries, or none."""
        for file in [*(FOLDER / "bin").iterdir(), FOLDER / "pause"]:
            self.assertNotIn("INTERP", output("readelf", "--program-headers", file), file.name)

    def test_maps_are_walked_as_todays_go_lays_them(self):
        """reflect2 has a file for Go since 1.18 from its release 1.0.2 on; without it the API server dies within minutes."""
        for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kubectl"):
            self.assertIn(b"modern-go/reflect2/go_above_118.go", (FOLDER / "bin" / name).read_bytes(), name)

    def test_the_kubelet_asks_no_cloud(self):
        self.assertNotIn(b"credentialprovider/aws", (FOLDER / "bin/kubelet").read_bytes())

    def test_lab_clusters_own_tests(self):
        done = subprocess.run([HERE / "build", "--test"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"^ok\s")


if __name__ == "__main__":
    unittest.main()
