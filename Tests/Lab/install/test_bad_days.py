#!/usr/bin/python3
"""Days on which things go wrong: the installer is killed or interrupted, the power fails, the disk is full, the cluster does
not come up. Each ends with the right exit status and one line that says why; nothing is lost, and the next run finishes.

One machine serves all of it. First it is installed in many attempts, each of them ended somewhere else; then what a user
has on it has to outlive the days that follow. Run as root."""
import functools
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import unittest
from typing import NamedTuple

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import harness  # noqa: E402 (the path comes first)
from harness import (BUNDLE, CLONE, CONFIG, DONE, FAILED, INTERRUPTED, LOCKED, PREFLIGHT, PROGRAM, URL,  # noqa: E402
                     Failed, Machine, difference, outside, wait_until)

head = Machine()
RUN = "/run/until.py"
LOCK = "/run/jhub/install.lock"
STORE = "/srv/jhub/storage"
FAKETIME = pathlib.Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")
HUB = "quay.io/jupyterhub/k8s-hub:4.2.0"

# Runs the installer on the machine and, at an event, as near to it as can be, sends it signals and runs a script.
UNTIL = r"""
import json, os, re, signal, subprocess, sys, threading, time

when, after, signals, then, argv = json.loads(sys.argv[1])
program = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd="/root")
errors = []
reader = threading.Thread(target=lambda: errors.extend(program.stderr))
reader.start()

def send():
    for number, pause in signals:
        time.sleep(pause)
        print(json.dumps({"event": "signal", "number": number}), flush=True)
        program.send_signal(number)
    subprocess.run(["bash", "-c", then])

def fits(event):
    return all(event.get(key, -1) >= value if isinstance(value, int) else re.search(value, str(event.get(key, "")))
               for key, value in when.items())

timer = None
for line in program.stdout:
    print(line, end="", flush=True)
    if timer is None and fits(json.loads(line)):
        print(json.dumps({"event": "reached"}), flush=True)
        timer = threading.Timer(after, send)
        timer.start()
if timer:
    timer.join()
status = program.wait()
reader.join()
print(json.dumps({"event": "ended", "status": status, "errors": "".join(errors)}), flush=True)
"""


class Attempt(NamedTuple):
    """A run that was, or was not, ended early."""
    events: list
    status: int
    stderr: str

    @property
    def reached(self):
        return any(event["event"] == "reached" for event in self.events)

    def of(self, kind, stage=None):
        return [event for event in self.events if event["event"] == kind and stage in (None, event.get("stage"))]

    def __str__(self):
        tail = "\n".join(json.dumps(event) for event in self.events
                         if event["event"] != "moved" and event.get("verdict", "failed") == "failed")
        return f"exit status {self.status}\n{tail}\n--- stderr\n{self.stderr}"


def attempt(when=None, after=0.0, signals=(), then="", words=(), power=False, check=None):
    """Runs `jhub-install --yes --json` and, `after` seconds after the event that fits `when`, sends signals and runs the
    script `then` on the machine, or cuts the power."""
    # The machines' disks are this computer's, which has other work too.
    argv = [PROGRAM, "--yes", "--json", "--allow-unsigned", "--ignore", "disk.fsync", *words]
    spec = json.dumps([when or {"event": "never"}, after, list(signals), then, argv])
    program = subprocess.Popen(
        [CLONE / "scripts/lab", "exec", "head", "--", "/usr/bin/python3", RUN, spec], text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**os.environ, "JHUB_LAB_ID": harness.ID})
    events, noise = [], []
    for line in program.stdout:
        try:
            events.append(json.loads(line))
        except ValueError:
            noise.append(line)
            continue
        if power and events[-1]["event"] == "reached":
            time.sleep(after)
            head.power("kill")
    program.wait()
    program.stdout.close()
    if power:
        head.power("on")
        head.write(RUN, UNTIL)
        done = Attempt(events, -signal.SIGKILL, "")
    elif not events or events[-1]["event"] != "ended":
        raise Failed(f"the run was lost: {events[-3:]} {noise}")
    else:
        done = Attempt(events, events[-1]["status"], events[-1]["errors"])
    if when and not done.reached:
        raise Failed(f"it never came to {when}: {done}\n{noise}")
    if check is not None and done.status != check:
        raise Failed(f"it had to end with {check}: {done}")
    return done


