#!/usr/bin/python3
"""Runs a command on a lab machine; then says in one line of JSON how long it took, its CPU time, its largest memory, and
what it has read from the disk.

The CPU time is the command's with all that it started and waited for; the memory is the command's alone, as the kernel
keeps it (VmHWM), and so are the bytes that had to come from the disk (read_bytes).
"""

import json
import subprocess
import sys
import time


def told(file, name):
    try:
        with open(file, encoding="ascii") as lines:
            return next((int(line.split()[1]) for line in lines if line.startswith(name)), 0)
    except OSError:
        return 0


def main(command):
    import resource
    start = time.monotonic()
    process = subprocess.Popen(command)
    largest = read = 0
    while process.poll() is None:
        # They only ever grow.
        largest = max(largest, told(f"/proc/{process.pid}/status", "VmHWM:"))
        read = max(read, told(f"/proc/{process.pid}/io", "read_bytes:"))
        time.sleep(0.05)
    wall = time.monotonic() - start
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(json.dumps({"event": "watched", "seconds": round(wall, 3), "peakKiB": largest, "readBytes": read,
                      "cpuSeconds": round(used.ru_utime + used.ru_stime, 3)}), flush=True)
    return process.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
