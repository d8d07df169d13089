#!/usr/bin/python3
"""What the agent costs, with 8 GPUs and 32 processes of the fake driver; nvitop-exporter and gpustat on the same driver beside.

Each is asked at the same period for the same time, one after the other. The two come from PyPI. Prints a table, or JSON with --json.
"""

import argparse
import contextlib
import http.client
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

from install import ROOT, RELEASE, BenchError, note

PROGRAM = RELEASE / "bin/jhub-agent"
PORT, OTHER = 19450, 19451
GPUS, EACH = 8, 4
PEERS = ["nvitop==1.7.2", "nvitop-exporter==1.7.2", "gpustat==1.1.1"]
TICKS = os.sysconf("SC_CLK_TCK")
# gpustat has no server: this is its loop of --interval without the terminal.
GPUSTAT = "import gpustat, sys, time\nwhile True:\n gpustat.new_query().jsonify()\n time.sleep(float(sys.argv[1]))"


# -- The driver and those who look at it

@contextlib.contextmanager
def driver(folder):
    """The fake driver in the folder, with processes that are there."""
    sources = sorted((ROOT / "Tests/FakeNVML").glob("*.c"))
    library = folder / "libnvidia-ml.so.1"
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-I", ROOT / "Tests/FakeNVML/include", "-o", library, *sources], check=True)
    sleepers = [subprocess.Popen(["sleep", "100000"]) for _ in range(GPUS * EACH)]
    lines = [f"gpus {GPUS}", "gpu * name NVIDIA H100 80GB HBM3"]
    lines += [f"process {number // EACH} {each.pid} {1 << 30}" for number, each in enumerate(sleepers)]
    try:
        script(folder, lines)
        yield lines
    finally:
        for each in sleepers:
            each.kill()
            each.wait()


def script(folder, lines):
    new = folder / "nvml.script.new"
    new.write_text("\n".join(lines) + "\n")
    new.rename(folder / "nvml.script")


@contextlib.contextmanager
def running(argv, folder, ready=None):
    """The process, once it answers at the port `ready`; and after how many seconds it did."""
    log = folder / "log"
    with open(log, "w", encoding="utf-8") as output:
        start = time.monotonic()
        process = subprocess.Popen([str(word) for word in argv], stdout=output, stderr=output,
                                   env={**os.environ, "LD_LIBRARY_PATH": str(folder)})
    try:
        while ready:
            with contextlib.suppress(OSError, http.client.HTTPException):
                scrape(ready)
                break
            if process.poll() is not None or time.monotonic() - start > 30:
                raise BenchError(f"{argv[0]} does not answer: {log.read_text()[-500:]}")
            time.sleep(0.002)
        yield process, time.monotonic() - start
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def agent(folder, period):
    return [PROGRAM, "run", "--library", folder / "libnvidia-ml.so.1", "--listen", f"127.0.0.1:{PORT}", "--period", period,
            "--samples", folder / "samples", "--health-file", folder / "health.json"]


def peers(folder):
    """A Python with them, from PyPI."""
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv/bin/python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", *PEERS], check=True)
    return python


# -- What is measured

def scrape(port):
    """(seconds, body)"""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    start = time.perf_counter()
    connection.request("GET", "/metrics")
    answer = connection.getresponse()
    body = answer.read()
    took = time.perf_counter() - start
    connection.close()
    if answer.status != 200:
        raise BenchError(f"/metrics at {port}: {answer.status}")
    return took, body.decode()


def cpu(process):
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory(process):
    """Of the process, resident: (all, without what it shares with others), in MiB."""
    values = {}
    for line in Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, number = line.split()[:2]
        values[name] = int(number) / 1024
    return values["Rss:"], values["Private_Clean:"] + values["Private_Dirty:"]


def cost(process, seconds, port=None, every=1.0):
    """Its share of a core over so many seconds, scraped at this period; its memory at the end."""
    time.sleep(3)
    before, start, next_one = cpu(process), time.monotonic(), time.monotonic()
    while time.monotonic() - start < seconds:
        if port:
            scrape(port)
        next_one += every
        time.sleep(max(0.0, next_one - time.monotonic()))
    share = (cpu(process) - before) / (time.monotonic() - start)
    resident, own = memory(process)
    return {"cpuPercent": round(100 * share, 3), "rssMiB": round(resident, 1), "ownMiB": round(own, 1)}


def quantiles(times):
    times = sorted(times)
    return {"p50Milliseconds": round(1000 * statistics.median(times), 2),
            "p99Milliseconds": round(1000 * times[int(len(times) * 0.99)], 2), "mostMilliseconds": round(1000 * times[-1], 2)}


