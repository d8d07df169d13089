#!/usr/bin/python3
"""Runs a command on a lab machine; then says in one line of JSON how long it took, its CPU time and its largest memory.

The CPU time is the command's with all that it started and waited for; the memory is the command's alone, as the kernel
keeps it (VmHWM).
"""

import json
import subprocess
import sys
import time


def peak(pid):
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1])
    except OSError:
        pass
    return 0


def main(command):
    import resource
    start = time.monotonic()
    process = subprocess.Popen(command)
    largest = 0
    while process.poll() is None:
        largest = max(largest, peak(process.pid))
        time.sleep(0.05)
    wall = time.monotonic() - start
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(json.dumps({"event": "watched", "seconds": round(wall, 3), "peakKiB": largest,
                      "cpuSeconds": round(used.ru_utime + used.ru_stime, 3)}), flush=True)
    return process.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
