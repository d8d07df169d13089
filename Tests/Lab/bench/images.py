#!/usr/bin/python3
"""How long images take into a containerd, and a bundle to be made and checked; `ctr`, `skopeo` and `sha256sum` beside.

Everything runs on this computer, each round against an empty containerd of its own. Prints a table, or JSON with --json.
"""

import argparse
import contextlib
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from install import ROOT, RELEASE, BenchError, machine, note, size

sys.path.insert(0, str(ROOT / "Tests/Lab/images"))
import archives  # noqa: E402
from store import Containerd  # noqa: E402

PROGRAM = RELEASE / "bin/jhub-install"
MIB = 1 << 20

# name: (base, layers of its own in MiB unpacked). Two bases, in gzip and in zstd, and one fat layer.
BASES = {"a": ("gzip", [400, 300]), "b": ("zstd", [300, 200])}
LARGE = {"hub": ("a", [300]), "lab": ("a", [400, 200]), "torch": ("a", [2500]),
         "spark": ("b", [700]), "cuda": ("b", [700]), "proxy": ("b", [300])}
SMALL = {f"small{number}": ("", [4]) for number in range(14)}
LATER = {"later": ("a", [100])}


# -- What is loaded

def corpus():
    """Bytes that compress as programs do, since they are programs."""
    found, total = [], 0
    for path in sorted(Path("/usr/lib").rglob("*")):
        if path.is_file() and not path.is_symlink() and total < 192 * MIB:
            found.append(path.read_bytes())
            total += len(found[-1])
    return b"".join(found)


def files(source, mebibytes, seed):
    choice, left, number = random.Random(seed), mebibytes * MIB, 0
    while left > 0:
        count = min(left, choice.choice([4, 16, 32, 64, 256, 1024]) << 10)
        start = choice.randrange(len(source) - count)
        # The first bytes are of this layer alone, so that no two layers are one.
        yield f"opt/{seed}/{number // 256}/{number}", (seed.encode() + source[start:start + count])[:count]
        left, number = left - count, number + 1


def make(folder):
    """One OCI archive an image, as it would be carried in: each with all its layers."""
    source, layers = corpus(), {}
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        def layer(name, number, mebibytes):
            key = f"{name}-{number}"
            if key not in layers:
                layers[key] = archives.layer_of_stream(files(source, mebibytes, key), Path(scratch) / key)
            return layers[key]

        for name, (base, own) in {**LARGE, **SMALL, **LATER}.items():
            note(f"making the image {name}")
            compression, shared = BASES.get(base, ("gzip", []))
            stack = [layer("base-" + base, *each) for each in enumerate(shared)] + [layer(name, *each) for each in enumerate(own)]
            image = archives.Image([f"bench.example/{name}:1"], stack, {"Cmd": ["/none"]})
            target = folder / ("later" if name in LATER else "set")
            target.mkdir(exist_ok=True)
            archives.write(target / f"{name}.tar", [image], form="oci", layer_compression=compression)
            docker = folder / "docker"
            docker.mkdir(exist_ok=True)
            if name in LARGE:
                archives.write(docker / f"{name}.tar", [image], form="docker")


def image_set():
    """From the lab's cache, where it is; a folder under its final name is whole."""
    cache = Path(os.environ.get("JHUB_LAB_CACHE", "/var/cache/jhub-lab"))
    text = repr((BASES, LARGE, SMALL, LATER)).encode() + Path(archives.__file__).read_bytes()
    folder = cache / ("bench-images-" + archives.hashlib.sha256(text).hexdigest()[:16])
    if not folder.exists():
        partial = cache / ".unfinished-bench-images"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        make(partial)
        partial.rename(folder)
    return folder


# -- Whom it is loaded into

@contextlib.contextmanager
def empty_containerd():
    with tempfile.TemporaryDirectory(prefix="jhub-bench-", dir="/var/tmp") as folder, Containerd(Path(folder)) as containerd:
        subprocess.run(["sync"], check=True)
        yield containerd


# -- What is measured