def killed(when, after=0.0, **options):
    done = attempt(when, after, signals=[(signal.SIGKILL, 0)], check=-signal.SIGKILL, **options)
    wait_until(lock_is_free, "the end of what it had started", 120)
    return done


def lock_is_free():
    return head.run(["flock", "--nonblock", LOCK, "true"], check=False).status == 0


# Helm itself, and MicroK8s' wrapper around it. The brackets keep the pattern from finding itself.
HELM = "-f 'upgrade --instal[l] jhub'"


def changing(stage, what=""):
    return {"event": "changing", "stage": f"^{stage}$", "change": what}


# Where an attempt is ended: in each stage, at its first change or in the midst of its longest.
ENDS = {
    "host": lambda: killed(changing("host")),
    "cluster, installing a snap": lambda: killed(changing("cluster", "snap install .*/microk8s_"), after=1.5),
    "cluster, installed": lambda: killed(changing("cluster", "load ")),
    "images, the power": lambda: attempt({"event": "moved", "stage": "images", "bytes": 170_000_000, "of": 200_000_000}, power=True),
    "images, in a large one": lambda: killed(changing("images", "k8s-hub"), after=0.5),
    "images, between two": lambda: killed(changing("images", "configurable-http-proxy")),
    "network": lambda: killed({"event": "began", "stage": "network"}, after=1.0),
    "dns": lambda: killed(changing("dns")),
    "storage": lambda: killed(changing("storage")),
    "storage, half of it": lambda: killed(changing("storage", "PersistentVolumeClaim")),
    "hub, with its Helm": lambda: killed(changing("hub", "helm3 upgrade"), after=0.4, then=f"pkill -KILL {HELM}"),
    "hub, in Helm": lambda: killed(changing("hub", "helm3 upgrade"), after=0.4),
    "hub, waiting": lambda: killed({"event": "waiting", "stage": "hub"}, after=1.0),
    "hub, the power": lambda: attempt({"event": "waiting", "stage": "hub"}, power=True),
    "access, in apt, the power": lambda: attempt(changing("access", "apt-get"), after=0.7, power=True),
}


def blobs():
    """The digests of the blobs that containerd has whole."""
    return set(head.out("/snap/bin/microk8s ctr content ls --quiet", check=False).split())


@functools.cache
def journey():
    """The installation in many attempts: {where it was ended: the attempt}, and "done" for the last; with their times."""
    attempts = {}
    for name, end in ENDS.items():
        start = time.monotonic()
        attempts[name] = end()
        if name == "images, the power":
            attempts["whole"] = wait_until(blobs, "containerd")
        print(f"  ended in {name}: {time.monotonic() - start:.1f} s", file=sys.stderr, flush=True)
    start = time.monotonic()
    attempts["done"] = attempt()
    attempts["record"] = head.record()
    print(f"  the last run: {time.monotonic() - start:.1f} s", file=sys.stderr, flush=True)
    return attempts


def setUpModule():
    harness.up()
    # Room enough for preflight, and little enough to be filled.
    head.prepare(disk="8G")
    head.run(f"echo ENABLE_NGINX_PROXY=true >>{CONFIG}")
    head.write(RUN, UNTIL)


