"""containerd: its configuration rendered from the template at every start, so edits of the result are lost."""

import os
import re
import time

import arguments
import host
import lab
import locks
import paths


def main(_) -> int:
    wait_for_default_route()
    if locks.held("snapdata-mounts-need-reload"):
        locks.clear("snapdata-mounts-need-reload")
    render()
    lab.mount_propagation()
    words = [str(paths.SNAP / "bin/containerd"), *arguments.expanded("containerd")]
    environ = lab.daemon_environment()
    # containerd-env is shell (`ulimit -n …`); what it sets is inherited by every container.
    script = f'. "{paths.ARGS}/containerd-env"; exec "$@"'
    os.execve("/bin/bash", ["bash", "-c", script, "containerd", *words], environ)


def render() -> None:
    values = {"SNAP": str(paths.SNAP), "SNAP_DATA": str(paths.DATA), "SNAPSHOTTER": snapshotter(), "RUNTIME": "runc",
              "RUNTIME_TYPE": "io.containerd.runc.v2"}
    template = (paths.ARGS / "containerd-template.toml").read_text()
    rendered = re.sub(r"\$\{(\w+)\}", lambda m: values.get(m[1], m[0]), template)
    arguments.write("containerd.toml", lab.containerd_toml(rendered))


def snapshotter() -> str:
    kind = host.run("stat", "-f", "-c", "%T", str(paths.COMMON)).strip()
    return "native" if kind == "zfs" else "overlayfs"


def wait_for_default_route() -> None:
    for _ in range(10):
        if host.default_route():
            return
        print("Waiting for default route to appear.", flush=True)
        time.sleep(1)
    print("WARNING: No default route exists. MicroK8s might not work properly.", flush=True)
