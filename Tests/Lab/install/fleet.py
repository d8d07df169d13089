"""What the tests of nodes share: three workers beside the head, the commands about them, and what is seen on them."""
import functools
import json
import os
import subprocess

import harness
from harness import DONE, Machine, wait_until

SOME_NODES = 5
INVENTORY = "/etc/jhub/inventory.yaml"
# Who may join, and who that joins may have a certificate signed.
TOKENS, REQUESTS = [f"/var/snap/microk8s/current/credentials/{name}.txt" for name in ("cluster-tokens", "certs-request-tokens")]
# Of a user bob, who logs in with it and becomes root with it.
SECRET = "plum tortoise lantern 4711"
SECRET_FILE = "/root/bobs-password"
head = Machine()
NAMES = ["worker1", "worker2", "worker3"]
workers = {name: Machine(name) for name in NAMES}
ADDRESSES = {name: f"10.99.0.1{number}" for number, name in enumerate(NAMES, 1)}


def add(*words, **options):
    """`add-node`; how fast the disk of this computer is, is not what is tried here."""
    return head.program(*add_words(*words), **options)


def add_words(*words):
    return ["add-node", "--password-file", SECRET_FILE, *words, "--allow-unsigned", "--ignore", "disk.fsync"]


def remove(name, *words, **options):
    return head.program("remove-node", name, "--password-file", SECRET_FILE, *words, **options)


def listed(*words, **options):
    return head.program("nodes", "--password-file", SECRET_FILE, *words, **options)


@functools.cache
def host_key(name):
    """As the machine itself says it."""
    line = workers[name].out("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub")
    return line.split()[1]


def with_keys(*names):
    return [ADDRESSES[name] for name in names] + [word for name in names for word in ("--host-key", host_key(name))]


def nodes():
    """The cluster's nodes by name: whether each is ready."""
    return {node["metadata"]["name"]: any(c["type"] == "Ready" and c["status"] == "True" for c in node["status"]["conditions"])
            for node in head.get("nodes")}


def cluster():
    """All that a node that fails must leave as it is."""
    return nodes(), [head.run(["cat", path], check=False).stdout for path in (INVENTORY, "/etc/hosts", TOKENS, REQUESTS)]


def stands_as(before):
    """A busy computer's nodes may miss a heartbeat now and then."""
    def asked():
        now = cluster()
        assert now == before, f"{now} is not {before}"
        return True
    wait_until(asked, "the cluster to stand as before", 60)


def answers(name):
    """Waits until the head can speak to it: a machine that was made anew has another card, and the head takes its time to
    look for it."""
    wait_until(lambda: head.program("nodes", "scan", ADDRESSES[name]).status == DONE, f"{name} to answer the head", 90)


def traces(machine):
    """What a node leaves on a machine: compared before it came and after it went."""
    script = """
        systemctl list-units --all --plain --no-legend --type=service,mount,socket | awk '{ print "unit", $1 }' |
            grep -vE 'unit (systemd-|user@|user-|run-user|session|lab-)' || true
        ip -oneline link | awk '{ print "link", $2 }'
        iptables-save | grep -E '^(-A|:KUBE|:cali|:CNI)' || true
        findmnt --raw --noheadings --output TARGET | grep -v '^/run/user' | sed 's/^/mount /'
        cat /etc/passwd /etc/group
        find /var/lib/jhub* /srv /opt /var/lib/kubelet /var/lib/calico /etc/cni /var/snap -maxdepth 2 2>/dev/null || true
    """
    return set(machine.out(script).splitlines()), machine.files()


# Leaves so many MiB of a worker's own disk.
FILL = "fill() { fallocate -l $(($(stat -f -c '%a * %S' /var/snap) - $1 * 1048576)) /var/snap/filler; }; fill"

# Which files and log lines hold one of the texts on the standard input, one a line.
SEARCH = f"""
    texts=$(cat)
    grep -rlaFs -D skip --exclude-dir offline-images -e "$texts" \\
        /etc /home /root /run /tmp /var/lib/jhub /var/log /var/snap/microk8s/current | grep -vx {SECRET_FILE}
    journalctl --quiet --no-pager -o cat | grep -aF -e "$texts" || true
"""


class Watch:
    """Looks again and again at each process of a machine: whose words or environment hold the password, or a token?"""

    SCRIPT = r"""
import json, os, re, select, sys

secret = re.compile(re.escape(sys.stdin.buffer.readline().strip()) + rb"|25000/[0-9a-f]{32}")
seen = set()
print("watches", flush=True)
while not select.select([sys.stdin], [], [], 0.05)[0]:
    for process in filter(str.isdigit, os.listdir("/proc")):
        for kind in ("cmdline", "environ"):
            try:
                with open(f"/proc/{process}/{kind}", "rb") as file:
                    words = file.read()
            except OSError:
                continue
            if secret.search(words):
                seen.add(kind + ": " + words.replace(b"\0", b" ").decode(errors="replace"))
print(json.dumps(sorted(seen)))
"""

    def __init__(self, machine):
        self.machine = machine
        self.seen = None

    def __enter__(self):
        self.process = subprocess.Popen(
            [harness.CLONE / "scripts/lab", "exec", self.machine.name, "--", "/usr/bin/python3", "-c", self.SCRIPT],
            env={**os.environ, "JHUB_LAB_ID": harness.ID}, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.process.stdin.write(SECRET + "\n")
        self.process.stdin.flush()
        self.process.stdout.readline()
        return self

    def __exit__(self, *_):
        self.seen = json.loads(self.process.communicate()[0])