class BrokenOff(unittest.TestCase):
    """Named to come first: the machine is installed by it."""

    @classmethod
    def setUpClass(cls):
        cls.attempts = journey()
        cls.record = cls.attempts["record"]

    def test_it_was_ended_where_it_was_meant_to_be(self):
        for name in ENDS:
            with self.subTest(name):
                self.assertTrue(self.attempts[name].reached, self.attempts[name])
                self.assertEqual(self.attempts[name].of("done"), [])

    def test_the_last_run_finishes_and_the_hub_answers(self):
        done = self.attempts["done"]
        self.assertEqual(done.status, DONE, done)
        self.assertEqual(done.stderr, "")
        self.assertEqual([event["stage"] for event in done.of("settled")], harness.STAGES)
        self.assertEqual(set(head.plan().values()), {"settled"})
        self.assertIn("logged in", outside("curl", "-fsS", f"{URL}/hub/login") and head.user("login").stdout)

    def test_what_was_done_is_not_done_again(self):
        done = {}
        for line in self.record:
            # An image is one change, however much of it is missing.
            change = (line["stage"], re.sub(r" \(\d+ blobs?, .*\)$", "", line["change"]))
            if "sysctl -q -w fs.inotify." in line["change"]:
                continue  # The snap's install hook sets these lower again.
            if line["result"] == "began":
                # Within one run a change is made again where it did not take.
                self.assertEqual(done.get(change, line["run"]), line["run"], f"made again by another run: {line}")
            elif line["result"] == "done":
                done[change] = line["run"]
        self.assertGreater(len(done), 35)

    def test_each_attempt_is_in_the_record_and_what_it_left_open_was_done(self):
        runs = list(dict.fromkeys(line["run"] for line in self.record))
        self.assertGreater(len(runs), len(ENDS) / 2)
        began = [(line["run"], line["change"]) for line in self.record if line["result"] == "began"]
        ended = {(line["run"], line["change"]) for line in self.record if line["result"] != "began"}
        broken = [change for change in began if change not in ended]
        self.assertGreater(len(broken), len(ENDS) / 2, "nothing was ended in the midst of a change")
        self.assertEqual({line["result"] for line in self.record}, {"began", "done"})

    def test_blobs_that_are_whole_are_not_sent_again(self):
        # The power failed when most of the largest image had been sent.
        whole = self.attempts["whole"]
        first = self.attempts["images, the power"].of("changing", "images")
        again = self.attempts["images, in a large one"].of("changing", "images")
        first, again = ([bytes_of(event) for event in events if HUB in event["change"]] for events in (first, again))
        self.assertEqual((len(first), len(again)), (1, 1))
        spared = sum(size for digest, size in manifest(HUB).items() if digest in whole)
        self.assertGreater(spared, 0, "no blob was whole when it was ended")
        self.assertEqual(again[0], first[0] - spared)

    def test_nothing_half_is_left(self):
        self.assertEqual(head.out("dpkg --audit"), "")
        self.assertEqual(head.out("find /etc /var/lib/jhub /var/snap/microk8s/common -xdev -maxdepth 3"
                                  " -name '*.jhub-*' -o -name '.*.new' | head"), "")
        check = head.run(["/snap/bin/microk8s", "ctr", "images", "check"]).stdout
        self.assertIn("complete", check)
        self.assertNotIn("incomplete", check)


def bytes_of(event):
    """How much the change of a load says it moves."""
    return int(re.search(r" (\d+) bytes\)$", event["change"])[1])


def manifest(image):
    """The blobs of an image on the node: {digest: size}, its manifest too."""
    ctr = ["/snap/bin/microk8s", "ctr"]
    digest = next(line.split()[2] for line in head.out([*ctr, "images", "ls"]).splitlines() if line.split()[0] == image)
    text = head.run([*ctr, "content", "get", digest]).stdout
    found = json.loads(text)
    return {digest: len(text.encode())} | {blob["digest"]: blob["size"] for blob in [found["config"], *found["layers"]]}


