#!/usr/bin/python3
"""Three bare machines become nodes over SSH, two users work on two of them, days go wrong, and nodes leave. Run as root."""
import functools
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import harness  # noqa: E402 (the path comes first)
from harness import DONE, FAILED, LAB, LOCKED, PREFLIGHT, RECORD, WRONG_INPUT, WRONG_USAGE, Machine, wait_until  # noqa: E402

SOME_NODES = 5
INVENTORY = "/etc/jhub/inventory.yaml"
TOKENS = "/var/snap/microk8s/current/credentials/cluster-tokens.txt"
head = Machine()
NAMES = ["worker1", "worker2", "worker3"]
workers = {name: Machine(name) for name in NAMES}
ADDRESSES = {name: f"10.99.0.1{number}" for number, name in enumerate(NAMES, 1)}


def add(*words, **options):
    """`add-node`; how fast the disk of this computer is, is not what is tried here."""
    return head.program("add-node", *words, "--allow-unsigned", "--ignore", "disk.fsync", **options)


@functools.cache
def host_key(name):
    """As the machine itself says it."""
    line = workers[name].out("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub")
    return line.split()[1]


def with_keys(*names):
    return [ADDRESSES[name] for name in names] + [word for name in names for word in ("--host-key", host_key(name))]


def views():
    """What `nodes` says, by name."""
    lines = head.program("nodes", "--json").stdout.splitlines()
    return {view["node"]: view for view in map(json.loads, lines)}


def nodes():
    """The cluster's nodes by name: whether each is ready."""
    return {node["metadata"]["name"]: any(c["type"] == "Ready" and c["status"] == "True" for c in node["status"]["conditions"])
            for node in head.get("nodes")}


def bare(name):
    """The machine as it was delivered; its host key is a new one. It has a disk of its own: the lab's kubelet heeds no pin,
    and on a disk of this computer that is nearly full it would collect the images."""
    workers[name].reset("12G")
    host_key.cache_clear()
    answers(name)


def answers(name):
    """Waits until the head can speak to it: a machine that was made anew has another card, and the head takes its time to
    look for it."""
    wait_until(lambda: head.program("nodes", "scan", ADDRESSES[name]).status == DONE, f"{name} to answer the head", 90)


@functools.cache
def all_three():
    """One command, three machines: its result."""
    return add(*with_keys(*NAMES), check=DONE)


def setUpModule():
    harness.up(workers=3)
    head.prepare()
    for name in NAMES:
        bare(name)
    head.install("--yes", check=DONE)
    head.run("install -d -m 700 /root/.ssh")
    head.copy(f"/var/lib/jhub-lab/{harness.ID}/id_ed25519", "/root/.ssh/id_ed25519")


class ScanTests(unittest.TestCase):
    def test_it_prints_what_the_machine_itself_says(self):
        lines = head.program("nodes", "scan", ADDRESSES["worker1"], check=DONE).stdout.splitlines()
        self.assertIn([ADDRESSES["worker1"], host_key("worker1"), "ssh-ed25519"], [line.split() for line in lines])

    def test_a_key_that_nobody_pinned_stops_and_is_shown(self):
        result = add(ADDRESSES["worker1"], check=PREFLIGHT)
        self.assertIn(host_key("worker1"), result.stdout)
        self.assertFalse(workers["worker1"].exists("/var/lib/jhub"))


