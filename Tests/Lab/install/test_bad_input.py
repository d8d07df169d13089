#!/usr/bin/python3
"""Input that is wrong, and machines that will not do: each is refused before the first change, with the exit status of its
kind, one line a fault that says what to do, and nothing changed."""
import os
import re
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import harness  # noqa: E402 (the path comes first)
from harness import BUNDLE, CONFIG, DONE, PREFLIGHT, PROGRAM, WRONG_INPUT, WRONG_USAGE, Machine  # noqa: E402

BAD = "/root/bad"
# Another user's place: nobody but root may look into /root.
PUBLIC = "/srv/site"

# What a program shows that did not expect what happened.
TRACES = ["Fatal error", "fatalError", "Stack dump", "Backtrace", "Illegal instruction", "Segmentation fault", "Error Domain",
          "NSError", "Error(", "SubprocessError", "DecodingError", "Traceback", "swift::", "Swift."]

# All files with what changes when they change. Logs, and what is only remembered, are no changes.
LIST = (r"find / /var/snap /srv -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp -o -path /var/tmp -o"
        r" -path /var/log -o -path /var/cache/jhub -o -path /var/lib/systemd \) -prune -o"
        r" \( -type d -printf '%p %m %U:%G\n' -o -printf '%p %m %U:%G %s %C@\n' \) | LC_ALL=C sort -u >/run/files-")

head = Machine()


def setUpModule():
    harness.up()


class Refusals(unittest.TestCase):
    """How a refusal is looked at."""

    def spoil(self, script, undo):
        """Makes the machine or the bundle bad, and good again after the test."""
        self.addCleanup(head.run, undo)
        return head.run(script)

    def refused(self, status, *words, run=None, **options):
        """Runs `jhub-install --yes WORDS`, or what `run` runs. It has to end with the status and change nothing."""
        head.run(LIST + "before")
        # The machine's disk is this computer's, which has other work too.
        result = run() if run else head.install("--yes", "--ignore", "disk.fsync", *words, **options)
        changed = head.run(LIST + "after; diff /run/files-before /run/files-after", check=False)
        self.assertEqual(result.status, status, result)
        self.assertEqual(changed.stdout, "", f"files changed, though it refused: {words}\n{result}")
        self.assertFalse(head.exists(harness.RECORD), "a refused run left a record of changes")
        self.assert_no_trace(result)
        return result

    def assert_no_trace(self, result):
        for trace in TRACES:
            self.assertNotIn(trace, result.stdout + result.stderr)

    def said(self, status, *lines, words=(), **options):
        """It is refused on standard error, by just these lines (patterns), the first behind the program's name."""
        result = self.refused(status, *words, **options)
        self.assertEqual(result.stdout, "", result)
        found = result.stderr.splitlines()
        self.assertEqual(len(found), len(lines), result)
        for number, (line, pattern) in enumerate(zip(found, lines)):
            self.assertRegex(line, "^" + ("jhub-install: " if number == 0 else "") + pattern + "$")
        return result

    def failed(self, status, faults, words=(), **options):
        """It is refused by preflight, whose table has just these faults: {check: (pattern of what was found, of the fix)}."""
        result = self.refused(status, *words, **options)
        self.assertEqual(result.stderr, "", result)
        table = re.findall(r"^FAIL +(\S+) +(.+)\n +needs (.+)\n +fix +(.+)$", result.stdout, re.MULTILINE)
        self.assertEqual(len(table), result.stdout.count("FAIL"), result)
        self.assertEqual(sorted(row[0] for row in table), sorted(faults), result)
        for check, measured, _, fix in table:
            self.assertRegex(measured, faults[check][0])
            self.assertRegex(fix, faults[check][1])
        self.assertRegex(result.stdout, rf"\npreflight: \d+ checks, {len(faults)} failed, \d+ with a warning\n$")
        return result


