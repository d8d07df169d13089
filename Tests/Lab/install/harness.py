"""What the end-to-end tests share: a lab of their own, its machines, the installer on them, and what can be compared.

Each test file has a lab of its own, so that a lab somebody works in stays as it is. JHUB_LAB_ID names one to use instead;
JHUB_RELEASE a release that was built before (else `dist/jhub-install`, which `scripts/release` makes where it is missing). With JHUB_LAB_KEEP=1 the machines stay up at the
end, and an installed one is taken as it is: for whoever writes a test.
"""
import atexit
import functools
import hashlib
import json
import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from typing import NamedTuple

HERE = pathlib.Path(__file__).resolve().parent
CLONE = HERE.parents[2]
LAB = CLONE / "Tests/Lab"
ID = os.environ.get("JHUB_LAB_ID") or hashlib.sha256(f"{CLONE} {os.path.basename(sys.argv[0])}".encode()).hexdigest()[:8]
KEEP = os.environ.get("JHUB_LAB_KEEP") == "1"
PROGRAM = "/opt/jhub-install/bin/jhub-install"
BUNDLE = "/root/offline-images"
CONFIG = "/root/jhub.env"
RECORD = "/var/lib/jhub/changes.jsonl"
CTR = ["/snap/bin/microk8s", "ctr"]
# The users' image.
SERVER = "docker.io/myorg/jhub-lab:24.10"
PASSWORD = "/var/lib/jhub/admin-password"
ADDRESS = "10.99.0.2"
URL = f"http://{ADDRESS}:30080"
STAGES = ["host", "cluster", "images", "network", "dns", "storage", "hub", "access", "agent"]

SETTLED = {stage: "settled" for stage in STAGES}

# Exit statuses of the program.
DONE, FAILED, WRONG_INPUT, WORK_LEFT, PREFLIGHT, LOCKED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 3, 4, 6, 64, 130


class Result(NamedTuple):
    status: int
    stdout: str
    stderr: str
    seconds: float

    def __str__(self):
        return f"exit status {self.status} after {self.seconds:.1f} s\n--- stdout\n{self.stdout}--- stderr\n{self.stderr}"


class Failed(AssertionError):
    """A command ended in another way than it had to."""


def call(argv, stdin=None, timeout=600, check=False, env=None):
    """Runs a command here; with check any status but 0 is a failure of the test."""
    argv = [str(word) for word in argv]
    start = time.monotonic()
    if isinstance(stdin, str):
        stdin = stdin.encode()
    try:
        done = subprocess.run(argv, input=b"" if stdin is None else stdin, capture_output=True, timeout=timeout,
                              env={**os.environ, "JHUB_LAB_ID": ID, **(env or {})})
    except subprocess.TimeoutExpired as late:
        raise Failed(f"{shlex.join(argv)}: not done after {timeout} s\n{(late.stdout or b'').decode()[-4000:]}"
                     f"\n{(late.stderr or b'').decode()[-4000:]}") from None
    result = Result(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"),
                    time.monotonic() - start)
    if check and result.status != 0:
        raise Failed(f"{shlex.join(argv)}: {result}")
    return result


def lab(*words, check=True, **options):
    """Runs scripts/lab."""
    return call([CLONE / "scripts/lab", *words], check=check, **options)


def require():
    """Fails where something is missing that this needs; outside CI it skips instead."""
    missing = None
    if os.geteuid() != 0:
        missing = "the lab needs root"
    elif call(["bash", "-c", "for tool in systemd-nspawn nft debootstrap; do command -v $tool || exit 1; done"]).status:
        missing = f"{LAB}/install-packages has not been run"
    if missing and os.environ.get("CI") == "true":
        raise Failed(missing)
    if missing:
        raise unittest.SkipTest(missing)


@functools.cache
def release():
    """The folder that a site gets: the program with its libraries, templates and profiles. Built at most once."""
    if given := os.environ.get("JHUB_RELEASE"):
        folder = pathlib.Path(given)
    else:
        folder = CLONE / "dist/jhub-install"
        if not (folder / "bin/jhub-install").exists():
            call([CLONE / "scripts/release"], timeout=1800, check=True)
    if not (folder / "bin/jhub-install").exists():
        raise Failed(f"there is no release in {folder}")
    return folder


