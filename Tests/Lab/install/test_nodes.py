#!/usr/bin/python3
"""Three bare machines become nodes over SSH, two users work on two of them, days go wrong, and nodes leave. Run as root."""
import contextlib
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
from harness import DONE, FAILED, LAB, LOCKED, PREFLIGHT, WRONG_INPUT, WRONG_USAGE, wait_until  # noqa: E402
from fleet import (  # noqa: E402
    ADDRESSES, FILL, INVENTORY, NAMES, SEARCH, SECRET, SECRET_FILE, SOME_NODES, TOKENS, Watch, add, add_words, answers,
    cluster, head, host_key, listed, nodes, remove, stands_as, traces, with_keys, workers)

# What was on a machine before it joined, and what the processes of each machine showed meanwhile.
bare, shown = {}, {}


@functools.cache
def all_three():
    """One command, three machines, one of them by a user who needs a password for the login and for sudo: its result."""
    workers["worker3"].run(f"useradd --create-home --groups sudo bob; echo 'bob:{SECRET}' | chpasswd")
    bare["worker3"] = traces(workers["worker3"])
    words = [word.replace(ADDRESSES["worker3"], "bob@" + ADDRESSES["worker3"]) for word in with_keys(*NAMES)]
    with contextlib.ExitStack() as stack:
        watches = [stack.enter_context(Watch(machine)) for machine in (head, *workers.values())]
        result = add(*words, "--sudo", check=DONE)
    shown.update((watch.machine.name, watch.seen) for watch in watches)
    return result


@functools.cache
def two_users():
    """Servers on the nodes named here, by user, each of which was placed on the one node that took any."""
    all_three()
    with tempfile.NamedTemporaryFile("w") as file:
        file.write("a long password of ana")
        file.flush()

        def ana(*words):
            return harness.outside(LAB / "client/user.py", "--url", harness.URL, "--user", "ana", "--password-file",
                                   file.name, *words, check=True, timeout=400)
        ana("signup")
        head.user("authorize", "ana")
        try:
            for node, act in {"worker1": head.user, "worker2": ana}.items():
                for name in ["head", *NAMES]:
                    head.kubectl("uncordon" if name == node else "cordon", name, check=False)
                act("demo")
        finally:
            for name in ["head", *NAMES]:
                head.kubectl("uncordon", name, check=False)
    return {user: head.get("pod", f"jupyter-{user}", "jhub")["spec"]["nodeName"] for user in ("admin1", "ana")}


def setUpModule():
    harness.up(workers=3)
    # Each has a disk of its own: the lab's kubelet heeds no pin, and on a disk of this computer that is nearly full it would
    # collect the images.
    head.prepare("12G")
    for machine in workers.values():
        machine.reset("12G")
    # A banner, and a login shell that talks: neither is an answer to anything.
    workers["worker2"].run("echo 'echo Welcome; echo No mail. >&2' >>/root/.bashrc; echo 'Be good.' >/etc/issue.net;"
                           "echo 'Banner /etc/issue.net' >/etc/ssh/sshd_config.d/banner.conf; systemctl reload ssh")
    if harness.KEEP and head.exists(INVENTORY):
        head.run(["rm", INVENTORY])
        head.kubectl("delete", "node", *nodes().keys() & set(NAMES))
    head.install("--yes", check=DONE)
    head.run("install -d -m 700 /root/.ssh")
    head.copy(f"/var/lib/jhub-lab/{harness.ID}/id_ed25519", "/root/.ssh/id_ed25519")
    head.write(SECRET_FILE, SECRET + "\n", mode="600")
    for name in NAMES:
        answers(name)