class Config(Refusals):
    @classmethod
    def setUpClass(cls):
        head.prepare()

    def setUp(self):
        self.addCleanup(head.run, f"rm -rf {BAD} {PUBLIC}")

    def config(self, text, mode="600"):
        head.write(f"{BAD}/jhub.env", text, mode)
        return f"{BAD}/jhub.env"

    def test_missing(self):
        self.said(WRONG_INPUT, "/nowhere/jhub.env: .*No such file or directory; write it, or name another",
                  config="/nowhere/jhub.env")

    def test_missing_where_it_is_looked_for(self):
        self.said(WRONG_INPUT, r"./jhub.env: there is no config, .*copy jhub.env.example, or name one with --config",
                  run=lambda: head.run(["env", "-C", "/srv", PROGRAM, "--yes"], check=False))

    def test_directory(self):
        self.said(WRONG_INPUT, "/root: /root is a directory; name the file in it", config="/root")

    def test_unreadable(self):
        self.config("AUTH_MODE=native\n")
        head.run(f"install -d -m 755 {PUBLIC} && install -m 600 {BAD}/jhub.env {PUBLIC}/jhub.env")
        self.said(WRONG_INPUT, "jhub.env: .*Permission denied; run this with sudo",
                  run=lambda: self.as_nobody("--yes", "--config", "jhub.env"))

    def as_nobody(self, *words):
        """As a user who may run the program and look at PUBLIC, and no more."""
        return head.run(["env", "-C", PUBLIC, "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", PROGRAM, *words],
                        check=False)

    def test_not_root(self):
        head.run(f"install -d -m 755 {PUBLIC}/offline-images && install -m 644 {CONFIG} {PUBLIC}/jhub.env")
        self.said(PREFLIGHT, "this needs root, and was started by user 65534: run it with sudo",
                  run=lambda: self.as_nobody("--yes"))

    def test_world_writable(self):
        path = self.config("AUTH_MODE=native\n", mode="666")
        self.said(WRONG_INPUT, f"{path}: others can write {path}; look through it and run: chmod go-w {path}", config=path)

    def test_misspelt_key(self):
        path = self.config("# A site.\nAUTH_MODE=native\nADMIN_USER_CSV=ann\n")
        self.said(WRONG_INPUT, rf"{path}:3: ADMIN_USER_CSV: no such key; the nearest is ADMIN_USERS_CSV", config=path)

    def test_all_faults_at_once(self):
        path = self.config("AUTH_MODE=github\nGITHUB_CLIENT_ID=id\nPVC_SIZE=plenty\n\nENABLE_NGINX_PROXY=maybe\n"
                           "SINGLEUSER_STORAGE_TYPE=static\n")
        self.said(WRONG_INPUT,
                  rf"{path}:1: AUTH_MODE: github needs GITHUB_CLIENT_SECRET or GITHUB_CLIENT_SECRET_FILE",
                  rf"{path}:1: AUTH_MODE: github needs GITHUB_CALLBACK_URL",
                  rf"{path}:3: PVC_SIZE: 'plenty' is not an amount such as 20Gi",
                  rf"{path}:5: ENABLE_NGINX_PROXY: 'maybe' is neither true nor false",
                  rf"{path}:6: SINGLEUSER_STORAGE_TYPE: static needs SINGLEUSER_STORAGE_CLAIM", config=path)

    def test_commands_are_refused_and_not_run(self):
        path = self.config("AUTH_MODE=native\nADMIN_USERS_CSV=$(touch /root/was-run; echo ann)\nPVC_SIZE=`touch /root/was-run`\n")
        refusal = "command substitution is refused: this file is data, and nothing here is run"
        self.said(WRONG_INPUT, rf"{path}:2: ADMIN_USERS_CSV: {refusal}", rf"{path}:3: PVC_SIZE: {refusal}", config=path)

    def test_words_that_the_program_does_not_know(self):
        for words, complaint in [
            (["--only", "everything"], "there is no stage 'everything'; the stages are host, cluster, .*, access"),
            (["--from", "everything"], "there is no stage 'everything'; the stages are host, cluster, .*, access"),
            (["--only", "host", "--from", "cluster"], "--only and --from exclude each other"),
            (["--everything"], "Unknown option '--everything'"),
            (["aply"], "Unexpected argument 'aply'"),
            (["--set", "PVC_SIZE"], "--set takes KEY=VALUE, not 'PVC_SIZE'"),
            (["--patience", "0"], "--patience takes seconds, from 1 to 86400, not 0"),
            (["--ignore", "no.such.check"], "no check of preflight is called no.such.check"),
            (["--ignore", "no.such.check", "--json"], "no check of preflight is called no.such.check"),
        ]:
            with self.subTest(words):
                result = self.refused(WRONG_USAGE, *words)
                self.assertEqual(result.stdout, "", result)
                first, *rest = result.stderr.splitlines()
                self.assertRegex(first, f"^Error: {complaint}")
                self.assertRegex(rest[-1], r"^ *See 'jhub-install.* --help' for more information\.$")

    def test_a_reader_that_goes_away(self):
        for words in ["preflight --allow-unsigned", "plan", "stages", "--help", "config show", "preflight --json --allow-unsigned"]:
            with self.subTest(words):
                done = head.run(f"cd /root; {PROGRAM} {words} 2>/run/errors | head -1; echo \"${{PIPESTATUS[@]}}\"; cat /run/errors")
                first, statuses, *errors = done.stdout.splitlines()
                self.assertTrue(first.strip(), done)
                self.assertEqual(statuses, f"{DONE} 0", done)
                self.assertEqual(errors, [])

    def test_a_terminal_of_20_columns(self):
        for words in ["preflight --allow-unsigned", "plan", "--help", "config show", "--yes --only host --config /nowhere"]:
            with self.subTest(words):
                done = head.run(f"cd /root; script --quiet --return --command 'stty cols 20 rows 5; {PROGRAM} {words}' /dev/null",
                                check=False)
                self.assertEqual(done.status, WRONG_INPUT if "nowhere" in words else DONE, done)
                self.assertTrue(done.stdout.strip(), done)
                self.assert_no_trace(done)