@functools.cache
def bundle():
    """The lab's bundle directory. Its files are those of the cache: damage none of them here, only on a machine."""
    return pathlib.Path(call([LAB / "bundle"], timeout=1800, check=True).stdout.strip())


def make_bundle(folder, *words, check=DONE):
    """`bundle create --json` of what the lab's config needs, here: what it says at its end, or how it failed."""
    config = pathlib.Path(f"{folder}.env")
    shutil.copy(LAB / "jhub.env", config)
    config.chmod(0o600)
    parts = bundle()
    result = program("bundle", "create", "--json", "--config", config, "--to", folder, "--snaps", parts / "snaps",
                     "--charts", parts / "charts", "--packages", parts / "packages", "--for", "debian:12",
                     "--root", release(), *words, check=check)
    return json.loads(result.stdout.splitlines()[-1]) if check == DONE else result


def program(*words, check=DONE):
    """jhub-install on this computer, where bundles are made."""
    result = call([release() / "bin/jhub-install", *words], timeout=900)
    if result.status != check:
        raise Failed(f"jhub-install {shlex.join(map(str, words))}: it had to end with {check}\n{result}")
    return result


def up(workers=0):
    """Boots the lab's machines; those that are up stay as they are. They are gone when the program ends, however that comes."""
    require()
    # It ends then as by Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if not KEEP:
        atexit.register(lab, "down")
    lab("up", "--workers", workers)


def leaks():
    """(number of packets for anywhere outside since the last forgetting, the listing of where to)."""
    result = lab("leaks")
    return int(result.stdout.split()[0]), result.stdout


def forget_leaks():
    lab("leaks", "--reset")


def outside(*argv, **options):
    """Runs a command here, on the network of the machines, where a user's browser stands."""
    return lab("ns", "--", *argv, **options)


def wait_until(ask, what, seconds=60, pause=0.5):
    """Asks until the answer is true, and returns it. An assertion that fails inside is an answer that is false."""
    deadline = time.monotonic() + seconds
    last = None
    while True:
        try:
            if answer := ask():
                return answer
            last = answer
        except AssertionError as error:
            last = error
        if time.monotonic() >= deadline:
            raise Failed(f"waited {seconds} s for {what}; the last answer was: {last}")
        time.sleep(pause)