def value(body, name):
    return next(float(line.split()[-1]) for line in body.splitlines() if line.startswith(name))


def soak(folder, rounds):
    """Its memory after every tenth of so many samples, as fast as they come."""
    with running(agent(folder, 0.001) + ["--record", "0.1"], folder, PORT) as (process, _):
        found, start = [], time.monotonic()
        for tenth in range(1, 11):
            while value(scrape(PORT)[1], "jhub_driver_rounds_total") < rounds * tenth / 10:
                time.sleep(0.05)
            found.append(round(memory(process)[0], 1))
        return {"rounds": rounds, "seconds": round(time.monotonic() - start), "rssMiB": found}


def hang(folder, lines):
    """Scrapes while a call of the driver does not come back."""
    with running(agent(folder, 1), folder, PORT) as (_, __):
        time.sleep(2)
        script(folder, lines + ["hang nvmlDeviceGetPowerUsage 3"])
        deadline = time.monotonic() + 30
        while value(scrape(PORT)[1], "jhub_driver_call_hung") != 1:
            if time.monotonic() > deadline:
                raise BenchError("the hung call is not told")
            time.sleep(0.1)
        times = [scrape(PORT)[0] for _ in range(300)]
        script(folder, lines)
        return quantiles(times)


def measure(given):
    results = {"binaryMB": round(PROGRAM.stat().st_size / 1e6, 1), "cores": os.cpu_count(), "gpus": GPUS,
               "processes": GPUS * EACH, "seconds": given.seconds, "load": os.getloadavg()[0]}
    with tempfile.TemporaryDirectory(prefix="jhub-bench-") as place, driver(Path(place)) as lines:
        folder = Path(place)
        note("start to first answer")
        starts = []
        for _ in range(10):
            with running(agent(folder, 1), folder, PORT) as (_, seconds):
                starts.append(seconds)
        results["firstAnswerMilliseconds"] = round(1000 * statistics.median(starts), 1)
        for name, period, every in [("1 s", 1, 1), ("15 s", 15, 15), ("15 s, scraped each second", 15, 1)]:
            note(f"the agent, {name}")
            with running(agent(folder, period), folder, PORT) as (process, _):
                results[f"agent, {name}"] = cost(process, given.seconds, PORT, every)
                if period == 1:
                    results["scrape"] = quantiles([scrape(PORT)[0] for _ in range(2000)])
                    results["scrape"]["bytes"] = len(scrape(PORT)[1])
        note("a call that hangs")
        results["scrape while a call hangs"] = hang(folder, lines)
        note(f"{given.rounds} samples")
        results["soak"] = soak(folder, given.rounds)
        python = peers(folder)
        for period in (1, 15):
            note(f"nvitop-exporter, {period} s")
            command = [python, "-m", "nvitop_exporter", "--hostname", "127.0.0.1", "--port", OTHER, "--interval", period]
            with running(command, folder, OTHER) as (process, _):
                results[f"nvitop-exporter, {period} s"] = cost(process, given.seconds, OTHER, period)
                if period == 1:
                    results["nvitop-exporter's scrape"] = quantiles([scrape(OTHER)[0] for _ in range(200)])
            note(f"gpustat, {period} s")
            with running([python, "-c", GPUSTAT, period], folder) as (process, _):
                results[f"gpustat, {period} s"] = cost(process, given.seconds)
    return results


def table(results):
    print(f"{'':32} {'CPU of a core':>14} {'memory':>12} {'of its own':>12}")
    for name, each in results.items():
        if isinstance(each, dict) and "cpuPercent" in each:
            print(f"{name:32} {each['cpuPercent']:>12.2f} % {each['rssMiB']:>8.1f} MiB {each['ownMiB']:>8.1f} MiB")
    for name in ("scrape", "scrape while a call hangs", "nvitop-exporter's scrape"):
        each = results[name]
        print(f"{name}: p50 {each['p50Milliseconds']} ms, p99 {each['p99Milliseconds']} ms, most {each['mostMilliseconds']} ms")
    print(f"{results['soak']['rounds']} samples in {results['soak']['seconds']} s: memory "
          + ", ".join(f"{each}" for each in results["soak"]["rssMiB"]) + " MiB")
    print(f"start to first answer {results['firstAnswerMilliseconds']} ms; binary {results['binaryMB']} MB; "
          f"load {results['load']:.1f} at the start")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--seconds", type=int, default=60, help="how long each is watched (60)")
    parser.add_argument("--rounds", type=int, default=100_000, help="samples of the soak (100000)")
    given = parser.parse_args()
    try:
        results = measure(given)
    except (BenchError, subprocess.CalledProcessError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    print(json.dumps(results)) if given.json else table(results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