class Bundle(Refusals):
    @classmethod
    def setUpClass(cls):
        head.prepare()

    def spoilt(self, script):
        """A copy of the bundle, spoilt by a script that runs in it. The files are the good bundle's own: replace them."""
        self.spoil(f"rm -rf {BAD} && cp -al {BUNDLE} {BAD} && cd {BAD} && set -e; {script}", f"rm -rf {BAD}")

    def failed(self, *arguments, **options):
        return super().failed(*arguments, **{"bundle": BAD, **options})

    def test_missing(self):
        self.said(WRONG_INPUT, "there is no bundle directory /nowhere: copy it onto this machine, or name it with --bundle DIR",
                  bundle="/nowhere")

    def test_file_in_its_place(self):
        self.said(WRONG_INPUT, f"there is no bundle directory {CONFIG}: .* --bundle DIR", bundle=CONFIG)

    def test_empty_folder(self):
        self.spoil(f"mkdir {BAD}", f"rm -rf {BAD}")
        self.failed(WRONG_INPUT, {
            "app.bundle": (f"^no archive in {BAD}$", "--bundle DIR"),
            "app.chart": (f"^not in {BAD}$", "helm pull jupyterhub --version 4.2.0"),
            "app.complete": ("no archive holds .*k8s-hub:4.2.0.*", "docker save"),
            "snap.bases": ("without snapd, core20", "snap download snapd; snap download core20"),
            "snap.bundle": (f"^none in {BAD}/snaps$", "snap download microk8s"),
        })

    AGAIN = "^carry that archive again, and compare its checksum at both ends$"

    def test_archive_cut_off(self):
        for name, reason in [("coredns_v1.10.1.tar", "cut off: it should have \\d+ bytes and has 1000000"),
                             ("configurable-http-proxy-4.6.3.tar.zst", "Truncated")]:
            with self.subTest(name):
                self.spoilt(f"rm {name}; head -c 1000000 {BUNDLE}/{name} >{name}")
                self.failed(WRONG_INPUT, {"app.complete": (f"could not read {BAD}/{name}.*{reason}", self.AGAIN)})

    def test_several_damaged_archives(self):
        self.spoilt("rm coredns_v1.10.1.tar busybox-1.28.4.tar; echo x >coredns_v1.10.1.tar; echo x >busybox-1.28.4.tar")
        self.failed(WRONG_INPUT, {"app.complete": (
            f"^could not read {BAD}/busybox-1.28.4.tar: .*; could not read {BAD}/coredns_v1.10.1.tar: ",
            "^carry these archives again, and compare their checksums at both ends$")})

    def test_archive_with_one_bit_flipped(self):
        # In the JSON that says what the archive holds; the bits of layers are looked at when they are sent.
        self.spoilt("""rm coredns_v1.10.1.tar; python3 - <<'END'
data = bytearray(open("%s/coredns_v1.10.1.tar", "rb").read())
data[data.index(b"{", data.index(b"index.json"))] ^= 1
open("coredns_v1.10.1.tar", "wb").write(data)
END""" % BUNDLE)
        self.failed(WRONG_INPUT, {
            "app.complete": (f"could not read {BAD}/coredns_v1.10.1.tar: 'index.json' is not what it should be", self.AGAIN)})

    def test_empty_archive(self):
        self.spoilt("rm coredns_v1.10.1.tar; : >coredns_v1.10.1.tar")
        self.failed(WRONG_INPUT, {
            "app.bundle": (f"^{BAD}/coredns_v1.10.1.tar is empty$", "^carry these files again$"),
            "app.complete": (f"could not read {BAD}/coredns_v1.10.1.tar: it is empty", self.AGAIN)})

    def test_no_archive_at_all(self):
        for what, make in [("text", "echo hello"), ("noise", "head -c 100000 /dev/urandom")]:
            with self.subTest(what):
                self.spoilt(f"{make} >notes.tar")
                self.failed(WRONG_INPUT, {
                    "app.complete": (f"could not read {BAD}/notes.tar: Unrecognized archive format", self.AGAIN)})

    def test_archive_without_images(self):
        self.spoilt("echo hello >hello; tar -cf hello.tar hello; rm hello")
        self.failed(WRONG_INPUT, {
            "app.complete": (f"could not read {BAD}/hello.tar: it holds no images", self.AGAIN)})

    def test_image_absent(self):
        self.spoilt("rm coredns*; rm jhub_24.10_3.tar")
        self.failed(WRONG_INPUT, {"app.complete": (
            r"^no archive holds docker.io/coredns/coredns:1.10.1 \(MicroK8s: addon dns\), "
            r"docker.io/myorg/jhub-lab:24.10 \(SINGLEUSER_IMAGE, .*\)$",
            f"docker save -o {BAD}/coredns-1.10.1.tar docker.io/coredns/coredns:1.10.1; docker save -o .*myorg/jhub-lab:24.10")})

    def test_two_archives_with_one_name_and_different_content(self):
        # The same name for another config: as after a second `docker build` under the old tag.
        self.spoilt("""mkdir x && tar -C x -xf busybox-1.28.4.tar && python3 - <<'END'
import hashlib, json, os
manifest = json.load(open("x/manifest.json"))
config = json.load(open("x/" + manifest[0]["Config"]))
config["created"] = "2001-01-01T00:00:00Z"
text = json.dumps(config).encode()
manifest[0]["Config"] = hashlib.sha256(text).hexdigest() + ".json"
open("x/" + manifest[0]["Config"], "wb").write(text)
os.remove("x/manifest.json")
json.dump(manifest, open("x/manifest.json", "w"))
END
        tar -C x -cf busybox-again.tar . && rm -r x""")
        self.failed(WRONG_INPUT, {"app.complete": (
            f"docker.io/library/busybox:1.28.4: {BAD}/busybox-1.28.4.tar and {BAD}/busybox-again.tar give it different contents"
            f"|docker.io/library/busybox:1.28.4: {BAD}/busybox-again.tar and {BAD}/busybox-1.28.4.tar give it different contents",
            "^take the one of the two that is not meant out of the bundle$")})

    def test_chart_and_snaps_missing(self):
        self.spoilt("rm charts/* snaps/*")
        self.failed(WRONG_INPUT, {
            "app.chart": (f"^not in {BAD}$", "helm pull jupyterhub --version 4.2.0"),
            "snap.bases": ("without snapd, core20", "snap download snapd; snap download core20"),
            "snap.bundle": (f"^none in {BAD}/snaps$", "snap download microk8s"),
        })

    def test_snap_without_its_assertion_and_with_anothers(self):
        self.spoilt("rm snaps/core20_2318.assert snaps/snapd_21759.assert; cp snaps/core20_2318.snap /run/;"
                    f"cp {BUNDLE}/snaps/core20_2318.assert snaps/snapd_21759.assert")
        self.failed(WRONG_INPUT, {"snap.assert": (
            r"^core20_2318.snap has no .assert file beside it; "
            r"snapd_21759.snap is not the file that its assertion vouches for \(SHA3-384\)$", "snap download NAME writes both")})

    def test_snap_cut_off(self):
        self.spoilt(f"rm snaps/microk8s*.snap; head -c 1000000 {BUNDLE}/snaps/microk8s_8142.snap >snaps/microk8s_8142.snap")
        self.failed(WRONG_INPUT, {"snap.assert": (
            r"^microk8s_8142.snap has 1000000 bytes, its assertion says \d+$", "snap download NAME writes both")})