def timed(command, **options):
    """(seconds, most memory in KiB, what it printed)"""
    start = time.monotonic()
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen([str(word) for word in command], stdout=output, stderr=errors, **options)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - start
        output.seek(0)
        errors.seek(0)
        if process.returncode != 0:
            raise BenchError(f"{command[0]} ended with {process.returncode}: {errors.read().strip()[-300:]}")
        return seconds, usage.ru_maxrss, output.read()


def ours(containerd, bundle):
    """Every image of a bundle into that containerd."""
    with tempfile.NamedTemporaryFile("w", suffix=".env") as config:
        # A kubeconfig is asked for, and not read: there is no cluster here.
        config.write(f"CLUSTER_PROVIDER=existing\nKUBECONFIG_FILE=/none\nCONTAINERD_SOCKET={containerd.socket}\n"
                     "ADMIN_USERS_CSV=admin\nSINGLEUSER_IMAGE=bench.example/lab:1\n")
        config.flush()
        seconds, peak, text = timed([PROGRAM, "images", "import", "--all", "--config", config.name, "--bundle", bundle,
                                     "--allow-unsigned", "--json"])
    loaded = [event for event in map(json.loads, text.splitlines()) if event["event"] == "loaded"]
    return {"seconds": seconds, "peak": peak / 1024, "loaded": loaded[-1] if loaded else None}


def by_ctr(containerd, folder):
    start = time.monotonic()
    for archive in sorted(folder.iterdir()):
        containerd.ctr("images", "import", str(archive))
    return {"seconds": time.monotonic() - start}


def round_of(number, folder):
    """Both tools, each into a containerd of its own, the order changing."""
    result = {}
    for who in ("ctr", "us") if number % 2 == 0 else ("us", "ctr"):
        note(f"round {number + 1}: {'ctr' if who == 'ctr' else 'jhub-install'}")
        load = by_ctr if who == "ctr" else ours
        with empty_containerd() as containerd:
            first = load(containerd, folder / "set")
            before = containerd.content()
            again = load(containerd, folder / "set")
            moved = sum(containerd.content().values()) - sum(before.values())
            load(containerd, folder / "later")
            after = containerd.content()
            result[who] = {"first": first, "again": again, "moved": moved, "stored": sum(before.values()),
                           "later": sum(count for name, count in after.items() if name not in before)}
    return result


def blobs(files):
    """Bytes of each blob that these archives hold, by its name."""
    found = {}
    for archive in files:
        with archives.tarfile.open(archive) as tar:
            found |= {member.name: member.size for member in tar if member.name.startswith("blobs/sha256/") and member.isfile()}
    return found


def own_bytes(folder, known):
    """Of the image that comes later: all of its blobs that are not among those."""
    return sum(count for name, count in blobs((folder / "later").iterdir()).items() if name not in known)


def bound(folder):
    """Seconds below which nothing can load the set through a containerd, each out of the work of common tools alone:
    of all cores, of the disk, and of the longest stack of layers, which is unpacked one after the other."""
    note("what bounds it: sha256sum, gzip, zstd, tar and dd on the same blobs")
    layers, stacks, blobs = {}, [], 0
    with tempfile.TemporaryDirectory(prefix="jhub-bench-", dir="/var/tmp") as scratch:
        start = time.monotonic()
        subprocess.run(["dd", "if=/dev/zero", f"of={scratch}/zeros", "bs=4M", "count=512", "conv=fdatasync", "status=none"], check=True)
        written = 512 * 4 * MIB / (time.monotonic() - start)
        os.unlink(f"{scratch}/zeros")
        for archive in sorted((folder / "set").iterdir()):
            subprocess.run(["tar", "-xf", archive, "-C", scratch], check=True)
            found = Path(scratch) / "blobs/sha256"
            index = json.loads((Path(scratch) / "index.json").read_text())
            manifest = json.loads((found / index["manifests"][0]["digest"][7:]).read_text())
            stack = [layer["digest"][7:] for layer in manifest["layers"]]
            for name, layer in zip(stack, manifest["layers"]):
                layers[name] = layers.get(name) or work(found / name, layer["mediaType"], Path(scratch) / "files")
            stacks.append(stack)
        blobs = sum(path.stat().st_size for path in found.iterdir())
        hashing = cpu(["sha256sum", *sorted(found.iterdir())]) / blobs
    for layer in layers.values():
        layer["hash"] = layer["bytes"] * hashing
    every = sum(sum(layer[part] for part in ("inflate", "write", "hash")) for layer in layers.values()) + blobs * hashing
    return {"all cores": every / os.cpu_count(), "the disk": blobs / written,
            "the longest stack": max(sum(max(layers[name][part] for part in ("inflate", "write", "hash")) for name in stack)
                                     for stack in stacks)}