class JoinTests(unittest.TestCase):

    def test_one_command_joins_all_three(self):
        result = all_three()
        print(f"three workers: {result.seconds:.1f} s", file=sys.stderr)
        self.assertEqual(nodes(), {"head": True, **{name: True for name in NAMES}})
        for node in head.get("nodes"):
            name = node["metadata"]["name"]
            if name in NAMES:
                self.assertEqual(node["metadata"]["labels"].get("node-role.kubernetes.io/worker"), "")
                self.assertIn({"type": "InternalIP", "address": ADDRESSES[name]}, node["status"]["addresses"])

    def test_a_second_run_changes_nothing(self):
        all_three()
        before = head.record(), {name: machine.files() for name, machine in workers.items()}
        result = add(check=DONE)
        print(f"a second run: {result.seconds:.1f} s", file=sys.stderr)
        self.assertEqual(re.findall(r"^(worker\d) +done +everything stands as it should$", result.stdout, re.M), NAMES)
        self.assertEqual((head.record(), {name: machine.files() for name, machine in workers.items()}), before)

    def test_nodes_agree(self):
        all_three()
        result = head.program("nodes", check=DONE)
        self.assertEqual([line.split()[0] for line in result.stdout.splitlines()], ["NODE", "head", *NAMES])
        for name in NAMES:
            self.assertEqual((views()[name]["cluster"], views()[name]["inventory"], views()[name]["machine"]),
                             ("ready", "listed", "joined"))

    def test_each_finds_each_by_name(self):
        all_three()
        for machine in [head, *workers.values()]:
            for name, address in {"head": harness.ADDRESS, **ADDRESSES}.items():
                self.assertEqual(machine.out(["getent", "ahostsv4", name]).split()[0], address, machine.name)

    def test_the_images_lie_on_every_worker(self):
        all_three()
        names = {line.split()[0] for line in head.out("/snap/bin/microk8s ctr images ls -q").splitlines()
                 if "sha256:" not in line}
        for machine in workers.values():
            there = {line.split()[0] for line in machine.out("/snap/bin/microk8s ctr images ls -q").splitlines()}
            self.assertEqual(names - there, set(), machine.name)

    def test_the_head_has_nothing_to_do(self):
        all_three()
        wait_until(lambda: head.program("plan", "--check").status == DONE, "a plan that is empty", 60)

    def test_kubelets_have_our_settings(self):
        all_three()
        for name, machine in workers.items():
            arguments = machine.read("/var/snap/microk8s/current/args/kubelet").split()
            for argument in (f"--node-ip={ADDRESSES[name]}", "--cluster-dns=10.152.183.10", "--cluster-domain=cluster.local"):
                self.assertIn(argument, arguments)

    def test_no_token_is_left_and_none_was_written_down(self):
        all_three()
        self.assertEqual(head.out(f"cat {TOKENS} 2>/dev/null || true"), "")
        self.assertEqual(head.out(f"grep -rlE '25000/[0-9a-f]{{32}}' {RECORD} /var/log/jhub || true"), "")

    def test_nothing_that_was_carried_is_left(self):
        all_three()
        for machine in workers.values():
            self.assertFalse(machine.exists("/var/lib/jhub/carried"), machine.name)

    def test_two_users_work_on_two_workers(self):
        all_three()
        placed = {}
        with tempfile.NamedTemporaryFile("w") as file:
            file.write("a long password of ana")
            file.flush()

            def ana(*words):
                return harness.outside(LAB / "client/user.py", "--url", harness.URL, "--user", "ana", "--password-file",
                                       file.name, *words, check=True, timeout=400)
            ana("signup")
            head.user("authorize", "ana")
            self.place({"admin1": ("worker1", head.user), "ana": ("worker2", ana)}, placed)
        self.assertEqual(placed, {"admin1": "worker1", "ana": "worker2"})

    def place(self, users, placed):
        """Each has a server on the one node that takes any."""
        try:
            for user, (node, act) in users.items():
                for name in ["head", *NAMES]:
                    head.kubectl("uncordon" if name == node else "cordon", name, check=False)
                self.assertRegex(act("demo").stdout, rf"cell +42 from jupyter-{user}")
                placed[user] = head.get("pod", f"jupyter-{user}", "jhub")["spec"]["nodeName"]
        finally:
            for name in ["head", *NAMES]:
                head.kubectl("uncordon", name, check=False)


def away(name):
    """The machine is no node, and bare."""
    if name in nodes():
        head.program("remove-node", name, "--yes", "--wipe", "--force")
    bare(name)