class WrongMachine(Refusals):
    @classmethod
    def setUpClass(cls):
        head.prepare()

    def test_wrong_system(self):
        self.spoil("sed 's/^VERSION_ID=.*/VERSION_ID=\"11\"/; s/^PRETTY_NAME=.*/PRETTY_NAME=\"Debian GNU\\/Linux 11\"/'"
                   " /usr/lib/os-release >/run/os-release && mount --bind /run/os-release /usr/lib/os-release",
                   "umount /usr/lib/os-release")
        self.failed(PREFLIGHT, {"os.release": ("^Debian GNU/Linux 11", "install on a machine with one of these systems")})

    def test_no_systemd(self):
        self.failed(PREFLIGHT, {"os.systemd": ("^process 1 is (?!systemd)", "install on a machine that systemd boots")},
                    run=lambda: head.run(["env", "-C", "/root", "unshare", "--pid", "--fork", "--mount-proc", PROGRAM, "--yes",
                                          "--allow-unsigned", "--ignore", "disk.fsync"], check=False))

    def test_ports_taken(self):
        self.spoil("""cat >/run/listen.py <<'END'
import socket, time
sockets = [socket.create_server(("", port)) for port in (16443, 30080)]
open("/run/listening", "w").close()
time.sleep(600)
END
            systemd-run --quiet --unit other-site /usr/bin/python3 /run/listen.py
            for i in {1..100}; do [ -e /run/listening ] && exit; sleep 0.1; done; exit 1""",
                   "systemctl stop other-site; rm -f /run/listening /run/listen.py")
        self.failed(PREFLIGHT, {
            "net.ports": (r"^16443 is held by python3, process \d+ of other-site.service$", "stop what holds it"),
            "net.port_node": (r"^30080 is held by python3, process \d+ of other-site.service$", "or set NODEPORT_FALLBACK_PORT")})

    def test_network_inside_the_pods_addresses(self):
        self.spoil("ip link add lan0 type bridge && ip address add 10.1.5.1/24 dev lan0 && ip link set lan0 up",
                   "ip link delete lan0")
        self.failed(PREFLIGHT, {"net.cidr_pod": ("^address 10.1.5.1/24 on lan0$", "move that network")})

    def test_worker_of_another_cluster(self):
        lock = "/var/snap/microk8s/current/var/lock"
        self.spoil(f"mkdir -p {lock} && touch {lock}/clustered.lock", "rm -r /var/snap/microk8s")
        self.failed(PREFLIGHT, {"mk8s.clustered": ("clustered.lock", "run jhub-install on that cluster's head")})

    def test_host_name_with_capitals_and_a_bundle_without_chart(self):
        self.spoil(f"hostname Head; cp -al {BUNDLE} {BAD}; rm {BAD}/charts/*", f"hostname head; rm -r {BAD}")
        # Both are named at once; a fault of the machine outweighs one of the bundle.
        self.failed(PREFLIGHT, {"id.hostname": ("^'Head' has capitals$", "^hostnamectl set-hostname head$"),
                                "app.chart": (f"^not in {BAD}$", "helm pull")}, bundle=BAD)

    def test_what_only_warns(self):
        self.spoil("printf 'Filename Type Size Used Priority\\n/dev/sdb2 partition 8388604 0 -2\\n' >/run/swaps;"
                   " mount --bind /run/swaps /proc/swaps", "umount /proc/swaps")
        self.assertNotIn("default", head.out("ip route"))
        result = self.refused(DONE, run=lambda: head.install("preflight"))
        self.assertRegex(result.stdout, r"(?m)^warn +os.swap +/dev/sdb2\n +needs none\n +fix +swapoff -a")
        self.assertRegex(result.stdout, r"(?m)^(warn|info) +net.default_route +none$")
        self.assertRegex(result.stdout, r"\npreflight: \d+ checks, 0 failed, \d+ with a warning\n$")


class SmallDisk(Refusals):
    @classmethod
    def setUpClass(cls):
        head.prepare(disk="600M")

    def test_too_small(self):
        free = r"free .* on /var/snap, or mount a larger disk at /var/snap/microk8s/common"
        result = self.refused(PREFLIGHT)
        self.assertEqual(result.stderr, "", result)
        table = dict(re.findall(r"^FAIL +(\S+) +(.+)\n", result.stdout, re.MULTILINE))
        self.assertIn("disk.snap_var", table)
        self.assertTrue(all(check.startswith("disk.") for check in table), result)
        self.assertRegex(table["disk.snap_var"], r"^\d+(\.\d)? MiB free on /var/snap$")
        self.assertRegex(result.stdout, rf"(?m)^ +fix +{free}$")


if __name__ == "__main__":
    unittest.main()
