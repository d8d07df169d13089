#!/usr/bin/python3
"""Tests of the stand-ins on lab machines: each docstring quotes the fact that the test holds.

They take three machines and about five minutes: a lab of their own (JHUB_LAB_ID), so that yours is left alone.
"""

import atexit
import hashlib
import json
import os
import signal
import subprocess
import time
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
LAB = str(ROOT / "scripts/lab")
os.environ.setdefault("JHUB_LAB_ID", hashlib.sha256(f"{ROOT} microk8s".encode()).hexdigest()[:8])


def built(part: str) -> Path:
    return Path(subprocess.run([HERE.parent / part / "build"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip())


def lab(*words: str) -> None:
    subprocess.run([LAB, *words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Answer:
    def __init__(self, done: subprocess.CompletedProcess):
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr


def on(machine: str, command: str, seconds: float = 120) -> Answer:
    return Answer(subprocess.run([LAB, "exec", machine, "--", "bash", "-c", command], stdin=subprocess.DEVNULL,
                                 capture_output=True, text=True, timeout=seconds))


def until(claim, seconds: float = 60):
    """Asks until the answer is true, and returns it; the last answer when time is up."""
    end = time.monotonic() + seconds
    while not (answer := claim()) and time.monotonic() < end:
        time.sleep(1)
    return answer


def asked_in_a_pod(name: str, spec: dict | None = None) -> str:
    """What nslookup says in a pod. Not by `run -i`, which may come too late for a container that ends soon."""
    kubectl = "microk8s kubectl"
    overrides = json.dumps({"spec": spec or {}})
    on("head", f"{kubectl} run ask --image=busybox:1.28.4 --restart=Never --overrides='{overrides}' --command -- nslookup {name}")
    until(lambda: on("head", f"{kubectl} get pod ask -o jsonpath={{.status.phase}}").out in ("Succeeded", "Failed"), 60)
    said = on("head", f"{kubectl} logs ask").out
    on("head", f"{kubectl} delete pod ask")
    return said


def carry_snaps(machine: str) -> None:
    lab("exec", machine, "--", "mkdir", "-p", "/root/snaps")
    for file in sorted((built("microk8s") / "snaps").iterdir()):
        lab("copy", str(file), f"{machine}:/root/snaps/{file.name}")


def carry_images(machine: str, folder: str) -> None:
    lab("exec", machine, "--", "mkdir", "-p", folder)
    for pattern in ("pause", "calico", "coredns", "hostpath", "busybox"):
        for file in (built("images") / "images").glob(f"{pattern}*.tar"):
            lab("copy", str(file), f"{machine}:{folder}/{file.name}")


def default_route(machine: str) -> None:
    lab("exec", machine, "--", "ip", "route", "replace", "default", "via", "10.99.0.1")


INSTALL = "cd /root/snaps; snap ack {0}.assert && snap install ./{0}.snap {1}"
SNAPS = {"snapd": "snapd_21759", "core20": "core20_2318", "microk8s": "microk8s_8142"}


def install(machine: str) -> None:
    for name, flag in (("snapd", ""), ("core20", ""), ("microk8s", "--classic")):
        answer = on(machine, INSTALL.format(SNAPS[name], flag))
        assert answer.code == 0, answer.err


def ready(machine: str) -> None:
    answer = on(machine, "microk8s status --wait-ready --timeout 120", 200)
    assert answer.code == 0, answer.out


def setUpModule():
    # However it ends, it leaves no lab.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    atexit.register(lab, "down")


class Stage(unittest.TestCase):
    maxDiff = None

    def says(self, answer: Answer, code: int, out: str | None = None, err: str | None = None) -> None:
        self.assertEqual(answer.code, code, answer.out + answer.err)
        if out is not None:
            self.assertEqual(answer.out, out)
        if err is not None:
            self.assertEqual(answer.err, err)


class Test1Snap(Stage):
    """snap, on a bare machine; the tests go on from each other."""

    @classmethod
    def setUpClass(cls):
        lab("up")
        lab("reset", "head")
        carry_snaps("head")

    def test_01_nothing_installed(self):
        """`snap list` with none | stderr `No snaps are installed yet. Try 'snap install hello-world'.` rc 0"""
        self.says(on("head", "snap list"), 0, "", "No snaps are installed yet. Try 'snap install hello-world'.\n")

    def test_02_seeded(self):
        """`snap wait system seed.loaded` | silent, rc 0"""
        self.says(on("head", "snap wait system seed.loaded"), 0, "", "")
        self.assertEqual(on("head", "systemctl is-active snapd").out, "active\n")

    def test_03_codes(self):
        """rc: 1 error (text `error: …` on stderr); 64 usage/unknown command."""
        self.says(on("head", "snap conquer"), 64, "", "error: unknown command \"conquer\", see 'snap help'.\n")
        self.assertEqual(on("head", "snap install").code, 64)

    def test_04_without_assertion(self):
        """no assertions: `error: cannot find signatures with metadata for snap "FILE"`"""
        self.says(on("head", "cd /root/snaps; snap install ./snapd_21759.snap"), 1, "",
                  'error: cannot find signatures with metadata for snap "./snapd_21759.snap"\n')

    def test_05_damaged_assertion(self):
        """`snap ack FILE`: stderr `error: cannot assert: …`, rc 1"""
        answer = on("head", "cd /root/snaps; sed s/21759/21760/ snapd_21759.assert >/tmp/x.assert; snap ack /tmp/x.assert")
        self.assertEqual(answer.code, 1)
        self.assertTrue(answer.err.startswith("error: cannot assert: "), answer.err)
        self.assertTrue(on("head", "snap ack /nowhere").err.startswith("error: cannot assert: "))

    def test_06_base_needs_newer_snapd(self):
        """`snap "core20" assumes unsupported features: snapd2.61 (try to refresh snapd)`"""
        self.says(on("head", INSTALL.format("core20_2318", "")), 1, "",
                  'error: snap "core20" assumes unsupported features: snapd2.61 (try to refresh snapd)\n')

    def test_07_hold_needs_newer_snapd(self):
        """Hold needs snapd ≥ 2.58."""
        self.assertEqual(on("head", "snap refresh --hold").code, 64)

    def test_08_base_missing(self):
        """`- Ensure prerequisites for "microk8s" are available (cannot install snap base "core20": Post "https://api.snapcraft.io/v2/snaps/refresh": …)`"""
        answer = on("head", INSTALL.format("microk8s_8142", "--classic"))
        self.assertEqual(answer.code, 1)
        self.assertIn('error: cannot perform the following tasks:\n- Ensure prerequisites for "microk8s" are available '
                      '(cannot install snap base "core20": Post "https://api.snapcraft.io/v2/snaps/refresh": ', answer.err)

    def test_09_snapd(self):
        """`snap install ./f.snap` | stdout `NAME[ (channel)] VERSION from Canonical✓ installed` (`✓` = `**` without unicode); `snap ack` silent, idempotent."""
        ack = on("head", "cd /root/snaps; snap ack snapd_21759.assert; snap ack snapd_21759.assert")
        self.says(ack, 0, "", "")
        self.says(on("head", "cd /root/snaps; snap install ./snapd_21759.snap"), 0, "snapd 2.63 from Canonical** installed\n", "")
        self.assertEqual(on("head", "snap version").out.splitlines()[:3], ["snap    2.63", "snapd   2.63", "series  16"])

    def test_10_classic_on_strict(self):
        """`--classic` on a strict snap: stderr `Warning: flag --classic ignored for strictly confined snap NAME` + blank line, install proceeds."""
        self.says(on("head", INSTALL.format("core20_2318", "--classic")), 0, "core20 20240705 from Canonical** installed\n",
                  "Warning: flag --classic ignored for strictly confined snap core20\n\n")

    def test_11_classic_missing(self):
        """classic snap without --classic: `error:` + "This revision of snap "X" was published using classic confinement …" """
        answer = on("head", INSTALL.format("microk8s_8142", ""))
        self.assertEqual(answer.code, 1)
        self.assertIn('This revision of snap "microk8s" was published using classic\nconfinement', answer.err)
        self.assertIn("--classic.", answer.err)

    def test_12_changed_byte(self):
        """The assertion names the file by its SHA3-384: a changed byte is a file that nobody vouches for."""
        answer = on("head", "cd /root/snaps; snap ack microk8s_8142.assert; cp microk8s_8142.snap bad.snap; "
                            "printf x | dd of=bad.snap bs=1 seek=5000000 conv=notrunc status=none; "
                            "snap install ./bad.snap --classic; status=$?; rm bad.snap; exit $status")
        self.says(answer, 1, "", 'error: cannot find signatures with metadata for snap "./bad.snap"\n')

    def test_13_bad_launch_configuration(self):
        """a bad file fails `snap install`"""
        answer = on("head", "echo 'version: 9.9.9' >/etc/microk8s.yaml; "
                            + INSTALL.format("microk8s_8142", "--classic") + "; s=$?; rm /etc/microk8s.yaml; exit $s")
        self.assertEqual(answer.code, 1)
        self.assertIn('- Run install hook of "microk8s" snap if present (run hook "install":', answer.err)
        self.assertNotIn("microk8s", on("head", "snap list").out)
        self.assertEqual(on("head", "ls -d /var/snap/microk8s /snap/microk8s /etc/systemd/system/snap.microk8s.*").out, "")

    def test_19_killed_client(self):
        """An accepted change is the daemon's: the command that asked for it may be killed, a second one is a conflict (rc 10)."""
        on("head", "cd /root/snaps; snap install ./microk8s_8142.snap --classic & sleep 3; kill -9 $!; wait")
        second = on("head", "snap remove microk8s")
        self.assertIn(second.code, (0, 10), second.err)
        if second.code == 10:
            self.assertEqual(second.err, 'error: snap "microk8s" has "install-snap" change in progress\n')
        self.assertTrue(until(lambda: on("head", "test ! -e /var/lib/snapd/changes/microk8s.json").code == 0))
        self.assertEqual("microk8s" in on("head", "snap list").out, second.code == 10)

    def test_20_power_cut(self):
        """After a power cut snapd goes on with the change that it had begun."""
        on("head", "snap remove --purge microk8s; cd /root/snaps; (setsid snap install ./microk8s_8142.snap --classic >/dev/null 2>&1 &); "
                   "while ! test -e /var/lib/snapd/changes/microk8s.json; do sleep 0.05; done; sync")
        lab("power", "head", "kill")
        lab("power", "head", "on")
        self.assertTrue(until(lambda: on("head", "test ! -e /var/lib/snapd/changes/microk8s.json").code == 0))
        self.assertIn("8142", on("head", "snap list microk8s").out)
        self.assertTrue(until(lambda: on("head", "systemctl is-active snap.microk8s.daemon-cluster-agent").code == 0, 30))
        self.says(on("head", "snap remove --purge microk8s"), 0, "microk8s removed\n")

    def test_14_list(self):
        """`snap list` columns: Name Version Rev Tracking Publisher Notes; `snap list NAME` absent: stderr `error: no matching snaps installed` rc 1"""
        self.says(on("head", "snap list microk8s"), 1, "", "error: no matching snaps installed\n")
        rows = [line.split() for line in on("head", "snap list").out.splitlines()]
        self.assertEqual(rows, [["Name", "Version", "Rev", "Tracking", "Publisher", "Notes"],
                                ["core20", "20240705", "2318", "-", "canonical**", "base"],
                                ["snapd", "2.63", "21759", "-", "canonical**", "snapd"]])

    def test_15_hold(self):
        """`General refreshes of "NAME" held indefinitely` / `Auto-refresh of all snaps held indefinitely` / `Removed general refresh hold of "NAME"`"""
        self.says(on("head", "snap refresh --hold core20"), 0, 'General refreshes of "core20" held indefinitely\n')
        self.assertIn("base,held", on("head", "snap list core20").out)
        self.says(on("head", "snap refresh --unhold core20"), 0, 'Removed general refresh hold of "core20"\n')
        self.says(on("head", "snap refresh --hold"), 0, "Auto-refresh of all snaps held indefinitely\n")
        self.assertRegex(on("head", "snap refresh --hold=24h core20").out, r'^General refreshes of "core20" held until \d{4}-')

    def test_16_remove_absent(self):
        """`snap remove`, not installed: message on stderr, rc 0"""
        self.says(on("head", "snap remove --purge microk8s"), 0, "", 'snap "microk8s" is not installed\n')

    def test_17_store(self):
        """Only store installs need the store; a machine without a network is told it cannot be reached."""
        answer = on("head", "snap install microk8s --classic")
        self.assertEqual(answer.code, 1)
        self.assertIn("https://api.snapcraft.io/", answer.err)
        self.assertEqual(on("head", "snap download microk8s").code, 1)

    def test_18_not_root(self):
        """What changes the system is for root."""
        self.says(on("head", "setpriv --reuid 65534 --clear-groups snap remove core20"), 1, "", "error: access denied (try with sudo)\n")


class Test2Cluster(Stage):
    """microk8s on one node, set up as an air-gapped site does it."""

    @classmethod
    def setUpClass(cls):
        lab("up")
        lab("reset", "head")
        carry_snaps("head")
        carry_images("head", "/var/snap/microk8s/common/sideload")
        default_route("head")
        install("head")
        ready("head")

    def test_01_fresh_status(self):
        """a fresh default install shows enabled: dns, ha-cluster, helm, helm3."""
        until(lambda: on("head", "microk8s status -a dns").out == "enabled\n")
        lines = on("head", "microk8s status").out.splitlines()
        self.assertEqual(lines[:5], ["microk8s is running", "high-availability: no",
                                     "  datastore master nodes: 127.0.0.1:19001", "  datastore standby nodes: none", "addons:"])
        self.assertEqual(lines[5:8], ["  enabled:", "    dns                  # (core) CoreDNS",
                                      "    ha-cluster           # (core) Configure high availability on the current node"])
        enabled = lines[6:lines.index("  disabled:")]
        self.assertEqual([e.split()[0] for e in enabled], ["dns", "ha-cluster", "helm", "helm3"])

    def test_02_status_forms(self):
        """short: `core/dns: enabled`; yaml: `running: True`, role voter; `-a NAME` unknown → `disabled`, rc 0; bad flag rc 2"""
        short = on("head", "microk8s status --format short").out.splitlines()
        self.assertEqual(short[:3], ["microk8s is running", "addons:", "core/dns: enabled"])
        text = on("head", "microk8s status --format yaml").out
        self.assertTrue(text.startswith("microk8s:\n  running: True\nhigh-availability:\n  enabled: False\n  nodes:\n"
                                        "    - address: 127.0.0.1:19001\n      role: voter\naddons:\n"), text[:300])
        self.assertIn("  - name: dns\n    repository: core\n    description: CoreDNS\n    version: 1.10.1\n    status: enabled\n", text)
        self.says(on("head", "microk8s status -a nonsense"), 0, "disabled\n")
        self.says(on("head", "microk8s status -a core/dns"), 0, "enabled\n")
        self.assertEqual(on("head", "microk8s status --colour").code, 2)

    def test_03_version(self):
        """**version** → `MicroK8s v1.30.14 revision 8142`"""
        self.says(on("head", "microk8s version"), 0, "MicroK8s v1.30.14 revision 8142\n")

    def test_04_dispatcher(self):
        """no args → lists "Available subcommands are:" rc 1; help rc 0; unknown → `'x' is not a valid MicroK8s subcommand.` + list, rc 1"""
        self.assertEqual(on("head", "microk8s").code, 1)
        self.assertTrue(on("head", "microk8s help").out.startswith("Available subcommands are:\n\tadd-node\n"))
        self.assertEqual(on("head", "microk8s help").code, 0)
        answer = on("head", "microk8s fly")
        self.assertEqual(answer.code, 1)
        self.assertTrue(answer.out.startswith("'fly' is not a valid MicroK8s subcommand.\n"))

    def test_05_no_permission(self):
        """No permission: stderr `Insufficient permissions to access MicroK8s.` rc 1 (python commands print the same on stdout, rc 1)."""
        as_guest = "id guest >/dev/null 2>&1 || useradd -m guest; setpriv --reuid guest --regid guest --clear-groups "
        answer = on("head", as_guest + "microk8s kubectl get nodes")
        self.assertEqual(answer.code, 1)
        self.assertTrue(answer.err.startswith("Insufficient permissions to access MicroK8s."), answer.err)
        answer = on("head", as_guest + "microk8s enable dns")
        self.assertEqual(answer.code, 1)
        self.assertTrue(answer.out.startswith("Insufficient permissions to access MicroK8s."), answer.out)

    def test_06_paths(self):
        """install hook symlinks, made only if the path does not exist: /var/lib/kubelet→common/var/lib/kubelet, …"""
        links = on("head", "readlink /var/lib/kubelet /etc/cni/net.d /opt/cni/bin /var/snap/microk8s/current /snap/microk8s/current /snap/bin/microk8s.kubectl").out
        self.assertEqual(links.split(), ["/var/snap/microk8s/common/var/lib/kubelet", "/var/snap/microk8s/current/args/cni-network",
                                         "/var/snap/microk8s/current/opt/cni/bin", "8142", "8142", "/usr/bin/snap"])
        self.assertEqual(on("head", "test -S /var/snap/microk8s/common/run/containerd.sock && test -f /etc/sysctl.d/10-microk8s.conf && getent group microk8s").code, 0)
        locks = on("head", "ls /var/snap/microk8s/current/var/lock").out.split()
        for name in ("installed.lock", "ha-cluster", "no-etcd", "no-flanneld", "no-apiserver-proxy", "cni-loaded"):
            self.assertIn(name, locks)

    def test_07_services(self):
        """systemd: `snap.microk8s.daemon-{…}.service`; etcd/flanneld/apiserver-proxy exit 0 at once on a normal node (locks)."""
        states = {row[0]: row[1:3] for row in (l.split() for l in on("head", "snap services microk8s").out.splitlines())}
        self.assertEqual(states["Service"], ["Startup", "Current"])
        for name in ("containerd", "kubelite", "k8s-dqlite", "cluster-agent", "apiserver-kicker"):
            self.assertEqual(states[f"microk8s.daemon-{name}"], ["enabled", "active"], name)
        for name in ("etcd", "flanneld", "apiserver-proxy"):
            self.assertEqual(states[f"microk8s.daemon-{name}"], ["enabled", "inactive"], name)
            self.assertEqual(on("head", f"systemctl show -P Result snap.microk8s.daemon-{name}").out, "success\n")

    def test_08_images_by_name(self):
        """always (first start): `registry.k8s.io/pause:3.7`, `docker.io/calico/{cni,node,kube-controllers}:v3.25.1`; a loader renames to `*.tar.loaded`"""
        names = on("head", "microk8s ctr image ls -q").out.split()
        for name in ("registry.k8s.io/pause:3.7", "docker.io/calico/cni:v3.25.1", "docker.io/calico/node:v3.25.1",
                     "docker.io/calico/kube-controllers:v3.25.1", "docker.io/coredns/coredns:1.10.1"):
            self.assertIn(name, names)
        left = on("head", "ls /var/snap/microk8s/common/etc/sideload").out.split()
        self.assertTrue(left and all(n.endswith(".tar.loaded") for n in left), left)
        self.assertNotEqual(on("head", "ls /var/snap/microk8s/common/sideload").out, "")  # copied, not moved

    def test_09_certificates(self):
        """Lifetimes: CA 3650 d; client/kubelet 3650 d; **server + front-proxy-client 365 d**."""
        answer = on("head", "microk8s refresh-certs -c")
        self.says(answer, 0, "The CA certificate will expire in 3649 days.\nThe server certificate will expire in 364 days.\n"
                             "The front proxy client certificate will expire in 364 days.\n")

    def test_10_config(self):
        """`config` replaces 127.0.0.1 by the default-route IP and prints a trailing newline; `-l` keeps loopback."""
        text = on("head", "microk8s config").out
        self.assertIn("server: https://10.99.0.2:16443\n", text)
        self.assertIn("name: microk8s-cluster", text)
        self.assertTrue(text.endswith("\n\n"))
        self.assertIn("server: https://127.0.0.1:16443\n", on("head", "microk8s config -l").out)

    def test_11_arguments(self):
        """authorization-mode **AlwaysAllow**; secure-port 16443; labels …microk8s-controlplane; no taints, no node-role labels; Files name SNAP_DATA, expanded at start"""
        args = "/var/snap/microk8s/current/args"
        self.assertIn("--authorization-mode=AlwaysAllow\n", on("head", f"cat {args}/kube-apiserver").out)
        self.assertIn("--root-dir=${SNAP_COMMON}/var/lib/kubelet\n", on("head", f"cat {args}/kubelet").out)
        self.assertIn("--cluster-dns=10.152.183.10\n", on("head", f"cat {args}/kubelet").out)
        node = json.loads(on("head", "microk8s kubectl get node head -o json").out)
        self.assertEqual(node["metadata"]["labels"]["node.kubernetes.io/microk8s-controlplane"], "microk8s-controlplane")
        self.assertFalse([l for l in node["metadata"]["labels"] if "node-role" in l])
        self.assertNotIn("taints", node["spec"])
        config = json.loads(on("head", "microk8s kubectl get --raw /api/v1/nodes/head/proxy/configz").out)["kubeletconfig"]
        self.assertEqual((config["imageGCHighThresholdPercent"], config["imageGCLowThresholdPercent"]), (85, 80))
        self.assertEqual(config["evictionHard"], {"memory.available": "100Mi", "nodefs.available": "1Gi", "imagefs.available": "1Gi"})

    def test_12_names_resolve(self):
        """cluster-dns 10.152.183.10 + cluster-domain cluster.local"""
        until(lambda: on("head", "microk8s kubectl get deploy -n kube-system coredns -o jsonpath={.status.readyReplicas}").out == "1")
        self.assertIn("10.152.183.1\n", asked_in_a_pod("kubernetes.default.svc.cluster.local"))

    def test_13_containerd_toml(self):
        """containerd-template.toml (source) → containerd.toml (rendered at every containerd start; edits lost)"""
        args = "/var/snap/microk8s/current/args"
        self.assertEqual(on("head", f"echo '# mine' >>{args}/containerd.toml; echo '# theirs' >>{args}/containerd-template.toml; "
                                    "snap restart microk8s.daemon-containerd").out, "Restarted.\n")
        text = on("head", f"cat {args}/containerd.toml").out
        self.assertIn("# theirs", text)
        self.assertNotIn("# mine", text)
        self.assertIn('sandbox_image = "registry.k8s.io/pause:3.7"', text)
        self.assertIn('conf_dir = "/var/snap/microk8s/8142/args/cni-network"', text)

    def test_14_enable_words(self):
        """already: stdout `Addon core/dns is already enabled`, stderr `Infer repository core for addon dns`, rc 0; unknown: stderr `Addon X was not found in any repository` rc 1; `repo/unknown`: stdout `Addon repo/X not found`, rc 0 (!)"""
        self.says(on("head", "microk8s enable dns"), 0, "Addon core/dns is already enabled\n", "Infer repository core for addon dns\n")
        self.says(on("head", "microk8s disable rbac"), 0, "Addon core/rbac is already disabled\n")
        self.says(on("head", "microk8s enable nonsense"), 1, "", "Addon nonsense was not found in any repository\n")
        self.says(on("head", "microk8s enable core/nonsense"), 0, "Addon core/nonsense not found\n", "")
        self.assertIn("WARNING: Do not enable or disable multiple addons in one command.", on("head", "microk8s enable dns helm").out)

    def test_15_other_operator_looks_like_addons(self):
        """Having GPU Operator installed by helm as release `gpu-operator` makes `microk8s status` list addons `gpu` and `nvidia` as *enabled*"""
        on("head", "microk8s kubectl create deployment gpu-operator-node-feature-discovery-master --image=x:1 --replicas=0")
        self.says(on("head", "microk8s status -a gpu"), 0, "enabled\n")
        self.says(on("head", "microk8s status -a nvidia"), 0, "enabled\n")
        on("head", "microk8s kubectl delete deployment gpu-operator-node-feature-discovery-master")

    def test_16_storage(self):
        """hostpath-storage stdout: `Enabling default storage class.` / WARNING 2 lines / blank / kubectl lines / `Storage will be available soon.`; StorageClass `microk8s-hostpath`"""
        answer = on("head", "microk8s enable hostpath-storage")
        self.assertEqual(answer.code, 0)
        lines = answer.out.splitlines()
        self.assertEqual(lines[0], "Enabling default storage class.")
        self.assertTrue(lines[1].startswith("WARNING: ") and lines[3] == "", lines)
        self.assertEqual(lines[-1], "Storage will be available soon.")
        manifest = ('{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"PersistentVolumeClaim","metadata":{"name":"c"},'
                    '"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Mi"}}}},'
                    '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"w"},"spec":{"restartPolicy":"Never","containers":[{"name":"w",'
                    '"image":"busybox:1.28.4","command":["sh","-c","echo hello >/d/f"],"volumeMounts":[{"name":"d","mountPath":"/d"}]}],'
                    '"volumes":[{"name":"d","persistentVolumeClaim":{"claimName":"c"}}]}}]}')
        self.assertEqual(on("head", f"echo '{manifest}' | microk8s kubectl apply -f -").code, 0)
        self.assertTrue(until(lambda: on("head", "cat /var/snap/microk8s/common/default-storage/default-c-*/f").out == "hello\n", 90))
        on("head", "microk8s kubectl delete pod w; microk8s kubectl delete pvc c")

    def test_17_images_import_lies(self):
        """`microk8s images import` exits **0** even when every node failed."""
        answer = on("head", "echo rubbish >/tmp/x.tar; microk8s images import /tmp/x.tar")
        self.assertEqual(answer.code, 0)
        self.assertEqual(answer.out, "Pushing OCI images to 10.99.0.2:25000\n")
        self.assertIn("Failed to import images on 10.99.0.2:25000: ", answer.err)
        self.assertEqual(on("head", "microk8s images import /nowhere.tar").code, 1)

    def test_18_sideload_later(self):
        """New tars may be dropped in etc/sideload later (write under another name, then rename to .tar)."""
        folder = "/var/snap/microk8s/common/etc/sideload"
        on("head", f"microk8s ctr image rm docker.io/library/busybox:1.28.4; cp {folder}/busybox*.loaded {folder}/b.new; mv {folder}/b.new {folder}/again.tar")
        self.assertTrue(until(lambda: on("head", f"test -e {folder}/again.tar.loaded").code == 0, 30))
        self.assertIn("docker.io/library/busybox:1.28.4", on("head", "microk8s ctr image ls -q").out)

    def test_19_launch_configuration_later(self):
        """After install: `snap set microk8s config="$(cat f.yaml)"` → etc/launcher/snap-set.yaml, applied and renamed to `*.yaml.applied`; null deletes the arg"""
        on("head", """snap set microk8s config="$(printf 'version: 0.1.0\\nextraKubeletArgs:\\n  --max-pods: 77\\n  --event-burst: null\\n')" """)
        self.assertTrue(until(lambda: on("head", "test -e /var/snap/microk8s/common/etc/launcher/snap-set.yaml.applied").code == 0, 60))
        self.assertIn("--max-pods=77\n", on("head", "cat /var/snap/microk8s/current/args/kubelet").out)
        self.assertTrue(until(lambda: on("head", "microk8s kubectl get node head -o jsonpath={.status.capacity.pods}").out == "77", 60))

    def test_20_rbac(self):
        """rbac stdout: `Enabling RBAC` / `Reconfiguring apiserver` / `Restarting apiserver` / `RBAC is enabled`; AlwaysAllow (RBAC,Node after `enable rbac`)"""
        self.says(on("head", "microk8s enable rbac"), 0, "Enabling RBAC\nReconfiguring apiserver\nRestarting apiserver\nRBAC is enabled\n")
        self.assertIn("--authorization-mode=RBAC,Node\n", on("head", "cat /var/snap/microk8s/current/args/kube-apiserver").out)
        self.assertTrue(until(lambda: on("head", "microk8s status -a rbac").out == "enabled\n", 60))
        self.assertEqual(on("head", "microk8s kubectl auth can-i get secrets --as=nobody").out, "no\n")

    def test_21_same_revision_again(self):
        """Re-installing the *same asserted revision* from a file is **not** skipped: same tasks run again and the success line prints."""
        before = on("head", "systemctl show -P MainPID snap.microk8s.daemon-kubelite").out
        self.says(on("head", "cd /root/snaps; snap install ./microk8s_8142.snap --classic"), 0, "microk8s v1.30.14 from Canonical** installed\n")
        self.assertNotEqual(on("head", "systemctl show -P MainPID snap.microk8s.daemon-kubelite").out, before)
        ready("head")

    def test_22_stop_and_start(self):
        """stop: two `snap stop` calls, removes all containers, disables services; `status` on a stopped node also exits 0; kubectl: stderr, rc 1; start silent"""
        self.says(on("head", "microk8s stop"), 0, "Stopped.\nStopped.\n")
        self.says(on("head", "microk8s status"), 0, "microk8s is not running, try microk8s start\n")
        self.says(on("head", "microk8s kubectl get nodes"), 1, "", "microk8s is not running, try microk8s start\n")
        self.assertEqual(on("head", "pgrep -f containerd-shim").code, 1)
        self.assertEqual(on("head", "systemctl is-enabled snap.microk8s.daemon-kubelite").out, "disabled\n")
        self.says(on("head", "microk8s inspect"), 1)
        self.says(on("head", "microk8s start"), 0, "")
        self.assertEqual(on("head", "systemctl is-enabled snap.microk8s.daemon-kubelite").out, "enabled\n")
        ready("head")

    def test_23_power_cut(self):
        """mount unit `snap-microk8s-<rev>.mount` (persistent); the cluster is there again after the power was cut"""
        lab("power", "head", "kill")
        lab("power", "head", "on")
        default_route("head")
        ready("head")
        self.assertTrue(until(lambda: on("head", "microk8s kubectl get deploy -n kube-system coredns -o jsonpath={.status.readyReplicas}").out == "1", 90))
        self.assertEqual(on("head", "microk8s inspect").code, 0)

    def test_24_new_address_new_certificate(self):
        """kicker re-issues certs when host IPs change while not clustered."""
        old = on("head", "cat /var/snap/microk8s/current/certs/server.crt").out
        on("head", "ip addr add 10.77.0.1/32 dev eth0")
        self.assertTrue(until(lambda: on("head", "cat /var/snap/microk8s/current/certs/server.crt").out != old, 30))
        self.assertIn("10.77.0.1", on("head", "openssl x509 -noout -ext subjectAltName -in /var/snap/microk8s/current/certs/server.crt").out)
        ready("head")

    def test_25_without_sudo(self):
        """`run_with_sudo` in the wrappers calls `sudo` even as root ⇒ `sudo` must exist."""
        answer = on("head", "mv /usr/bin/sudo /usr/bin/sudo.away; microk8s ctr version; s=$?; mv /usr/bin/sudo.away /usr/bin/sudo; exit $s")
        self.assertEqual(answer.code, 127)
        self.assertIn("sudo: command not found", answer.err)

    def test_26_remove(self):
        """`snap remove [--purge] NAME` | `NAME removed`; nothing of it stays"""
        self.says(on("head", "snap remove --purge microk8s"), 0, "microk8s removed\n")
        self.assertEqual(on("head", "ls -d /var/snap/microk8s /snap/microk8s /snap/bin/microk8s* /etc/systemd/system/snap.microk8s* /var/lib/kubelet").out, "")
        self.assertEqual(on("head", "pgrep -f [c]ontainerd-shim; grep -c /var/snap/microk8s /proc/self/mounts").out, "0\n")


class Test3Joining(Stage):
    """Two nodes: one control plane, one that comes and goes."""

    @classmethod
    def setUpClass(cls):
        lab("up", "--workers", "1")
        for machine in ("head", "worker1"):
            lab("reset", machine)
            carry_snaps(machine)
            carry_images(machine, "/var/snap/microk8s/common/sideload")
            default_route(machine)
            install(machine)
        ready("head")

    def url(self, more: str = "") -> str:
        return json.loads(on("head", f"microk8s add-node --format json {more}").out)["urls"][0]

    def test_01_add_node(self):
        """json: `{"token": "T/C", "urls": ["IP:25000/T/C", …]}` indent 2; token <32 chars: `Invalid token size.  It must be 32 characters long.` rc 1; CHECK = first 12 hex of sha256(DER server.crt)"""
        check = on("head", "openssl x509 -outform DER -in /var/snap/microk8s/current/certs/server.crt | sha256sum").out[:12]
        found = json.loads(on("head", f"microk8s add-node --format json -t {'a' * 32}").out)
        self.assertEqual(found, {"token": f"{'a' * 32}/{check}", "urls": [f"10.99.0.2:25000/{'a' * 32}/{check}"]})
        self.says(on("head", "microk8s add-node -t short"), 1, "Invalid token size.  It must be 32 characters long.\n")
        pretty = on("head", "microk8s add-node").out.splitlines()
        self.assertEqual(pretty[0], "From the node you wish to join to this cluster, run the following:")
        self.assertRegex(pretty[1], r"^microk8s join 10\.99\.0\.2:25000/[0-9a-f]{32}/[0-9a-f]{12}$")
        self.assertRegex(on("head", "microk8s add-node --format token").out, r"^[0-9a-f]{32}\n$")

    def test_02_misformed(self):
        """bad form: `Invalid connection: Expected format: …` | `Invalid master IP` | … ; rc 1."""
        token = "a" * 32
        for connection, text in {
            "nonsense": "Invalid connection: Expected format: <master_IP>:<master_PORT>/<token>[/<fingerprint>]\n",
            f"head:25000/{token}": "Invalid master IP\n",
            f"10.99.0.2:x/{token}": "Master PORT not a number\n",
            f"10.99.0.2:70000/{token}": "Master PORT not in range 1:65535\n",
            "10.99.0.2:25000/short": "Cluster token size should be at least 32 bytes\n",
            f"10.99.0.2:25000/{token}/abc": "Fingerprint should be at least 12 bytes\n",
        }.items():
            self.says(on("worker1", f"microk8s join {connection} --worker"), 1, text)

    def test_03_wrong_server(self):
        """wrong cert: `Joining cluster failed. Could not verify the identity of IP. Use '--skip-verify' …` rc 4."""
        answer = on("worker1", f"microk8s join 10.99.0.2:25000/{'b' * 32}/000000000000 --worker")
        self.says(answer, 4, "Contacting cluster at 10.99.0.2\nJoining cluster failed. Could not verify the identity of 10.99.0.2. "
                             "Use '--skip-verify' to skip server certificate check.\n")

    def test_04_nobody_there(self):
        """Connection refused/timeout: uncaught Python traceback (`ConnectionRefusedError`…), rc 1"""
        answer = on("worker1", f"microk8s join 10.99.0.2:25001/{'b' * 32} --worker")
        self.assertEqual(answer.code, 1)
        self.assertIn("Traceback", answer.err)
        self.assertIn("ConnectionRefusedError", answer.err)

    def test_05_wrong_token(self):
        """server refuses: `Connection failed. Invalid token (500).` rc 6"""
        self.says(on("worker1", f"microk8s join 10.99.0.2:25000/{'b' * 32} --worker"), 6,
                  "Contacting cluster at 10.99.0.2\nConnection failed. Invalid token (500).\n")

    def test_06_expired_token(self):
        """TTL>0 = reusable until expiry (line `token|unixtime` in cluster-tokens.txt)"""
        url = self.url("--token-ttl 1")
        self.assertRegex(on("head", "tail -1 /var/snap/microk8s/current/credentials/cluster-tokens.txt").out, r"^[0-9a-f]{32}\|\d+$")
        time.sleep(2)
        self.assertEqual(on("worker1", f"microk8s join {url} --worker").code, 6)

    def test_07_join(self):
        """worker success (rc 0): blank, `The node has joined the cluster and will appear in the nodes list in a few seconds.` … `Successfully joined the cluster.`; args/kubelet replaced"""
        on("worker1", "echo --max-pods=33 >>/var/snap/microk8s/current/args/kubelet")
        url = self.url()
        answer = on("worker1", f"microk8s join {url} --worker")
        self.assertEqual(answer.code, 0, answer.out + answer.err)
        self.assertTrue(answer.out.startswith("Contacting cluster at 10.99.0.2\n\nThe node has joined the cluster and will appear"), answer.out)
        self.assertTrue(answer.out.endswith("\nSuccessfully joined the cluster.\n"))
        kubelet = on("worker1", "cat /var/snap/microk8s/current/args/kubelet").out
        self.assertNotIn("--max-pods", kubelet)
        self.assertIn("--client-ca-file=${SNAP_DATA}/certs/ca.remote.crt\n", kubelet)
        self.assertIn("--node-labels=microk8s.io/cluster=true,node.kubernetes.io/microk8s-worker=microk8s-worker\n", kubelet)
        self.assertTrue(until(lambda: " Ready " in on("head", "microk8s kubectl get node worker1").out, 90))
        # "TTL default -1 = single use, … consumed even if the join later fails"
        self.assertNotIn(url.split("/")[1], on("head", "cat /var/snap/microk8s/current/credentials/cluster-tokens.txt").out)
        # "The very first join moves dqlite from 127.0.0.1 to the host IP …, patches Calico to can-reach, creates no-cert-reissue."
        self.assertIn("10.99.0.2:19001", on("head", "microk8s status").out)
        self.assertIn('"can-reach=10.99.0.11"', on("head", "cat /var/snap/microk8s/current/args/cni-network/cni.yaml").out)
        self.assertEqual(on("head", "test -e /var/snap/microk8s/current/var/lock/no-cert-reissue").code, 0)

    def test_08_worker_says_and_succeeds(self):
        """`microk8s status|kubectl|helm|helm3|config` on a WORKER print a text and exit **0**."""
        self.says(on("worker1", "microk8s status --wait-ready"), 0, "This MicroK8s deployment is acting as a node in a cluster.\nPlease use the control plane node.\n")
        for command, word in {"kubectl get nodes": "kubectl", "helm list": "helm", "helm3 list": "helm", "config": "config"}.items():
            self.says(on("worker1", f"microk8s {command}"), 0, f"This MicroK8s deployment is acting as a node in a cluster. Please use the microk8s {word} on the master.\n")
        self.says(on("worker1", "microk8s enable dns"), 1, "This MicroK8s deployment is acting as a node in a cluster.\nPlease use the master node.\n")
        self.says(on("worker1", "microk8s add-node"), 1)
        self.says(on("worker1", "microk8s start"), 0)
        self.assertIn("docker.io/calico/node:v3.25.1", on("worker1", "microk8s ctr image ls -q").out)  # ctr works on workers

    def test_09_worker_import(self):
        """images import on a worker: the kubectl text isn't JSON ⇒ traceback rc 1"""
        answer = on("worker1", "echo x >/tmp/x.tar; microk8s images import /tmp/x.tar")
        self.assertEqual(answer.code, 1)
        self.assertIn("Traceback", answer.err)

    def test_10_import_reaches_all(self):
        """`images import` uploads to all nodes"""
        on("worker1", "microk8s ctr image rm docker.io/library/busybox:1.28.4")
        answer = on("head", "microk8s images import /var/snap/microk8s/common/sideload/busybox-1.28.4.tar")
        self.assertEqual(sorted(answer.out.splitlines()), ["Pushing OCI images to 10.99.0.11:25000", "Pushing OCI images to 10.99.0.2:25000"])
        self.assertIn("docker.io/library/busybox:1.28.4", on("worker1", "microk8s ctr image ls -q").out)

    def test_11_pods_meet(self):
        """Pods of two nodes reach each other, and names resolve on the worker"""
        self.assertTrue(until(lambda: on("head", "microk8s kubectl get ds -n kube-system calico-node -o jsonpath={.status.numberReady}").out == "2", 60))
        self.assertIn("10.152.183.10", asked_in_a_pod("kube-dns.kube-system.svc.cluster.local", {"nodeName": "worker1"}))

    def test_12_logs_from_worker(self):
        """kubelet certificates signed by the control plane: the API reaches the worker's kubelet"""
        name = on("head", "microk8s kubectl get pod -n kube-system -l k8s-app=calico-node --field-selector spec.nodeName=worker1 -o name").out.strip()
        self.says(on("head", f"microk8s kubectl logs -n kube-system {name}"), 0)

    def test_13_leave(self):
        """Worker: `Configuring services.` / `Generating new cluster certificates.` / `Waiting for node to start.  ` rc 0; resets args/kubelet; the Node stays until remove-node"""
        answer = on("worker1", "microk8s leave")
        self.assertEqual(answer.code, 0)
        self.assertTrue(answer.out.startswith("Configuring services.\nGenerating new cluster certificates.\nWaiting for node to start.  "), answer.out)
        self.assertIn("microk8s-controlplane", on("worker1", "cat /var/snap/microk8s/current/args/kubelet").out)
        self.assertIn("worker1", on("head", "microk8s kubectl get nodes").out)
        self.says(on("worker1", "microk8s leave"), 1, "This MicroK8s deployment is not acting as a node in a cluster.\n")

    def test_14_remove_node(self):
        """remove-node: no arg …; 2nd arg ≠ --force …; unknown: kubectl's NotFound on stderr + `Node X does not exist in Kubernetes.` rc 1; control plane without --force refused; success: silent, rc 0"""
        self.says(on("head", "microk8s remove-node"), 1, "Please provide the node you want to remove.\n")
        self.says(on("head", "microk8s remove-node worker1 now"), 1, "Please provide the node and the optional --force flag.\n")
        answer = on("head", "microk8s remove-node ghost")
        self.says(answer, 1, "Node ghost does not exist in Kubernetes.\n")
        self.assertIn("NotFound", answer.err)
        answer = on("head", "microk8s remove-node head")
        self.assertEqual(answer.code, 1)
        self.assertTrue(answer.out.startswith("Removal failed. Node head is registered with dqlite."))
        self.says(on("head", "microk8s remove-node worker1"), 0, "", "")
        self.assertNotIn("worker1", on("head", "microk8s kubectl get nodes").out)

    def test_15_one_more_control_plane(self):
        """control-plane success: `Waiting for this node to finish joining the cluster. .. .. ` newline `Successfully joined the cluster.`; 2 control planes: no HA"""
        answer = on("worker1", f"microk8s join {self.url()}", 180)
        self.assertEqual(answer.code, 0, answer.out + answer.err)
        self.assertTrue(answer.out.endswith("\nSuccessfully joined the cluster.\n"), answer.out)
        self.assertTrue(until(lambda: " Ready " in on("worker1", "microk8s kubectl get node worker1").out, 90))
        self.assertTrue(on("worker1", "microk8s status").out.startswith(
            "microk8s is running\nhigh-availability: no\n  datastore master nodes: 10.99.0.11:19001 10.99.0.2:19001\n"))
        answer = on("worker1", "microk8s leave", 180)
        self.assertEqual(answer.code, 0, answer.out + answer.err)
        self.says(on("head", "microk8s remove-node worker1"), 0)


    def test_16_join_by_configuration(self):
        """persistentClusterToken lets workers join with a fixed, reusable token; join{url: "IP:25000/TOKEN[/HASH]", worker: bool}"""
        token = "0123456789abcdef" * 2
        on("head", f"""snap set microk8s config="$(printf 'version: 0.2.0\\npersistentClusterToken: {token}\\n')" """)
        self.assertTrue(until(lambda: token in on("head", "cat /var/snap/microk8s/current/credentials/persistent-cluster-tokens.txt").out, 30))
        on("worker1", f"""snap set microk8s config="$(printf 'version: 0.2.0\\njoin:\\n  url: 10.99.0.2:25000/{token}\\n  worker: true\\n')" """)
        ready = until(lambda: " Ready " in on("head", "microk8s kubectl get node worker1").out, 300)
        self.assertTrue(ready, on("head", "microk8s kubectl describe node worker1").out
                        + on("worker1", "snap changes; journalctl -u 'snap.microk8s.*' --no-pager | tail -20").out)


class Test4NoDefaultRoute(Stage):
    """What happens to a site that has no default route and no images."""

    @classmethod
    def setUpClass(cls):
        lab("up", "--workers", "2")
        lab("reset", "worker2")
        carry_snaps("worker2")

    def test_01_never_ready(self):
        """No default route ⇒ containerd/kubelite only warn after 10 s; API unreachable; not ready → rc **1**"""
        lab("exec", "worker2", "--", "mkdir", "/var/lib/kubelet")
        install("worker2")
        answer = on("worker2", "microk8s status --wait-ready --timeout 20")
        self.says(answer, 1, "microk8s is not running. Use microk8s inspect for a deeper inspection.\n")
        self.assertIn("No default route exists", on("worker2", "journalctl -o cat -u snap.microk8s.daemon-containerd").out)

    def test_02_folder_in_the_way(self):
        """real dir /var/lib/kubelet existed before install: the symlink is not made"""
        self.assertEqual(on("worker2", "test -L /var/lib/kubelet").code, 1)

    def test_03_address_of_nowhere(self):
        """`get_default_ip` … misbehaves without a default route: add-node offers 127.0.0.1"""
        self.assertIn("microk8s join 127.0.0.1:25000/", on("worker2", "microk8s add-node").out)

    def test_04_pause_is_missing(self):
        """pods stuck ContainerCreating: pull of registry.k8s.io/pause fails; calico-node never ready ⇒ NotReady"""
        default_route("worker2")
        self.assertTrue(until(lambda: "calico-node" in on("worker2", "microk8s kubectl get pods -n kube-system").out, 120))
        self.assertTrue(until(lambda: "registry.k8s.io/pause:3.7" in on("worker2", "microk8s kubectl get events -n kube-system").out, 60))
        self.assertIn("NotReady", on("worker2", "microk8s kubectl get nodes").out)
        text = on("worker2", "microk8s status --format yaml").out
        self.assertIn("  running: False\n", text)
        self.assertIn("  message: microk8s is not running.", text)


if __name__ == "__main__":
    unittest.main(verbosity=2)
