#!/usr/bin/python3
"""How long three bare machines take to become nodes, and a set of images to them; the loop of scp and ctr beside.

Everything runs in a lab of its own, with cables of 1 Gbit/s, which is taken down at the end. Prints a table, or JSON with --json.
"""

import argparse
import concurrent.futures
import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from images import LARGE, LATER, MIB, BASES, SMALL, blobs, image_set, own_bytes
from install import ROOT, BenchError, Lab, lab_bundle, machine, note, size

WORKERS = [f"worker{number}" for number in (1, 2, 3)]
ADDRESSES = {name: f"10.99.0.1{number}" for number, name in enumerate(WORKERS, 1)}
CTR = "/snap/bin/microk8s ctr"
INBOX = "/var/tmp/set"
KEY = "/root/.ssh/id_ed25519"
LOGIN = f"-i {KEY} -o BatchMode=yes -o StrictHostKeyChecking=no"
GIGABIT = 125_000_000
# Its own, since the kubelet would collect images where the disk of this computer is nearly full.
DISK = "20G"
MACHINES = ["head"] + WORKERS
# Of the cores, for each machine: as on a site, what one does not need is of no use to another.
SHARE = os.cpu_count() / len(MACHINES)

# Ends with its standard input: the most memory that sshd and what it runs had, in KiB, shared pages once (Pss).
SAMPLER = r"""
import os, select, sys
most = 0
while not select.select([sys.stdin], [], [], 0.3)[0]:
    total = 0
    for process in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{process}/comm") as comm:
                if comm.read().strip() not in ("sshd", "perl"):
                    continue
            with open(f"/proc/{process}/smaps_rollup") as rollup:
                total += next(int(line.split()[1]) for line in rollup if line.startswith("Pss:"))
        except (OSError, StopIteration):
            pass
    most = max(most, total)
print(most)
"""


# -- What is watched