class RefusedTests(unittest.TestCase):
    """Days on which nothing is changed, neither on the machine nor in the cluster. The machines are bare."""

    @classmethod
    def setUpClass(cls):
        cls.machine = workers["worker3"]
        cls.address = ADDRESSES["worker3"]
        cls.cluster = cluster()

    def refused(self, words, *said):
        before = self.machine.files()
        result = add(*words, check=PREFLIGHT)
        for text in said:
            self.assertIn(text, result.stdout)
        self.assertIn("next: ", result.stdout)
        self.assertEqual(self.machine.files(), before)
        stands_as(self.cluster)
        return result

    def spoil(self, script, mend):
        self.addCleanup(self.machine.run, mend)
        self.machine.run(script)

    def bob(self):
        self.spoil(f"useradd --create-home bob; echo 'bob:{SECRET}' | chpasswd", "userdel --force --remove bob")
        return [f"bob@{self.address}", "--host-key", host_key("worker3")]

    def key(self, passphrase):
        """A key on the head that no machine knows."""
        head.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-f", "/root/other-key"])
        self.addCleanup(head.run, "rm /root/other-key*")
        return [*with_keys("worker3"), "--key", "/root/other-key"]

    def test_a_key_that_nobody_pinned(self):
        self.refused([self.address], host_key("worker3"))

    def test_another_host_key_than_the_pinned(self):
        self.refused([self.address, "--host-key", host_key("worker1")], host_key("worker1"), host_key("worker3"))

    def test_a_wrong_password(self):
        head.write("/root/wrong-password", "wrong\n", mode="600")
        self.refused([*self.bob(), "--password-file", "/root/wrong-password"],
                     "could not log in as bob: it refuses the key /root/.ssh/id_ed25519", "it refuses the password")

    def test_a_locked_key(self):
        self.refused(self.key("open sesame"), "the key /root/other-key is locked, and no passphrase was given")

    def test_a_key_that_is_refused(self):
        self.refused(self.key(""), "it refuses the key /root/other-key; its public half belongs into "
                                   "~root/.ssh/authorized_keys")

    def test_a_user_who_may_not_become_root(self):
        self.refused([*self.bob(), "--sudo"], "bob is not in the sudoers file")

    def test_the_head_itself(self):
        key = head.out("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub").split()[1]
        self.refused([harness.ADDRESS, "--host-key", key], "node.head: it is the head")

    def test_two_of_one_name(self):
        self.spoil("hostname worker2", "hostname worker3")
        said = self.refused(with_keys("worker2", "worker3")).stdout
        self.assertIn("node.unique: 10.99.0.12 is called worker2, too", said)
        self.assertIn("node.unique: 10.99.0.13 is called worker2, too", said)

    def test_two_of_one_machine_id(self):
        own = self.machine.read("/etc/machine-id")
        self.addCleanup(self.machine.write, "/etc/machine-id", own)
        self.machine.write("/etc/machine-id", workers["worker2"].read("/etc/machine-id"))
        said = self.refused(with_keys("worker2", "worker3")).stdout
        self.assertRegex(said, r"node\.unique: machine-id \w+ is also that of worker2 \(10\.99\.0\.12\)")
        self.assertRegex(said, r"node\.unique: machine-id \w+ is also that of worker3 \(10\.99\.0\.13\)")

    def test_a_clock_ten_minutes_ahead(self):
        script = "#!/bin/sh\nexec /usr/bin/date --date='10 minutes' \"$@\"\n"
        self.machine.write("/usr/local/bin/date", script, mode="755")
        self.addCleanup(self.machine.run, "rm /usr/local/bin/date")
        self.assertRegex(self.refused(with_keys("worker3")).stdout, r"time\.skew: (600|599|601) s ahead")

    def test_another_kubernetes(self):
        self.spoil("systemd-run --quiet --unit k3s sleep infinity", "systemctl stop k3s")
        self.refused(with_keys("worker3"), "os.existing_k8s: k3s")

    def test_a_disk_that_is_full(self):
        self.spoil(f"{FILL} 100", "rm /var/snap/filler")
        self.refused(with_keys("worker3"), "disk.snap_var: ")

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

    def test_what_scan_prints_is_what_the_machine_itself_says(self):
        lines = head.program("nodes", "scan", self.address, check=DONE).stdout.splitlines()
        self.assertIn([self.address, host_key("worker3"), "ssh-ed25519"], [line.split() for line in lines])


class JoinedTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        all_three()