def traces(machine):
    """What a node leaves on a machine: compared before it came and after it went."""
    script = """
        systemctl list-units --all --plain --no-legend --type=service,mount,socket | awk '{ print "unit", $1 }' |
            grep -vE 'unit (systemd-|user@|user-|run-user|session|lab-)' || true
        ip -oneline link | awk '{ print "link", $2 }'
        iptables-save | grep -E '^(-A|:KUBE|:cali|:CNI)' || true
        findmnt --raw --noheadings --output TARGET | grep -v '^/run/user' | sed 's/^/mount /'
        cat /etc/passwd /etc/group
        find /var/lib/jhub /var/lib/jhub-kept /srv /opt /var/lib/kubelet /var/lib/calico /etc/cni /var/snap -maxdepth 2 2>/dev/null || true
    """
    return set(machine.out(script).splitlines()), machine.files()


def began(change, run):
    """Waits until the record says that this was begun, while `run` is at work."""
    def asked():
        assert run.poll() is None, run.communicate()
        return any(change in line["change"] and line["result"] == "began" for line in head.record()[known:])
    known = len(head.record())
    return lambda: wait_until(asked, f"'{change}' to begin", 240, 0.2)


def start(*words):
    """`add-node` in the background."""
    return subprocess.Popen(
        [harness.CLONE / "scripts/lab", "exec", "head", "--", "env", "-C", "/root", harness.PROGRAM, "add-node", *words,
         "--allow-unsigned", "--ignore", "disk.fsync"], env={**os.environ, "JHUB_LAB_ID": harness.ID}, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


class RefusedTests(unittest.TestCase):
    """Days on which nothing is changed, neither on the machine nor in the cluster."""

    @classmethod
    def setUpClass(cls):
        all_three()
        away("worker3")
        cls.machine = workers["worker3"]

    def refused(self, words, *said, status=PREFLIGHT):
        before = self.machine.files(), nodes(), head.read(INVENTORY)
        result = add(*words, check=status)
        for text in said:
            self.assertIn(text, result.stdout)
        self.assertEqual((self.machine.files(), nodes(), head.read(INVENTORY)), before)
        return result

    def spoil(self, script, mend):
        self.machine.run(script)
        self.addCleanup(self.machine.run, mend)

    def test_a_wrong_password(self):
        self.spoil("useradd --create-home --shell /bin/bash ana; echo ana:right | chpasswd", "userdel --force --remove ana")
        head.write("/root/password", "wrong\n", mode="600")
        self.refused(["ana@" + ADDRESSES["worker3"], "--host-key", host_key("worker3"), "--password-file", "/root/password"],
                     "could not log in")

    def test_a_user_who_may_not_become_root(self):
        self.spoil("useradd --create-home --shell /bin/bash ana; echo ana:right | chpasswd", "userdel --force --remove ana")
        head.write("/root/password", "right\n", mode="600")
        self.refused(["ana@" + ADDRESSES["worker3"], "--host-key", host_key("worker3"), "--sudo", "--password-file",
                      "/root/password"], "sudo")

    def test_another_host_key_than_the_pinned(self):
        self.refused([ADDRESSES["worker3"], "--host-key", host_key("worker1")], host_key("worker1"), host_key("worker3"))

    def test_a_machine_that_is_off_and_one_that_is_well(self):
        self.machine.power("off")
        try:
            result = add(ADDRESSES["worker1"], ADDRESSES["worker3"], "--host-key", host_key("worker1"),
                         "--host-key", host_key("worker2"), check=SOME_NODES)
        finally:
            self.machine.power("on")
            answers("worker3")
        self.assertRegex(result.stdout, r"worker1 +done +everything stands as it should")
        self.assertRegex(result.stdout, r"10\.99\.0\.13 +connect")
        self.assertIn("next: ", result.stdout)

    def test_the_head_itself(self):
        key = head.out("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub").split()[1]
        self.refused([harness.ADDRESS, "--host-key", key], "node.head: it is the head")

    def test_the_name_of_another_node(self):
        self.spoil("hostname worker1", "hostname worker3")
        self.refused(with_keys("worker3"), "node.unique: 10.99.0.11 is called worker1, too")

    def test_the_machine_id_of_another_node(self):
        other = workers["worker1"].read("/etc/machine-id")
        own = self.machine.read("/etc/machine-id")
        self.machine.write("/etc/machine-id", other)
        self.addCleanup(self.machine.write, "/etc/machine-id", own)
        self.refused(with_keys("worker3"), "node.unique: machine-id", "worker1")

    def test_a_clock_ten_minutes_ahead(self):
        script = "#!/bin/sh\nexec /usr/bin/date --date='10 minutes' \"$@\"\n"
        self.machine.write("/usr/local/bin/date", script, mode="755")
        self.addCleanup(self.machine.run, "rm /usr/local/bin/date")
        self.assertRegex(self.refused(with_keys("worker3")).stdout, r"time\.skew: (600|599|601) s ahead")

    def test_another_kubernetes(self):
        self.spoil("systemd-run --quiet --unit k3s sleep infinity", "systemctl stop k3s")
        self.refused(with_keys("worker3"), "os.existing_k8s: k3s")

    def test_a_cluster_agent_that_is_down(self):
        head.run("snap stop microk8s.daemon-cluster-agent")
        self.addCleanup(head.run, "snap start microk8s.daemon-cluster-agent")
        self.refused(with_keys("worker3"), "net.to_head: nothing listens at 10.99.0.2:25000")

    def test_a_firewall_on_the_way(self):
        self.spoil("iptables -A INPUT -p tcp --dport 10250 -j DROP", "iptables -D INPUT -p tcp --dport 10250 -j DROP")
        self.refused(with_keys("worker3"), "net.from_head: 10.99.0.13:10250: no answer within 5 s")

    def test_an_inventory_with_faults(self):
        head.write("/root/bad.yaml", "nodes:\n- {name: Worker, adress: 10.0.0.1}\n", mode="644")
        result = add("--inventory", "/root/bad.yaml", check=WRONG_INPUT)
        self.assertIn("/root/bad.yaml:2: a node has no key 'adress'; is address meant?", result.stderr)
        self.assertIn("/root/bad.yaml:2: name: 'Worker' has capitals", result.stderr)

    def test_words_that_make_no_sense(self):
        for words in (["10.0.0.1:0"], ["10.0.0.1", "--host-key", "SHA256:x"], ["10.0.0.1", "--label", "x"],
                      ["10.0.0.1", "10.0.0.2", "--host-key", host_key("worker1")], ["10.0.0.1", "--parallel", "0"]):
            add(*words, check=WRONG_USAGE)


class BrokenOffTests(unittest.TestCase):
    """Days on which something ends in the midst of it; the next run finishes."""

    def setUp(self):
        all_three()
        away("worker3")
        self.machine = workers["worker3"]

    def finish(self):
        wait_until(lambda: add(*with_keys("worker3")).status == DONE, "the next run to finish", 400, 5)
        self.assertEqual(nodes(), {"head": True, **{name: True for name in NAMES}})
        self.assertEqual(head.program("nodes").status, DONE)
        self.assertEqual(head.out(f"cat {TOKENS} 2>/dev/null || true"), "")

    def test_the_worker_is_killed_in_mid_join(self):
        run = start(*with_keys("worker3"))
        began("join worker3", run)()
        self.machine.power("kill")
        said, _ = run.communicate(timeout=400)
        self.assertEqual(run.returncode, FAILED, said)
        self.assertNotIn("worker3", head.read(INVENTORY))
        self.assertEqual(head.out(f"cat {TOKENS} 2>/dev/null || true"), "")
        self.machine.power("on")
        answers("worker3")
        self.finish()

    def test_the_head_is_killed_in_mid_join_and_two_runs_exclude_each_other(self):
        run = start(*with_keys("worker3"))
        wait = began("join worker3", run)
        wait()
        add(*with_keys("worker3"), check=LOCKED)
        head.run("pkill -KILL -f 'jhub-install add-node'", check=False)
        run.communicate(timeout=60)
        self.finish()

    def test_the_cable_is_cut_in_the_midst_of_the_images(self):
        run = start(*with_keys("worker3"))
        began("load quay.io/jupyterhub/k8s-hub", run)()
        self.machine.run("ip link set eth0 down")
        said, _ = run.communicate(timeout=400)
        self.assertEqual(run.returncode, FAILED, said)
        self.assertRegex(said, r"worker3 +images")
        self.machine.run("ip link set eth0 up; networkctl reconfigure eth0", check=False)
        self.finish()


class RemovalTests(unittest.TestCase):
    def test_a_machine_is_as_it_was_before(self):
        all_three()
        away("worker3")
        machine = workers["worker3"]
        before = traces(machine)
        add(*with_keys("worker3"), check=DONE)
        head.program("remove-node", "worker3", "--yes", check=DONE)
        after = traces(machine)
        # The copies that groupadd and groupdel keep of what was before them.
        backups = ["changed: /etc/group-", "changed: /etc/gshadow-", "new: /etc/group-", "new: /etc/gshadow-"]
        self.assertEqual([name for name in harness.difference(before[1], after[1]) if name not in backups], [])
        self.assertEqual(before[0] ^ after[0], set())
        self.assertEqual(set(nodes()), {"head", "worker1", "worker2"})
        self.assertNotIn("worker3", head.read(INVENTORY))
        self.assertNotIn("worker3", head.read("/etc/hosts"))
        self.assertNotIn("worker3", workers["worker1"].read("/etc/hosts"))

    def test_a_node_with_a_users_server_is_not_removed_unasked(self):
        all_three()
        for name in ["head", "worker1", "worker3"]:
            head.kubectl("cordon", name, check=False)
        try:
            head.user("spawn", name="admin1")
        finally:
            for name in ["head", "worker1", "worker3"]:
                head.kubectl("uncordon", name, check=False)
        node = head.get("pod", "jupyter-admin1", "jhub")["spec"]["nodeName"]
        result = head.program("remove-node", node, check=FAILED)
        self.assertIn(f"{node} runs the server of admin1", result.stdout)
        self.assertTrue(nodes()[node])
        head.program("remove-node", node, "--yes", check=DONE)
        self.assertNotIn(node, nodes())
        self.assertIsNone(head.get("pod", "jupyter-admin1", "jhub"))
        self.assertTrue(workers[node].exists("/var/lib/jhub-kept"), "the home of admin1 lay there")
        add(*with_keys(node), check=DONE)

    def test_a_dead_node_goes_by_force_and_is_cleaned_up_later(self):
        all_three()
        if "worker3" not in nodes():
            bare("worker3")
            add(*with_keys("worker3"), check=DONE)
        workers["worker3"].power("kill")
        refused = head.program("remove-node", "worker3", "--yes", check=FAILED)
        self.assertIn("--force", refused.stderr)
        head.program("remove-node", "worker3", "--yes", "--force", check=SOME_NODES)
        self.assertNotIn("worker3", nodes())
        self.assertIn("cleans it up", head.program("nodes", check=FAILED).stdout)
        workers["worker3"].power("on")
        answers("worker3")
        head.program("remove-node", "worker3", "--yes", check=DONE)
        self.assertEqual(head.program("nodes", check=DONE).stdout.count("worker"), 2)
        self.assertFalse(workers["worker3"].exists("/snap/microk8s"))

    def test_strangers_and_the_head_are_no_nodes(self):
        self.assertIn("no node is called nobody", head.program("remove-node", "nobody", check=FAILED).stderr)
        self.assertIn("head is the head", head.program("remove-node", "head", check=FAILED).stderr)


class PowerCutTests(unittest.TestCase):
    def test_a_node_comes_back_after_its_power_was_cut(self):
        all_three()
        workers["worker1"].power("kill")
        workers["worker1"].power("on")
        wait_until(lambda: nodes().get("worker1"), "worker1 to be ready again", 240, 3)
        self.assertEqual(head.program("nodes").status, DONE)
        add(ADDRESSES["worker1"], check=DONE)


if __name__ == "__main__":
    unittest.main()