class Bench:
    def __init__(self, lab, folder, names):
        self.lab, self.folder, self.names = lab, folder, names
        self.archives = [folder / f"set/{name}.tar" for name in names]
        self.blobs = blobs(self.archives)

    def received(self):
        """Bytes that came down each worker's cable."""
        links = json.loads(self.lab.run("ns", "--", "ip", "-json", "-stats", "link"))
        counts = {link["ifname"]: link["stats64"]["tx"]["bytes"] for link in links}
        return {name: counts[f"ve-{name}"] for name in WORKERS}

    def group(self, name, file):
        """A file of the machine's control group: of cgroup v1 or of v2."""
        places = [f"/sys/fs/cgroup/{controller}lab-{self.lab.environment['JHUB_LAB_ID']}-{name}/{file}" for controller in ("", "cpu/", "cpuacct/")]
        return next((Path(place) for place in places if os.path.exists(place)), None)

    def computed(self):
        """Seconds that each machine has worked."""
        found = {}
        for name in MACHINES:
            if old := self.group(name, "cpuacct.usage"):
                found[name] = int(old.read_text()) / 1e9
            else:
                words = self.group(name, "cpu.stat").read_text().split()
                found[name] = int(words[words.index("usage_usec") + 1]) / 1e6
        return found

    def cores_of_their_own(self):
        period = 20_000  # microseconds: short beside what anybody waits for
        for name in MACHINES:
            if new := self.group(name, "cpu.max"):
                new.write_text(f"{int(period * SHARE)} {period}")
            else:
                self.group(name, "cpu.cfs_period_us").write_text(str(period))
                self.group(name, "cpu.cfs_quota_us").write_text(str(int(period * SHARE)))

    @contextlib.contextmanager
    def watched(self):
        """Seconds, bytes down each worker's cable, what each machine computed, and the workers' memory."""
        result = {}
        samplers = {name: subprocess.Popen(
            [str(ROOT / "scripts/lab"), "exec", name, "--", "python3", "-c", SAMPLER], env=self.lab.environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE) for name in WORKERS}
        before, busy, start = self.received(), self.computed(), time.monotonic()
        try:
            yield result
            result["seconds"] = time.monotonic() - start
            result["computed"] = {name: seconds - busy[name] for name, seconds in self.computed().items()}
            result["wire"] = {name: count - before[name] for name, count in self.received().items()}
        finally:
            memory = {name: sampler.communicate("\n")[0] for name, sampler in samplers.items()}
        result["workerMiB"] = max(int(words) for words in memory.values()) / 1024

    # -- What is measured

    def add(self, *words):
        """`add-node`, its events, and what was watched meanwhile."""
        with self.watched() as result:
            events = self.lab.events("add-node", *words, "--json", "--allow-unsigned", "--ignore", "disk.fsync")
        own = next(event for event in events if event["event"] == "watched")
        result |= {"headMiB": own["peakKiB"] / 1024, "read": own["readBytes"], "cpu": own["cpuSeconds"]}
        result["loaded"] = {event["node"]: event for event in events if event["event"] == "loaded"}
        result["stages"] = stages(events)
        return result

    def loop(self):
        """As one does by hand: a node's archives there, imported, and the next node."""
        with self.watched() as result:
            for name in WORKERS:
                self.scp(name)
                self.by_ctr(name)
        return result

    def side_by_side(self):
        """The same, every node at once."""
        def one(name):
            self.scp(name)
            copied.append(time.monotonic() - start)
            self.by_ctr(name)
        with self.watched() as result, concurrent.futures.ThreadPoolExecutor() as pool:
            start, copied = time.monotonic(), []
            list(pool.map(one, WORKERS))
        return result | {"copied": max(copied)}

    def scp(self, name):
        self.lab.shell(f"ssh {LOGIN} root@{ADDRESSES[name]} mkdir -p {INBOX} && scp -q {LOGIN} /root/set/*.tar root@{ADDRESSES[name]}:{INBOX}/")

    def by_ctr(self, name):
        self.lab.shell(f"set -e; for file in {INBOX}/*.tar; do {CTR} images import $file >/dev/null; rm $file; done", name)

    def empty(self):
        """No worker has anything of the set, and the head has to read it from its disk."""
        for name in WORKERS:
            # The kubelet's side gives each image a second name.
            self.lab.shell(f"""{CTR} images ls | awk '{{ digest[$1] = $3 }} $1 ~ "^bench.example/" {{ ours[$3] }}
                END {{ for (name in digest) if (digest[name] in ours) print name }}' | xargs -r {CTR} images rm --sync >/dev/null
                fstrim /var/snap""", name)
            digests = self.lab.shell(f"{CTR} content ls -q", name).split()
            left = {f"blobs/{digest.replace(':', '/')}" for digest in digests} & self.blobs.keys()
            if left:
                raise BenchError(f"{name} still has {len(left)} blobs of the set, so nothing can be compared")
        subprocess.run(["sync"], check=True)
        self.lab.shell(f"""python3 -c 'import os, sys
for path in sys.argv[1:]:
    with open(path, "rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)' /root/set/*.tar""")

    # -- The lab

    def prepare(self):
        lab = self.lab
        lab.run("up", "--workers", str(len(WORKERS)))
        for name in MACHINES:
            lab.run("reset", name, "--disk", DISK)
        lab.put_release(lab_bundle())
        note("the head")
        lab.install("--ignore", "disk.fsync")
        lab.shell("mkdir /root/set; install -d -m 700 /root/.ssh; mv /root/jhub.env /root/plain.env")
        for archive in self.archives:
            lab.run("copy", str(archive), "head:/root/set")
        lab.shell("ln /root/set/*.tar /root/offline-images/")
        lab.run("copy", str(self.folder / "later/later.tar"), "head:/root/offline-images")
        self.want(self.names)
        lab.run("copy", f"/var/lib/jhub-lab/{lab.environment['JHUB_LAB_ID']}/id_ed25519", f"head:{KEY}")
        for name in MACHINES:
            # Both ends of the cable.
            shape = "root tbf rate 1gbit burst 256kb latency 20ms"
            lab.run("ns", "--", "sh", "-c", f"tc qdisc replace dev ve-{name} {shape}")
            lab.shell(f"tc qdisc replace dev eth0 {shape}", name)

    def want(self, names):
        """Every node needs the images that a user may choose."""
        listed = ",".join(f"bench.example/{name}:1" for name in names)
        self.lab.shell(f"umask 077; {{ cat /root/plain.env; echo; echo 'export ALLOWED_CUSTOM_IMAGES={listed}'; }} >/root/jhub.env")

    def keys(self):
        words = []
        for name, address in ADDRESSES.items():
            words += [address, "--host-key", self.lab.shell("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub", name).split()[1]]
        return words


def stages(events):
    """Seconds of each stage, by node; before them the look at the machine, and at the end when it was Ready."""
    found, ready = {"look, preflight": {}}, {}
    for event in events:
        name = event.get("node")
        if name in WORKERS and event["event"] == "began":
            found["look, preflight"].setdefault(name, event["at"])
        if name in WORKERS and event["event"] == "settled":
            found.setdefault(event["stage"], dict.fromkeys(WORKERS, 0.0))[name] += event["milliseconds"] / 1000
            if event["stage"] == "node":
                ready[name] = event["at"]
    return found | {"Ready after": ready}


