#!/usr/bin/python3
"""How long an installation takes, stage by stage, at first and again; and the same images loaded by `ctr images import`.

Everything runs in a lab of its own, which is taken down at the end. Prints a table, or one JSON object with --json.
"""

import argparse
import hashlib
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
HERE = Path(__file__).resolve().parent
RELEASE = ROOT / "dist/jhub-install"
PROGRAM = "/opt/jhub-install/bin/jhub-install"
CTR = "/snap/bin/microk8s ctr"
SUFFIXES = (".tar", ".tar.gz", ".tar.zst")


class BenchError(Exception):
    pass


def note(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


class Lab:
    """A lab of this benchmark's own."""

    def __init__(self):
        own = hashlib.sha256(f"{ROOT} bench".encode()).hexdigest()[:8]
        self.environment = dict(os.environ, JHUB_LAB_ID=os.environ.get("JHUB_LAB_ID", own))

    def run(self, *words, **options):
        done = subprocess.run([str(ROOT / "scripts/lab"), *words], env=self.environment, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
        if done.returncode != 0:
            last = (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()[-1]
            raise BenchError(f"scripts/lab {' '.join(words)[:120]}: status {done.returncode}: {last}")
        return done.stdout

    def shell(self, script, machine="head", **options):
        return self.run("exec", machine, "--", "bash", "-c", script, **options)

    def put_release(self, bundle):
        """What is carried to a site, onto the head."""
        self.run("copy", str(RELEASE), "head:/opt")
        self.run("copy", str(bundle), "head:/root/offline-images")
        self.run("copy", str(ROOT / "Tests/Lab/jhub.env"), "head:/root/jhub.env")
        self.run("copy", str(HERE / "watch.py"), "head:/root/watch.py")
        self.shell("chmod go-w /root/jhub.env")

    def install(self, *arguments):
        return self.events("--yes", "--json", "--allow-unsigned", *arguments)

    def events(self, *arguments):
        """What jhub-install says on the head, each event with the seconds since the start in `at`."""
        command = [str(ROOT / "scripts/lab"), "exec", "head", "--", "bash", "-c",
                   'cd /root && exec python3 watch.py "$@"', "watch", PROGRAM, *arguments]
        events, start = [], time.monotonic()
        with tempfile.TemporaryFile("w+") as errors:
            process = subprocess.Popen(command, env=self.environment, text=True, stdout=subprocess.PIPE, stderr=errors)
            for line in process.stdout:
                event = json.loads(line)
                event["at"] = time.monotonic() - start
                events.append(event)
            if process.wait() != 0:
                errors.seek(0)
                raise BenchError(f"jhub-install ended with status {process.returncode}: {errors.read().strip()[-300:]}")
        return events


class Run:
    """One run of jhub-install, from its events."""

    def __init__(self, events):
        self.stages, self.changes, kinds = {}, [], {"load": 0.0, "run": 0.0}
        for event in events:
            if event["event"] == "settled":
                self.stages[event["stage"]] = {"seconds": event["milliseconds"] / 1000, "changes": event["changes"]}
            if event["event"] == "changed":
                self.changes.append(event["change"])
                kind = event["change"].split()[0]
                if kind in kinds:
                    kinds[kind] += event["milliseconds"] / 1000
        self.loading, self.commands = kinds["load"], kinds["run"]
        watched = [event for event in events if event["event"] == "watched"][0]
        self.seconds, self.peak, self.cpu = watched["seconds"], watched["peakKiB"], watched["cpuSeconds"]
        self.preflight = next(event["at"] for event in events if event["event"] == "began")

    def json(self):
        return {"seconds": self.seconds, "cpuSeconds": self.cpu, "peakMiB": round(self.peak / 1024, 1),
                "preflightSeconds": round(self.preflight, 2), "stages": self.stages,
                "changes": self.changes,
                "loadingSeconds": round(self.loading, 2), "commandSeconds": round(self.commands, 2)}


def containerd_cpu(lab):
    """Seconds of CPU that MicroK8s' containerd has used."""
    script = ('pid=$(systemctl show --property=MainPID --value snap.microk8s.daemon-containerd); '
              'awk -v tick=$(getconf CLK_TCK) \'{ sub(/.*\\) /, ""); print ($12 + $13) / tick }\' /proc/$pid/stat')
    return float(lab.shell(script))


def empty_containerd(lab):
    """MicroK8s stopped but for its containerd, and nothing in that."""
    lab.shell(f"""
        systemctl start snap.microk8s.daemon-containerd
        for try in $(seq 50); do {CTR} version >/dev/null 2>&1 && break; sleep 0.2; done
        {CTR} images ls -q | xargs -r {CTR} images rm --sync >/dev/null
        for try in $(seq 50); do [ -z "$({CTR} content ls -q)" ] && break; sleep 0.2; done
        sync""")
    rest = lab.shell(f"{CTR} content ls -q; {CTR} images ls -q").split()
    if rest:
        raise BenchError(f"containerd still has {len(rest)} pieces, so nothing can be compared")


def by_ctr(lab, bundle, archives):
    """A loop over the archives. ctr reads none that is compressed as a whole, so those are inflated first."""
    packed = [name for name in archives if name.endswith(".zst")]
    if len(packed) > 1:
        raise BenchError("the loop can inflate but one .zst")
    before = containerd_cpu(lab)
    # A bare machine has no zstd: this computer's, through a pipe that is read when its turn comes.
    source = subprocess.Popen(["zstd", "-dcq", str(bundle / packed[0])], stdout=subprocess.PIPE) if packed else None
    words = lab.shell(f"""
        set -e; cd /root/offline-images; inflating=0
        now() {{ date +%s.%N; }}
        start=$(now)
        for file in {" ".join(archives)}; do
            case $file in
                *.tar) {CTR} images import $file >/dev/null; continue ;;
                *.gz) began=$(now); zcat $file >/root/inflated.tar ;;
                *.zst) began=$(now); cat >/root/inflated.tar ;;
            esac
            inflating=$(awk "BEGIN {{ print $inflating + $(now) - $began }}")
            {CTR} images import /root/inflated.tar >/dev/null
            rm /root/inflated.tar
        done
        awk "BEGIN {{ print $(now) - $start, $inflating }}" """, stdin=source.stdout if source else subprocess.DEVNULL)
    if source:
        source.stdout.close()
        source.wait()
    seconds, inflating = map(float, words.split())
    return {"seconds": seconds, "inflating": inflating, "containerd": containerd_cpu(lab) - before}


def by_us(lab):
    before = containerd_cpu(lab)
    run = Run(lab.install("--only", "images"))
    return {"seconds": run.stages["images"]["seconds"], "whole": run.seconds, "containerd": containerd_cpu(lab) - before,
            "changes": run.stages["images"]["changes"], "cpu": run.cpu, "peakMiB": run.peak / 1024}


def start_up(times):
    """The median of `--help`, in milliseconds, and how much of each start is computing: that others do not lengthen."""
    program, results = str(RELEASE / "bin/jhub-install"), []
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for _ in range(times):
        start = time.perf_counter()
        subprocess.run([program, "--help"], stdout=subprocess.DEVNULL, check=True)
        results.append((time.perf_counter() - start) * 1000)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    computed = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"runs": times, "cpu": round(computed * 1000 / times, 1), "median": round(statistics.median(results), 1), "least": round(min(results), 1),
            "most": round(max(results), 1)}


def size_of(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def lab_bundle():
    return Path(subprocess.run([str(ROOT / "Tests/Lab/bundle")], stdout=subprocess.PIPE, text=True, check=True).stdout.strip())


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        names = [line.split(":")[1].strip() for line in info if line.startswith("model name")]
    with open("/proc/meminfo", encoding="ascii") as info:
        memory = int(info.readline().split()[1])
    return {"processor": names[0] if names else "unknown", "cores": os.cpu_count(), "memoryGiB": round(memory / 1048576, 1),
            "kernel": os.uname().release, "loadAtStart": os.getloadavg()[0]}


def measure(options):
    result = {"machine": machine()}
    bundle = lab_bundle()
    archives = sorted(path.name for path in bundle.iterdir() if path.name.endswith(SUFFIXES))
    result["bundleBytes"] = sum((bundle / name).stat().st_size for name in archives)
    result["help"] = start_up(options.starts)
    result["binaryBytes"] = (RELEASE / "bin/jhub-install").stat().st_size
    result["releaseBytes"] = size_of(RELEASE)

    lab = Lab()
    note("a bare machine")
    lab.run("up")
    try:
        lab.run("reset", "head")
        lab.put_release(bundle)
        note("the first run")
        result["first"] = Run(lab.install()).json()
        note("the second run")
        result["second"] = Run(lab.install()).json()

        lab.shell("/snap/bin/microk8s stop >/dev/null")
        rounds = []
        for number in range(options.rounds):
            one = {}
            for who in ("ctr", "us") if number % 2 == 0 else ("us", "ctr"):
                note(f"images, round {number + 1} of {options.rounds}: {'ctr' if who == 'ctr' else 'jhub-install'}")
                load = (lambda: by_ctr(lab, bundle, archives)) if who == "ctr" else (lambda: by_us(lab))
                empty_containerd(lab)
                one[who] = {"first": load(), "again": load()}
            rounds.append(one)
        result["rounds"] = rounds
    finally:
        if not options.keep:
            lab.run("down")
    result["machine"]["loadAtEnd"] = os.getloadavg()[0]
    return result


def median(result, who, when, key="seconds"):
    return statistics.median(one[who][when][key] for one in result["rounds"])


def size(count):
    return f"{count / 1e6:.1f} MB"


def table(result):
    facts, first, second = result["machine"], result["first"], result["second"]
    yield (f"{facts['cores']} cores ({facts['processor']}), {facts['memoryGiB']} GiB, kernel {facts['kernel']}; "
           f"load {facts['loadAtStart']:.1f} at the start, {facts['loadAtEnd']:.1f} at the end")
    yield ""
    yield f"{'stage':<12}{'first run':>12}{'changes':>9}{'second run':>12}{'changes':>9}"
    yield f"{'preflight':<12}{first['preflightSeconds']:>10.1f} s{'':>9}{second['preflightSeconds']:>10.1f} s"
    for name, stage in first["stages"].items():
        again = second["stages"][name]
        yield f"{name:<12}{stage['seconds']:>10.1f} s{stage['changes']:>9}{again['seconds']:>10.1f} s{again['changes']:>9}"
    yield f"{'all':<12}{first['seconds']:>10.1f} s{'':>9}{second['seconds']:>10.1f} s"
    yield f"{'CPU':<12}{first['cpuSeconds']:>10.1f} s{'':>9}{second['cpuSeconds']:>10.1f} s"
    yield f"{'memory':<12}{first['peakMiB']:>8.0f} MiB{'':>9}{second['peakMiB']:>8.0f} MiB"
    rest = first["seconds"] - first["preflightSeconds"] - first["loadingSeconds"] - first["commandSeconds"]
    yield (f"The first run: {first['loadingSeconds']:.1f} s loading images, {first['commandSeconds']:.1f} s in other commands, "
           f"{first['preflightSeconds']:.1f} s preflight, {rest:.1f} s looking and waiting for the cluster.")
    if second["changes"]:
        # The machines of all labs share a kernel: another lab's MicroK8s may have set what is not a machine's own.
        yield f"The second run changed: {'; '.join(second['changes'])}"
    yield ""
    yield f"{'images (' + size(result['bundleBytes']) + ' of archives)':<34}{'first':>10}{'again':>10}{'containerd CPU':>16}"
    for who, name in (("ctr", "loop of ctr images import"), ("us", "jhub-install, stage images")):
        yield (f"{name:<34}{median(result, who, 'first'):>8.1f} s{median(result, who, 'again'):>8.1f} s"
               f"{median(result, who, 'first', 'containerd'):>14.1f} s")
    yield (f"{'jhub-install, the whole command':<34}{median(result, 'us', 'first', 'whole'):>8.1f} s"
           f"{median(result, 'us', 'again', 'whole'):>8.1f} s")
    ratios = [median(result, "ctr", when) / median(result, "us", when) for when in ("first", "again")]
    yield f"{'ctr / stage images':<34}{ratios[0]:>9.2f}x{ratios[1]:>9.2f}x"
    each = [[one["ctr"][when]["seconds"] / one["us"][when]["seconds"] for one in result["rounds"]] for when in ("first", "again")]
    yield f"{'  the least and the most of a round':<34}" + "".join(f"{min(of):>5.1f}-{max(of):<4.1f}" for of in each)
    yield (f"Median of {len(result['rounds'])} rounds, the order changing. Of ctr's time {median(result, 'ctr', 'first', 'inflating'):.1f} s "
           f"is inflating what it cannot read; jhub-install took {median(result, 'us', 'first', 'peakMiB'):.0f} MiB of memory.")
    busy = median(result, "us", "first", "containerd") + median(result, "us", "first", "cpu")
    yield (f"Of the {median(result, 'us', 'first', 'whole'):.1f} s of the whole command jhub-install, its commands and containerd computed for "
           f"{busy:.1f} s; the rest is the disk, which takes every layer twice (as it came, and unpacked), and turns lost to others.")
    yield ""
    start = result["help"]
    yield (f"--help: {start['median']} ms (median of {start['runs']}; {start['least']} to {start['most']}), "
           f"of which {start['cpu']} ms of CPU")
    yield f"binary {size(result['binaryBytes'])}, whole release {size(result['releaseBytes'])}"


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench install", description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the table")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="how often the images are loaded each way (3)")
    parser.add_argument("--starts", type=int, default=40, metavar="N", help="how often --help is started (40)")
    parser.add_argument("--keep", action="store_true", help="leave the lab up")
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("scripts/bench: the lab needs root")
    try:
        result = measure(options)
    except (BenchError, subprocess.CalledProcessError) as error:
        sys.exit(f"scripts/bench: {error}")
    print(json.dumps(result) if options.json else "\n".join(table(result)))


if __name__ == "__main__":
    main()
