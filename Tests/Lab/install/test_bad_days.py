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
STORE = "/srv/jhub/storage"
FAKETIME = pathlib.Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")
HUB = "quay.io/jupyterhub/k8s-hub:4.2.0"

# Runs the installer on the machine and sends it signals at an event, as near to it as can be.
UNTIL = r"""
import json, os, re, signal, subprocess, sys, threading, time

when, after, signals, argv = json.loads(sys.argv[1])
program = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd="/root")
errors = []
reader = threading.Thread(target=lambda: errors.extend(program.stderr))
reader.start()

def send():
    for number, pause in signals:
        time.sleep(pause)
        print(json.dumps({"event": "signal", "number": number}), flush=True)
        program.send_signal(number)

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
        tail = "\n".join(json.dumps(event) for event in self.events if event["event"] not in ("preflight", "moved"))
        return f"exit status {self.status}\n{tail}\n--- stderr\n{self.stderr}"


def attempt(when=None, after=0.0, signals=(), words=(), power=False, check=None):
    """Runs `jhub-install --yes --json` and, `after` seconds after the event that fits `when`, sends signals or cuts the power."""
    argv = [PROGRAM, "--yes", "--json", *words]
    spec = json.dumps([when or {"event": "never"}, after, list(signals), argv])
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
    return attempt(when, after, signals=[(signal.SIGKILL, 0)], check=-signal.SIGKILL, **options)


def changing(stage, what=""):
    return {"event": "changing", "stage": f"^{stage}$", "change": what}


# Where an attempt is ended: in each stage, at its first change or in the midst of its longest.
ENDS = {
    "host": lambda: killed(changing("host")),
    "cluster, installing a snap": lambda: killed(changing("cluster", "snap install .*/microk8s_"), after=1.5),
    "cluster, installed": lambda: killed(changing("cluster", "load ")),
    "images, the power": lambda: attempt({"event": "moved", "stage": "images", "bytes": 1}, power=True),
    "images, in a large one": lambda: killed({"event": "moved", "stage": "images", "bytes": 60_000_000, "of": 200_000_000}),
    "images, between two": lambda: killed(changing("images", "configurable-http-proxy")),
    "network": lambda: killed({"event": "began", "stage": "network"}, after=1.0),
    "dns": lambda: killed(changing("dns")),
    "storage": lambda: killed(changing("storage")),
    "storage, half of it": lambda: killed(changing("storage", "PersistentVolumeClaim")),
    "hub, in Helm": lambda: killed(changing("hub", "helm3 upgrade"), after=0.4),
    "hub, waiting": lambda: killed({"event": "waiting", "stage": "hub"}, after=1.0),
    "hub, the power": lambda: attempt({"event": "waiting", "stage": "hub"}, power=True),
    "access, in apt": lambda: killed(changing("access", "apt-get"), after=1.0),
}


def blobs():
    """The blobs that containerd has whole: {digest: size}."""
    listing = head.run(["/snap/bin/microk8s", "ctr", "content", "ls"], check=False).stdout
    return {words[0]: words[1] for words in map(str.split, listing.splitlines()) if words and words[0].startswith("sha256:")}


@functools.cache
def journey():
    """The installation in many attempts: {where it was ended: the attempt}, and "done" for the last; with their times."""
    attempts = {}
    for name, end in ENDS.items():
        start = time.monotonic()
        attempts[name] = end()
        print(f"  ended in {name}: {time.monotonic() - start:.1f} s", file=sys.stderr, flush=True)
    start = time.monotonic()
    attempts["done"] = attempt()
    print(f"  the last run: {time.monotonic() - start:.1f} s", file=sys.stderr, flush=True)
    return attempts


def setUpModule():
    harness.up()
    # Room enough for preflight, and little enough to be filled.
    head.prepare(disk="8G")
    head.run(f"echo ENABLE_NGINX_PROXY=true >>{CONFIG}")
    head.write(RUN, UNTIL)


def xtearDownModule():
    harness.down()


class Journey(unittest.TestCase):
    """Named to come first: the machine is installed by it."""

    def test_the_last_run_finishes(self):
        done = journey()["done"]
        self.assertEqual(done.status, DONE, done)
        self.assertEqual(done.stderr, "")
        self.assertEqual([event["stage"] for event in done.of("settled")], harness.STAGES)

if __name__ == "__main__":
    unittest.main()