class JoinTests(JoinedTests):
    def test_one_command_joins_all_three(self):
        print(f"three workers: {all_three().seconds:.1f} s", file=sys.stderr)
        self.assertEqual(nodes(), {"head": True, **{name: True for name in NAMES}})
        for node in head.get("nodes"):
            name = node["metadata"]["name"]
            if name in NAMES:
                self.assertEqual(node["metadata"]["labels"].get("node-role.kubernetes.io/worker"), "")
                self.assertIn({"type": "InternalIP", "address": ADDRESSES[name]}, node["status"]["addresses"])

    def test_one_of_them_greets_whoever_comes(self):
        said = head.run(["ssh", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", ADDRESSES["worker2"],
                         "true"])
        self.assertEqual(said.stdout, "Welcome\n")
        self.assertIn("Be good.\n", said.stderr)
        self.assertIn("No mail.\n", said.stderr)

    def test_a_second_run_changes_nothing(self):
        before = head.record(), {name: machine.files() for name, machine in workers.items()}
        result = add(check=DONE)
        print(f"a second run: {result.seconds:.1f} s", file=sys.stderr)
        self.assertEqual(re.findall(r"^(worker\d) +done +everything stands as it should$", result.stdout, re.M), NAMES)
        self.assertEqual((head.record(), {name: machine.files() for name, machine in workers.items()}), before)

    def test_nodes_agree(self):
        self.assertEqual([line.split()[0] for line in listed(check=DONE).stdout.splitlines()], ["NODE", "head", *NAMES])
        views = {view["node"]: view for view in map(json.loads, listed("--json", check=DONE).stdout.splitlines())}
        for name in NAMES:
            self.assertEqual([views[name][key] for key in ("cluster", "inventory", "machine")], ["ready", "listed", "joined"])

    def test_each_finds_each_by_name(self):
        for machine in [head, *workers.values()]:
            for name, address in {"head": harness.ADDRESS, **ADDRESSES}.items():
                self.assertEqual(machine.out(["getent", "ahostsv4", name]).split()[0], address, machine.name)

    def test_the_images_lie_on_every_worker(self):
        names = {line.split()[0] for line in head.out("/snap/bin/microk8s ctr images ls -q").splitlines()
                 if "sha256:" not in line}
        for machine in workers.values():
            there = {line.split()[0] for line in machine.out("/snap/bin/microk8s ctr images ls -q").splitlines()}
            self.assertEqual(names - there, set(), machine.name)

    def test_each_has_an_agent_of_its_own(self):
        token = head.read("/etc/jhub/agent/token")
        for name, machine in workers.items():
            answer = harness.outside("curl", "--silent", f"http://{ADDRESSES[name]}:9450/healthz", check=False)
            self.assertEqual(answer.stdout, "ok\n", name)
            self.assertEqual(machine.read("/etc/jhub/agent/token"), token, name)
            self.assertEqual(json.loads(machine.read("/etc/jhub/agent/cluster.json"))["node"], name)

    def test_the_head_has_nothing_to_do(self):
        wait_until(lambda: head.program("plan", "--check").status == DONE, "a plan that is empty", 60)

    def test_kubelets_have_our_settings(self):
        for name, machine in workers.items():
            arguments = machine.read("/var/snap/microk8s/current/args/kubelet").split()
            for argument in (f"--node-ip={ADDRESSES[name]}", "--cluster-dns=10.152.183.10", "--cluster-domain=cluster.local"):
                self.assertIn(argument, arguments)

    def test_nothing_that_was_carried_is_left(self):
        for machine in workers.values():
            self.assertFalse(machine.exists("/var/lib/jhub/carried"), machine.name)

    def test_nobody_sees_a_secret(self):
        self.assertEqual(shown["head"], [])
        tokens = set()
        for name in NAMES:
            # MicroK8s takes the token in no other way.
            joins = [re.fullmatch(r"cmdline: .*\bjoin(\.wrapper)? 10\.99\.0\.2:25000/(?P<token>\w{32})/.*", line)
                     for line in shown[name]]
            self.assertTrue(joins and all(joins), shown[name])
            tokens |= {join["token"] for join in joins}
        for machine in (head, *workers.values()):
            self.assertEqual(machine.out(["bash", "-c", SEARCH], stdin="\n".join({SECRET, *tokens})), "", machine.name)

    def test_two_users_work_on_two_workers(self):
        self.assertEqual(two_users(), {"admin1": "worker1", "ana": "worker2"})