class Machine:
    """One machine of the lab."""

    def __init__(self, name="head"):
        self.name = name

    # The machine

    def run(self, argv, check=True, stdin=None, timeout=600):
        """Runs a command as root; a text is a bash script."""
        words = ["bash", "-c", argv] if isinstance(argv, str) else argv
        return lab("exec", self.name, "--", *words, check=check, stdin=stdin, timeout=timeout)

    def out(self, argv, **options):
        """What a command prints, without blanks around it."""
        return self.run(argv, **options).stdout.strip()

    def copy(self, source, path):
        """Copies a file or folder of this computer onto the machine."""
        lab("copy", source, f"{self.name}:{path}")

    def fetch(self, path, target):
        """Copies a file or folder of the machine here."""
        lab("copy", f"{self.name}:{path}", target)

    def read(self, path):
        return self.run(["cat", path]).stdout

    def write(self, path, text, mode="644"):
        script = 'umask 077; mkdir -p "$(dirname "$0")"; cat >"$0.new" && chmod "$1" "$0.new" && mv "$0.new" "$0"'
        self.run(["bash", "-c", script, path, mode], stdin=text)

    def exists(self, path):
        return self.run(["test", "-e", path], check=False).status == 0

    def reset(self, disk=None):
        """Makes it bare again; with a size its /var/snap is a disk of that size."""
        lab("reset", self.name, *(["--disk", disk] if disk else []))

    def power(self, state):
        """off, on or kill"""
        lab("power", self.name, state)

    # What is installed

    def put_release(self):
        # A copy goes into a folder that is there.
        self.run(["rm", "-rf", "/opt/jhub-install"])
        self.copy(release(), "/opt/jhub-install")

    def put_bundle(self):
        """450 MB, which the machine then has for itself: a second or two."""
        self.run(["rm", "-rf", BUNDLE])
        self.copy(bundle(), BUNDLE)

    def prepare(self, disk=None, config=True):
        """A bare machine with what is carried to a site: the program, the bundle, a config."""
        if KEEP and self.exists(RECORD):
            return self.put_release()
        self.reset(disk)
        self.put_release()
        self.put_bundle()
        if config:
            self.copy(LAB / "jhub.env", CONFIG)

    def program(self, *words, check=None, stdin=None, timeout=900, environment=None):
        """Runs jhub-install in /root with these words; check is the status that it must have."""
        given = [f"{name}={value}" for name, value in (environment or {}).items()]
        result = self.run(["env", "-C", "/root", *given, PROGRAM, *words], check=False, stdin=stdin, timeout=timeout)
        if check is not None and result.status != check:
            raise Failed(f"jhub-install {shlex.join(map(str, words))}: it had to end with {check}\n{result}")
        return result

    def install(self, *words, config=None, bundle=None, settings=None, signed=False, check=None, stdin=None, timeout=900):
        """`jhub-install WORDS`: with another config or bundle on the machine, with KEY: VALUE in place of the config's."""
        words = list(words)
        if config is not None:
            words += ["--config", config]
        if bundle is not None:
            words += ["--bundle", bundle]
        for key, value in (settings or {}).items():
            words += ["--set", f"{key}={value}"]
        # How fast the disk of this computer is, while other things run on it, is not what is tried here.
        if "--ignore" not in words and all(word.startswith("-") for word in words[:1]):
            words += ["--ignore", "disk.fsync"]
        # The lab's bundle is a plain folder of archives, unless a test makes another.
        if all(word.startswith("-") or word in ("apply", "preflight") for word in words[:1]) and not signed:
            words.append("--allow-unsigned")
        return self.program(*words, check=check, stdin=stdin, timeout=timeout)

    def plan(self, **options):
        """What `plan` says, by stage: "settled", "waits: …" or the list of its changes as "ACTION (REASON)"."""
        result = self.install("plan", "--check", "--json", **options)
        plan = {}
        for line in result.stdout.splitlines():
            stage = json.loads(line)
            if stage["state"] == "changes":
                plan[stage["stage"]] = [f"{change['action']} ({change['reason']})" for change in stage["changes"]]
            else:
                plan[stage["stage"]] = stage["state"] + (f": {stage['for']}" if "for" in stage else "")
        status = DONE if all(state == "settled" for state in plan.values()) else WORK_LEFT
        if list(plan) != STAGES or result.status != status:
            raise Failed(f"plan --check: {result}")
        return plan

    def images(self):
        """What `images list` says, by name."""
        lines = self.program("images", "list", "--json", check=DONE).stdout.splitlines()
        return {image["image"]: image for image in map(json.loads, lines)}

    def forget_images(self, *images):
        """As the kubelet's garbage collection does: every name of these goes, and with them their blobs."""
        known = self.images()
        digests = {known[image]["digest"] for image in images}
        rows = [line.split() for line in self.out([*CTR, "images", "ls"]).splitlines()[1:]]
        self.run([*CTR, "images", "rm", "--sync", *(row[0] for row in rows if row[2] in digests)])

    def kubectl(self, *words, check=True, stdin=None):
        return self.run(["/snap/bin/microk8s", "kubectl", *words], check=check, stdin=stdin)

    def get(self, kind, name=None, namespace=None):
        """An object, or the list of all of a kind, as kubectl has it; None where there is none."""
        words = ["get", kind] + ([name] if name else []) + (["-n", namespace] if namespace else [] if name else ["-A"])
        result = self.kubectl(*words, "-o", "json", check=False)
        if result.status != 0:
            if "NotFound" in result.stderr or "not found" in result.stderr:
                return None
            raise Failed(f"kubectl {shlex.join(words)}: {result}")
        answer = json.loads(result.stdout)
        return answer if name else answer["items"]

    def user(self, *words, name="admin1", url=URL, options=(), check=True, timeout=300):
        """What a user does (Tests/Lab/client/user.py), with the admin's first password."""
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(self.read(PASSWORD))
            file.flush()
            return outside(LAB / "client/user.py", "--url", url, "--user", name, "--password-file", file.name,
                           *options, *words, check=check, timeout=timeout)

    # What can be compared

    def record(self):
        """The lines of the record of changes; none where there is no record."""
        text = self.run(["cat", RECORD], check=False).stdout
        return [json.loads(line) for line in text.splitlines()]

    def files(self):
        """What the installer could have changed in the file system: {path: mode, owner and hash}. No logs."""
        return json.loads(self.run(["/usr/bin/python3", "-"], stdin=FINGERPRINT).stdout)

    def objects(self):
        """All objects of the API that matter: {kind/namespace/name: hash}, without what changes by itself."""
        items = json.loads(self.kubectl("get", ",".join(KINDS), "-A", "-o", "json").stdout)["items"]
        return {name_of(item): hash_of(item) for item in items}

    def world(self):
        """Record, files and objects, to be compared with those of another moment by `difference`."""
        return {"record": self.record(), "files": self.files(), "objects": self.objects()}