def work(layer, media_type, target):
    """Seconds of a processor that it takes to inflate a layer, and to write its files."""
    tool = "zstd" if media_type.endswith("zstd") else "gzip"
    with tempfile.NamedTemporaryFile(dir=layer.parent.parent) as plain:
        inflate = cpu([tool, "-dc", layer])
        cpu([tool, "-dc", layer], stdout=plain)
        target.mkdir()
        write = cpu(["tar", "-xf", plain.name, "-C", target])
        shutil.rmtree(target)
        return {"inflate": inflate, "write": write, "bytes": os.path.getsize(plain.name)}


def cpu(command, stdout=subprocess.DEVNULL):
    process = subprocess.Popen([str(word) for word in command], stdout=stdout)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise BenchError(f"{command[0]} ended with {process.returncode}")
    return usage.ru_utime + usage.ru_stime


def bundles(folder, rounds):
    """What a bundle of the docker archives costs to make, how large it is, and how fast it is checked."""
    result = {"tars": sum(path.stat().st_size for path in (folder / "docker").iterdir())}
    with tempfile.TemporaryDirectory(prefix="jhub-bench-", dir="/var/tmp") as scratch:
        bundle = Path(scratch) / "bundle"
        bundle.mkdir()
        note("a bundle of docker archives")
        result["create"], result["createPeak"] = timed([PROGRAM, "bundle", "add", bundle, *sorted((folder / "docker").iterdir())])[:2]
        found = [path for path in bundle.rglob("*") if path.is_file()]
        result["bundle"] = sum(path.stat().st_size for path in found)
        result["blobs"] = sum(path.stat().st_size for path in found if "blobs" in path.parts)
        subprocess.run(["cat", *found], stdout=subprocess.DEVNULL, check=True)
        result["verify"], result["sums"], result["sumsOfOne"] = [], [], []
        for number in range(rounds):
            note(f"checking the bundle, round {number + 1}")
            result["verify"].append(timed([PROGRAM, "bundle", "verify", bundle, "--allow-unsigned"])[0])
            listing = "\n".join(map(str, found)).encode()
            start = time.monotonic()
            subprocess.run(["xargs", "-P", str(os.cpu_count()), "-n", "1", "sha256sum"], input=listing,
                           stdout=subprocess.DEVNULL, check=True)
            result["sums"].append(time.monotonic() - start)
            result["sumsOfOne"].append(timed(["sha256sum", *found])[0])
        note("skopeo")
        start = time.monotonic()
        for archive in sorted((folder / "set").iterdir()):
            subprocess.run(["skopeo", "copy", "-q", "--insecure-policy", f"oci-archive:{archive}", f"oci:{scratch}/copy:{archive.stem}"],
                           check=True)
        result["copy"] = time.monotonic() - start
        start = time.monotonic()
        for archive in sorted((folder / "set").iterdir()):
            subprocess.run(["skopeo", "inspect", f"oci-archive:{archive}"], stdout=subprocess.DEVNULL, check=True)
        result["inspect"] = time.monotonic() - start
    return result