class CleanTests(JoinedTests):
    def test_a_machine_that_leaves_is_as_it_was_before(self):
        before, machine = bare["worker3"], workers["worker3"]
        remove("worker3", "--yes", "--wipe", check=DONE)
        after = traces(machine)
        # The copies that groupadd and groupdel keep of what was before them.
        backups = ["changed: /etc/group-", "changed: /etc/gshadow-", "new: /etc/group-", "new: /etc/gshadow-"]
        self.assertEqual([name for name in harness.difference(before[1], after[1]) if name not in backups], [])
        self.assertEqual(before[0] ^ after[0], set())
        self.assertEqual(nodes(), {"head": True, "worker1": True, "worker2": True})
        for text in (head.read(INVENTORY), head.read("/etc/hosts"), workers["worker1"].read("/etc/hosts")):
            self.assertNotIn("worker3", text)
        # What its agent had in the cluster.
        for kind in ("serviceaccounts", "secrets"):
            self.assertIsNone(head.get(kind, "worker3", "jhub-agent"))


class BrokenOffTests(JoinedTests):
    """Days on which something ends in the midst of it. Each leaves the cluster as it was; the run after them all finishes."""

    def setUp(self):
        self.machine = workers["worker3"]
        if "worker3" in head.read(INVENTORY):
            remove("worker3", "--yes", check=DONE)
        self.cluster = cluster()

    def run_until(self, change):
        """`add-node`, which has just begun that change."""
        known = len(head.record())
        run = subprocess.Popen(
            [harness.CLONE / "scripts/lab", "exec", "head", "--", "env", "-C", "/root", harness.PROGRAM,
             *add_words(*with_keys("worker3"))], env={**os.environ, "JHUB_LAB_ID": harness.ID}, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.addCleanup(run.kill)

        def began():
            return any(change in line["change"] and line["result"] == "began" for line in head.record()[known:])
        wait_until(lambda: run.poll() is not None or began(), f"'{change}' to begin", 240, 0.2)
        if run.poll() is not None:
            self.fail(f"it ended before '{change}': {run.communicate()[0]}")
        return run

    def received(self):
        return json.loads(self.machine.out("ip -json -stats link show eth0"))[0]["stats64"]["rx"]["bytes"]

    def failed(self, run, line):
        said, _ = run.communicate(timeout=400)
        self.assertEqual(run.returncode, FAILED, said)
        self.assertRegex(said, line)
        self.assertIn("next: ", said)
        stands_as(self.cluster)

    def test_1_the_disk_is_full_in_the_midst_of_the_images(self):
        run = self.run_until("load quay.io/jupyterhub/k8s-hub")
        self.machine.run(f"{FILL} 20")
        self.addCleanup(self.machine.run, "rm /var/snap/filler")
        self.failed(run, r"(?m)^worker3 +images +.*no space left on device")

    def test_2_the_cable_is_slow_and_then_cut_in_the_midst_of_the_images(self):
        run = self.run_until("load quay.io/jupyterhub/k8s-hub")
        harness.outside(*"tc qdisc add dev ve-worker3 root tbf rate 1mbit burst 16k latency 1s".split(), check=True)
        self.addCleanup(harness.outside, *"tc qdisc delete dev ve-worker3 root".split())
        # More than that cable takes in the 30 s after which a silent machine is given up.
        enough = self.received() + 4_000_000
        wait_until(lambda: self.received() > enough, "4 MB to arrive", 120)
        add(*with_keys("worker3"), check=LOCKED)
        self.assertIsNone(run.poll())
        self.machine.run("ip link set eth0 down")
        self.addCleanup(self.machine.run, "ip link set eth0 up; networkctl reconfigure eth0")
        self.failed(run, r"(?m)^worker3 +images +")

    def test_3_the_token_has_expired(self):
        head.run(["systemd-run", "--quiet", "--unit", "late", "sh", "-c",
                  f"while :; do [ ! -s {TOKENS} ] || grep -q '|1$' {TOKENS} || sed -i 's/|.*/|1/' {TOKENS}; sleep 0.02; done"])
        self.addCleanup(head.run, "systemctl stop late")
        self.failed(self.run_until("join worker3"), r"(?m)^worker3 +join +.*Invalid token")

    def test_4_the_worker_is_killed_in_mid_join(self):
        run = self.run_until("join worker3")
        self.machine.power("kill")
        try:
            self.failed(run, r"(?m)^worker3 +join +")
        finally:
            self.machine.power("on")
            answers("worker3")

    def test_5_the_head_is_killed_in_mid_join(self):
        run = self.run_until("join worker3")
        head.run("pkill -KILL -f '[j]hub-install add-node'")
        run.communicate(timeout=60)

    def test_6_the_next_run_finishes(self):
        # What the killed one had started may still be at work, and is said to be.
        wait_until(lambda: add(*with_keys("worker3")).status == DONE, "the next run to finish", 400, 5)
        self.assertEqual(nodes(), {"head": True, **{name: True for name in NAMES}})
        listed(check=DONE)


class PowerCutTests(JoinedTests):
    def test_a_node_is_off_and_comes_back(self):
        workers["worker3"].power("kill")
        try:
            result = add(ADDRESSES["worker1"], ADDRESSES["worker3"], check=SOME_NODES)
            said = listed(check=FAILED).stdout
        finally:
            workers["worker3"].power("on")
            answers("worker3")
        self.assertRegex(result.stdout, r"(?m)^worker1 +done +everything stands as it should$")
        self.assertRegex(result.stdout, r"(?m)^worker3 +connect +.*could not connect")
        self.assertRegex(said, r"(?m)^worker3: cannot be reached: ")
        wait_until(lambda: nodes()["worker3"], "worker3 to be ready again", 240, 3)
        wait_until(lambda: listed().status == DONE, "all to agree", 60, 3)
        add(ADDRESSES["worker3"], check=DONE)


class LeavingTests(JoinedTests):
    def test_1_a_node_with_a_users_server_is_not_removed_unasked(self):
        node = two_users()["ana"]
        result = remove(node, check=FAILED)
        self.assertIn(f"{node} runs the server of ana", result.stdout)
        self.assertTrue(nodes()[node])
        self.assertIsNotNone(head.get("pod", "jupyter-ana", "jhub"))
        remove(node, "--yes", check=DONE)
        self.assertNotIn(node, nodes())
        self.assertIsNone(head.get("pod", "jupyter-ana", "jhub"))
        self.assertTrue(workers[node].exists("/var/lib/jhub-kept"), "the home of ana lay there")
        # Whoever works elsewhere notices nothing.
        self.assertEqual(head.user("cell", "print(6 * 7)").stdout, "42\n")

    def test_2_a_dead_node_goes_by_force_and_is_cleaned_up_later(self):
        workers["worker3"].power("kill")
        self.assertIn("--force", remove("worker3", "--yes", check=FAILED).stderr)
        remove("worker3", "--yes", "--force", check=SOME_NODES)
        self.assertNotIn("worker3", nodes())
        self.assertIn("worker3: removed while out of reach", listed(check=FAILED).stdout)
        workers["worker3"].power("on")
        answers("worker3")
        # Who it is and how to get there is not forgotten.
        said = head.program("nodes", "preflight", "worker3", "--password-file", SECRET_FILE).stdout
        self.assertRegex(said, r"(?s)^worker3 \(10\.99\.0\.13\)\n.*os\.cpu")
        remove("worker3", "--yes", check=DONE)
        self.assertNotIn("worker3", listed(check=DONE).stdout)
        self.assertFalse(workers["worker3"].exists("/snap/microk8s"))

    def test_3_the_last_one_goes(self):
        for name in sorted(nodes().keys() - {"head"}):
            remove(name, "--yes", check=DONE)
        self.assertEqual(nodes(), {"head": True})
        self.assertEqual([line.split()[0] for line in listed(check=DONE).stdout.splitlines()], ["NODE", "head"])
        wait_until(lambda: head.program("plan", "--check").status == DONE, "a plan that is empty", 60)
        head.user("login")

    def test_strangers_and_the_head_are_no_nodes(self):
        self.assertIn("no node is called nobody", remove("nobody", check=FAILED).stderr)
        self.assertIn("head is the head", remove("head", check=FAILED).stderr)


def load_tests(loader, _, __):
    """In the order that takes the fewest joins; each class brings about by itself what it needs."""
    classes = RefusedTests, JoinTests, CleanTests, BrokenOffTests, PowerCutTests, LeavingTests
    return unittest.TestSuite(map(loader.loadTestsFromTestCase, classes))


if __name__ == "__main__":
    unittest.main()