FINGERPRINT = r"""
import hashlib, json, os, stat

found = {}
for root in ["/etc", "/usr/local", "/var/lib/jhub", "/var/snap/microk8s/current/args", "/root"]:
    for folder, folders, files in os.walk(root):
        if folder == "/root":
            # Hundreds of megabytes, and a test that changes them knows it.
            folders[:] = [name for name in folders if name != "offline-images"]
        for name in ["."] + files + [name for name in folders if os.path.islink(os.path.join(folder, name))]:
            path = os.path.normpath(os.path.join(folder, name))
            try:
                state = os.lstat(path)
                if stat.S_ISLNK(state.st_mode):
                    content = os.readlink(path)
                elif stat.S_ISREG(state.st_mode):
                    with open(path, "rb") as file:
                        content = hashlib.sha256(file.read()).hexdigest()
                else:
                    content = ""
            except FileNotFoundError:
                continue
            found[path] = f"{state.st_mode:o} {state.st_uid}:{state.st_gid} {content}"
print(json.dumps(found))
"""

KINDS = ["namespaces", "nodes", "pods", "deployments", "daemonsets", "statefulsets", "replicasets", "services", "configmaps",
         "secrets", "serviceaccounts", "persistentvolumes", "persistentvolumeclaims", "storageclasses", "networkpolicies",
         "roles", "rolebindings", "clusterroles", "clusterrolebindings", "resourcequotas", "limitranges",
         "poddisruptionbudgets", "customresourcedefinitions", "priorityclasses", "jobs"]

# What the cluster itself, the hub or its culler writes again and again.
RESTLESS = {"control-plane.alpha.kubernetes.io/leader", "hub.jupyter.org/last-activity"}


def name_of(item):
    metadata = item["metadata"]
    return "/".join([item["kind"], metadata.get("namespace", "-"), metadata["name"]])


def hash_of(item):
    metadata = {key: value for key, value in item["metadata"].items() if key not in ("resourceVersion", "managedFields")}
    metadata["annotations"] = {key: value for key, value in metadata.get("annotations", {}).items() if key not in RESTLESS}
    rest = {key: value for key, value in item.items() if key not in ("metadata", "status")}
    return hashlib.sha256(json.dumps([metadata, rest], sort_keys=True).encode()).hexdigest()


def difference(old, new):
    """The names of what differs between two of `files` or `objects`, with how."""
    return sorted([f"gone: {key}" for key in old.keys() - new.keys()] + [f"new: {key}" for key in new.keys() - old.keys()]
                  + [f"changed: {key}" for key in old.keys() & new.keys() if old[key] != new[key]])