def measure(options):
    result = {"machine": machine()}
    folder = image_set()
    images = {**({"hub": LARGE["hub"]} if options.small else LARGE), **SMALL}
    lab = Lab()
    bench = Bench(lab, folder, list(images))
    result["images"] = len(images)
    result["archives"] = sum(path.stat().st_size for path in bench.archives)
    result["blobs"] = sum(bench.blobs.values())
    result["own"] = own_bytes(folder, bench.blobs)
    bases = {base for base, _ in images.values()} & BASES.keys()
    result["unpacked"] = MIB * (sum(sum(BASES[base][1]) for base in bases) + sum(sum(own) for _, own in images.values()))
    try:
        note("four bare machines")
        bench.prepare()
        note("three of them become nodes")
        result["joined"] = bench.add(*bench.keys())
        note("nothing is missing")
        result["nothing"] = bench.add()
        note("one more image on a shared base")
        bench.want([*images, *LATER])
        result["later"] = bench.add()
        bench.want(images)
        bench.cores_of_their_own()
        for way, run in (("ours", bench.add), ("parallel", bench.side_by_side), ("loop", bench.loop)):
            note(f"the set to three nodes: {way}")
            bench.empty()
            result[way] = run()
    finally:
        if not options.keep:
            lab.run("down")
    result["machine"]["loadAtEnd"] = os.getloadavg()[0]
    return result


# -- What is printed

def busy(one, names):
    """Seconds that the busiest of the machines needs for what it computed."""
    return max(one["computed"][name] for name in names) / SHARE


def table(result):
    facts, joined, cores = result["machine"], result["joined"], result["machine"]["cores"]
    yield (f"{cores} cores ({facts['processor']}), {facts['memoryGiB']} GiB, kernel {facts['kernel']}; "
           f"load {facts['loadAtStart']:.1f} at the start, {facts['loadAtEnd']:.1f} at the end; head and three workers on it")
    yield (f"{result['images']} images, {size(result['archives'])} of archives, {size(result['blobs'])} of blobs, "
           f"{size(result['unpacked'])} unpacked; each machine on a cable of 1 Gbit/s")
    yield ""
    yield f"{'from bare machine to Ready':<36}" + "".join(f"{name:>10}" for name in WORKERS)
    for stage, seconds in joined["stages"].items():
        yield f"{stage:<36}" + "".join(f"{seconds[name]:>8.1f} s" for name in WORKERS)
    yield f"{'all three, and each knows each':<36}{joined['seconds']:>8.1f} s"
    yield ""
    yield f"the set to three nodes, each machine with {SHARE:g} cores of its own"
    yield f"{'':<36}{'time':>10}{'a node':>13}{'x blobs':>9}{'cable':>8}{'head':>8}{'a worker':>10}"
    for way, name in (("loop", "loop of scp and ctr images import"), ("parallel", "the same side by side"),
                      ("ours", "jhub-install add-node")):
        one = result[way]
        most = max(one["wire"].values())
        yield (f"{name:<36}{one['seconds']:>8.1f} s{size(most):>13}{most / result['blobs']:>9.3f}"
               f"{sum(one['wire'].values()) / GIGABIT / one['seconds']:>8.0%}{busy(one, ['head']) / one['seconds']:>8.0%}"
               f"{busy(one, WORKERS) / one['seconds']:>10.0%}")
    ours = result["ours"]
    yield f"{'  scp alone, side by side':<36}{result['parallel']['copied']:>8.1f} s"
    yield f"{'loop / add-node':<36}{result['loop']['seconds'] / ours['seconds']:>9.2f}x"
    yield f"{'side by side / add-node':<36}{result['parallel']['seconds'] / ours['seconds']:>9.2f}x"
    bounds = {"a worker's cores": busy(ours, WORKERS), "the head's cores": busy(ours, ["head"]),
              "the head's cable": len(WORKERS) * result["blobs"] / GIGABIT}
    slowest = max(bounds, key=bounds.get)
    yield f"{'bound':<36}{bounds[slowest]:>8.1f} s  {slowest}; " + ", ".join(
        f"{name} {seconds:.1f} s" for name, seconds in bounds.items() if name != slowest)
    yield (f"  of {sum(ours['computed'].values()):.0f} s that all computed jhub-install took {ours['cpu']:.0f} s; "
           f"read from the head's disk: {ours['read'] / result['archives']:.2f} x the archives")
    later, nothing = result["later"], result["nothing"]
    sent = max(event["bytes"] for event in later["loaded"].values())
    yield (f"one more image on a shared base: {later['seconds']:.1f} s, {sent} bytes of blobs a node, its own have {result['own']}; "
           f"{max(later['wire'].values())} on the wire")
    yield (f"nothing missing: {nothing['seconds']:.2f} s, {sum(event['bytes'] for event in nothing['loaded'].values())} bytes of blobs; "
           f"{max(nothing['wire'].values())} on the wire a node")
    yield f"memory: {ours['headMiB']:.0f} MiB on the head, {ours['workerMiB']:.0f} MiB on a worker (sshd and what it runs)"


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench nodes", description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the table")
    parser.add_argument("--small", action="store_true", help="a set of 0.4 GB, to try this out; the whole one needs 45 GB of disk")
    parser.add_argument("--keep", action="store_true", help="leave the lab up")
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("scripts/bench: the lab needs root")
    try:
        result = measure(options)
    except (BenchError, OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"scripts/bench: {error}")
    print(json.dumps(result) if options.json else "\n".join(table(result)))


if __name__ == "__main__":
    main()