class Days(unittest.TestCase):
    """On the installed machine, on which a user has data. Each test leaves it well."""

    @classmethod
    def setUpClass(cls):
        journey()
        head.run(f"mkdir -p {STORE}/admin1 && echo precious >{STORE}/admin1/thesis")
        head.kubectl("create", "namespace", "others")
        head.kubectl("apply", "-f", "-", stdin=OTHERS)

    def setUp(self):
        kept, start = self.what_has_to_stay(), time.monotonic()
        self.addCleanup(lambda: print(f" {time.monotonic() - start:.1f} s", file=sys.stderr, flush=True))
        # After all that a test itself puts in order again.
        self.addCleanup(lambda: self.assertEqual(wait_until(self.what_has_to_stay, "the cluster"), kept))

    def what_has_to_stay(self):
        """A user's data and volumes, the cluster itself, and what others run on it."""
        objects = json.loads(head.kubectl("get", "namespaces,persistentvolumes,persistentvolumeclaims", "-A", "-o", "json").stdout)
        others = json.loads(head.kubectl("get", "configmaps,services,deployments", "-n", "others", "-o", "json").stdout)
        return {
            "file": head.read(f"{STORE}/admin1/thesis"),
            "password": head.read(harness.PASSWORD),
            "objects": {harness.name_of(item): item["metadata"]["uid"] for item in objects["items"]},
            "others": {harness.name_of(item): (item["metadata"]["uid"], harness.hash_of(item)) for item in others["items"]},
            "MicroK8s": head.out("readlink /var/snap/microk8s/current; stat -c %w /var/snap/microk8s/common/.microk8s.yaml"),
        }

    def well(self):
        done = attempt(check=DONE)
        self.assertEqual(done.stderr, "")
        self.assertEqual(outside("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", f"{URL}/hub/login").stdout, "200")
        return done

    def said(self, done, status, *patterns):
        """It ended with the status, and standard error has just these lines."""
        self.assertEqual(done.status, status, done)
        lines = done.stderr.splitlines()
        self.assertEqual(len(lines), len(patterns), done)
        for line, pattern in zip(lines, patterns):
            self.assertRegex(line, f"^{pattern}$")

    # Two at once, and interrupts

    def test_two_installers_at_once(self):
        # However fast it is, it works until the second has come and gone.
        script = (f"cd /root; {PROGRAM} --yes --allow-unsigned --ignore disk.fsync >/run/first & pid=$!;"
                  f" until grep -qs \"pid $pid \" {LOCK}; do kill -0 $pid || exit; sleep 0.02; done;"
                  " kill -STOP $pid; echo $pid; wait $pid")
        first = subprocess.Popen([CLONE / "scripts/lab", "exec", "head", "--", "bash", "-c", script], text=True,
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                 env={**os.environ, "JHUB_LAB_ID": harness.ID})
        pid = first.stdout.readline().strip()
        try:
            before = head.record()
            second = head.install("--yes")
        finally:
            head.run(["kill", "-CONT", pid], check=False)
            _, errors = first.communicate()
        self.assertEqual(second.status, LOCKED, second)
        self.assertEqual(second.stdout, "")
        self.assertRegex(second.stderr, r"^jhub-install: another jhub-install works on this machine: "
                         rf"pid {pid} \(jhub-install apply\), since \d{{4}}-\S+Z\n$")
        self.assertEqual((first.returncode, errors), (DONE, ""), head.read("/run/first"))
        self.assertEqual(head.record(), before)

    def lose_image(self, image):
        """Removes it with all its names: the last takes the content with it."""
        images = self.images()
        names = [name for name, digest in images.items() if digest == images[image]]
        head.run(["/snap/bin/microk8s", "ctr", "images", "rm", "--sync", *names])
        self.assertNotIn(image, self.images())

    def images(self):
        """{name: digest}"""
        lines = head.out("/snap/bin/microk8s ctr images ls").splitlines()[1:]
        return {words[0]: words[2] for words in map(str.split, lines)}

    # Not in use by a pod, so that its blobs go with it.
    IMAGE = "docker.io/myorg/jhub-lab:24.10"
    MIDST = {"event": "moved", "stage": "images", "bytes": 10_000_000, "of": 50_000_000}
    FINISHING = r"interrupted: finishing the change in hand \(once more to stop at once\)"

    def test_interrupts(self):
        self.lose_image(self.IMAGE)
        twice = attempt(self.MIDST, signals=[(signal.SIGINT, 0), (signal.SIGINT, 0.2)])
        self.said(twice, INTERRUPTED, self.FINISHING)
        self.assertEqual(twice.of("changed"), [])
        self.assertNotIn(self.IMAGE, self.images())
        # How many bytes are left to move depends on where the first was ended.
        once = attempt({"event": "moved", "stage": "images", "bytes": 1}, signals=[(signal.SIGINT, 0)])
        self.said(once, INTERRUPTED, self.FINISHING, "jhub-install: interrupted; run the same command again to go on")
        self.assertEqual(len(once.of("changed")), 1, once)
        self.assertEqual(once.of("began", "network"), [])
        self.assertIn(self.IMAGE, self.images())
        self.assertEqual(self.well().of("changing"), [])

    # The disk

    def test_disk_full_during_the_import(self):
        self.lose_image(self.IMAGE)
        # Who else wants to write would suffer too, and a kubelet would end pods; to fill the disk is the test here.
        daemons = " ".join(f"snap.microk8s.daemon-{name}" for name in ["apiserver-kicker", "cluster-agent", "kubelite", "k8s-dqlite"])
        head.run(f"systemctl stop {daemons}")
        self.addCleanup(head.run, f"rm -f /var/snap/full; systemctl start {daemons}")
        before = blobs()
        head.run("fallocate -l $(($(stat -f -c '%a * %S' /var/snap) - 30000000)) /var/snap/full")
        ignored = [word for check in ["disk.snap_var", "disk.gc_line", "disk.evict_line"] for word in ("--ignore", check)]
        full = attempt(words=["--only", "images", *ignored])
        self.said(full, FAILED, r"jhub-install: could not (store|unpack) .*sha256:[0-9a-f]{64} of "
                  + re.escape(self.IMAGE) + r" on head: .*no space left on device"
                  r".*; free some there, and run the same command again")
        self.assertNotIn(self.IMAGE, self.images())
        self.assertEqual(before - blobs(), set(), "blobs were lost")
        head.run("rm /var/snap/full")
        again = attempt(words=["--only", "images"], check=DONE)
        self.assertEqual(len(again.of("changed", "images")), 1)
        self.assertNotIn("incomplete", head.out("/snap/bin/microk8s ctr images check"))
        head.run(f"systemctl start {daemons}")
        self.well()

    # The cluster

    def test_the_api_never_comes(self):
        arguments = "/var/snap/microk8s/current/args/kube-apiserver"
        restart = "systemctl reset-failed snap.microk8s.daemon-kubelite; systemctl restart snap.microk8s.daemon-kubelite"
        head.run(f"cp {arguments} /run/arguments; echo --no-such-flag=1 >>{arguments}; {restart}")
        self.addCleanup(head.run, f"cp /run/arguments {arguments}; {restart}")
        start = time.monotonic()
        done = attempt(words=["--patience", "5"])
        self.assertLess(time.monotonic() - start, 60)
        self.said(done, FAILED, "jhub-install: Place the cluster: .*kubelite.*unknown flag: --no-such-flag.*journalctl -u .*")
        head.run(f"cp /run/arguments {arguments}; {restart}")
        self.well()

    def test_a_stopped_microk8s_is_started(self):
        installed = head.out("snap list microk8s; stat -c '%w %n' /snap/microk8s/current/ /var/snap/microk8s/*")
        head.run("/snap/bin/microk8s stop")
        self.assertTrue(head.exists("/var/snap/microk8s/current/var/lock/stopped.lock"))
        done = self.well()
        self.assertEqual([event["change"] for event in done.of("changed", "cluster")], ["run /snap/bin/microk8s start"])
        self.assertEqual(head.out("snap list microk8s; stat -c '%w %n' /snap/microk8s/current/ /var/snap/microk8s/*"), installed)

    def test_an_image_that_is_not_on_the_node(self):
        set_image = ["-n", "kube-system", "set", "image", "deployment/coredns"]
        good = head.get("deployment", "coredns", "kube-system")["spec"]["template"]["spec"]["containers"][0]["image"]
        head.kubectl(*set_image, "coredns=docker.io/coredns/coredns:9.9.9")
        self.addCleanup(head.kubectl, *set_image, f"coredns={good}")
        self.said(attempt(words=["--only", "dns", "--patience", "10"]), FAILED,
                  r"jhub-install: Serve the cluster's names: waited 10 s: pod kube-system/coredns-\S+: container coredns: "
                  r"(ErrImagePull|ImagePullBackOff) docker.io/coredns/coredns:9.9.9.*")
        head.kubectl(*set_image, f"coredns={good}")
        attempt(words=["--only", "dns"], check=DONE)

    # The hub

    def test_a_hub_that_crashes(self):
        script = "/opt/jhub-install/templates/hub/10-native.py"
        head.run(f"cp {script} /run/script; echo 'raise RuntimeError(\"the moon is full\")' >>{script}")
        self.addCleanup(head.run, f"cp /run/script {script}")
        done = attempt(words=["--patience", "30"])
        self.said(done, FAILED, r"jhub-install: Install the hub: waited 30 s: pod jhub/hub-\S+: container hub"
                  r"(:| runs again after)( CrashLoopBackOff,)? exit code 1(, but is not ready)?: .*RuntimeError: the moon is full")
        head.run(f"cp /run/script {script}")
        self.well()

    def test_an_upgrade_of_the_hub_that_is_killed(self):
        change = ["--set", "CULL_TIMEOUT_SECONDS=7200"]
        attempt(changing("hub", "helm3 upgrade"), after=0.3, signals=[(signal.SIGKILL, 0)], check=-signal.SIGKILL,
                then=f"pkill -STOP {HELM}", words=change)
        self.addCleanup(head.run, f"pkill -KILL {HELM}", check=False)
        # Its Helm is at work: nobody may take what it does for a try that nobody will finish.
        beside = head.install("--yes")
        self.assertEqual(beside.status, LOCKED, beside)
        self.assertRegex(beside.stderr, r"^jhub-install: a jhub-install was killed, pid \d+ \(jhub-install apply\), since \S+; "
                         r"what it had started still works: pid \d+ \(.* upgrade --install jhub .*\); run the same command again .*\n$")
        head.run(f"pkill -KILL {HELM}")
        wait_until(lock_is_free, "Helm's end", 30)
        done = attempt(words=change, check=DONE)
        self.assertEqual(done.of("changed", "storage"), [])
        self.assertIn("admin1", head.user("login").stdout)
        self.well()

    # The clock

    def test_a_clock_that_jumps(self):
        # Below no folder that is compared.
        head.copy(FAKETIME, "/opt/libfaketime.so.1")
        self.addCleanup(head.run, "rm -f /etc/ld.so.preload /etc/faketimerc /opt/libfaketime.so.1")
        before = head.world()
        for days, check, found, fix in [(-400, "time.sane", r"\d+ days behind .*", "set it: timedatectl set-ntp false.*"),
                                        (+400, "mk8s.certs", ".*", ".*")]:
            with self.subTest(days):
                # For every program that is started on the machine, as if its clock had jumped.
                head.write("/etc/faketimerc", f"{days:+}d\n")
                head.run("echo /opt/libfaketime.so.1 >/etc/ld.so.preload")
                try:
                    jumped = head.install("--yes")
                finally:
                    head.run("rm /etc/ld.so.preload /etc/faketimerc")
                self.assertEqual(jumped.status, PREFLIGHT, jumped)
                self.assertRegex(jumped.stdout, rf"(?m)^FAIL +{check} +{found}\n +needs .*\n +fix +{fix}$")
        after = head.world()
        self.assertEqual(after["record"], before["record"])
        for what in ["files", "objects"]:
            self.assertEqual(difference(before[what], after[what]), [])


# What somebody else runs on the cluster.
OTHERS = """
apiVersion: v1
kind: ConfigMap
metadata: {name: theirs, namespace: others}
data: {key: value}
---
apiVersion: v1
kind: Service
metadata: {name: theirs, namespace: others}
spec: {ports: [{port: 80}], selector: {app: theirs}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: theirs, namespace: others}
spec:
  replicas: 1
  selector: {matchLabels: {app: theirs}}
  template:
    metadata: {labels: {app: theirs}}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{name: sleep, image: "docker.io/library/busybox:1.28.4", command: [sleep, "100000"]}]
"""


if __name__ == "__main__":
    unittest.main()