def measure(options):
    result = {"machine": machine()}
    folder = image_set()
    result["archives"] = sum(path.stat().st_size for path in (folder / "set").iterdir())
    result["unpacked"] = MIB * (sum(sum(own) for _, own in BASES.values()) + sum(sum(own) for _, own in {**LARGE, **SMALL}.values()))
    result["own"] = own_bytes(folder, blobs((folder / "set").iterdir()))
    result["bound"] = bound(folder)
    result["rounds"] = [round_of(number, folder) for number in range(options.rounds)]
    result["bundles"] = bundles(folder, options.rounds)
    result["machine"]["loadAtEnd"] = os.getloadavg()[0]
    return result


def median(result, who, when, key="seconds"):
    return statistics.median(one[who][when][key] for one in result["rounds"])


def table(result):
    facts, last = result["machine"], result["rounds"][-1]
    yield (f"{facts['cores']} cores ({facts['processor']}), {facts['memoryGiB']} GiB, kernel {facts['kernel']}; "
           f"load {facts['loadAtStart']:.1f} at the start, {facts['loadAtEnd']:.1f} at the end")
    yield (f"{len(LARGE) + len(SMALL)} images, {size(result['archives'])} of archives, {size(last['us']['stored'])} of blobs, "
           f"{size(result['unpacked'])} unpacked; median of {len(result['rounds'])} rounds, the order changing")
    yield ""
    yield f"{'into an empty containerd':<34}{'first':>10}{'again':>10}"
    for who, name in (("ctr", "loop of ctr images import"), ("us", "jhub-install images import")):
        yield f"{name:<34}{median(result, who, 'first'):>8.1f} s{median(result, who, 'again'):>8.2f} s"
    ratios = [median(result, "ctr", when) / median(result, "us", when) for when in ("first", "again")]
    yield f"{'ctr / jhub-install':<34}{ratios[0]:>9.2f}x{ratios[1]:>9.1f}x"
    slowest = max(result["bound"], key=result["bound"].get)
    yield f"{'bound':<34}{result['bound'][slowest]:>8.1f} s  {slowest}; " + ", ".join(
        f"{name} {seconds:.1f} s" for name, seconds in result["bound"].items() if name != slowest)
    yield f"{'jhub-install / bound':<34}{median(result, 'us', 'first') / result['bound'][slowest]:>9.2f}x"
    effort = last["us"]["first"]["loaded"]
    parts = ", ".join(f"{name} {milliseconds / 1000:.1f} s" for name, milliseconds in effort["parts"].items())
    yield f"  at work side by side: {parts}; bound by {effort['bound']}"
    yield f"  again moves {last['us']['moved']} bytes"
    yield (f"  one more image on a shared base writes {last['us']['later']} bytes; its own blobs have {result['own']} "
           f"(ctr: {last['ctr']['later']})")
    yield f"  memory: {median(result, 'us', 'first', 'peak'):.0f} MiB"
    made = result["bundles"]
    yield f"{'skopeo copy of the same archives':<34}{made['copy']:>8.1f} s  (into a folder, unpacking nothing)"
    yield ""
    yield (f"bundle of {len(LARGE)} docker archives: {size(made['tars'])} of tars become {size(made['bundle'])}, "
           f"{made['bundle'] / made['blobs']:.4f} x its blobs, in {made['create']:.1f} s, with {made['createPeak'] / 1024:.0f} MiB of memory")
    verify, sums, one = (statistics.median(made[key]) for key in ("verify", "sums", "sumsOfOne"))
    yield f"{'bundle verify':<34}{verify:>8.2f} s  {made['bundle'] / verify / 1e6:.0f} MB/s"
    yield f"{f'sha256sum, {os.cpu_count()} at a time':<34}{sums:>8.2f} s  {sums / verify:.2f} x"
    yield f"{'sha256sum, one':<34}{one:>8.2f} s  {one / verify:.2f} x"
    yield f"{'skopeo inspect of each archive':<34}{made['inspect']:>8.2f} s  (reads no layer)"


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench images", description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the table")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="how often everything is measured (5)")
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("scripts/bench: containerd needs root")
    try:
        result = measure(options)
    except (BenchError, OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"scripts/bench: {error}")
    print(json.dumps(result) if options.json else "\n".join(table(result)))


if __name__ == "__main__":
    main()
