"""Starts what was called: `main.py NAME ARGUMENTS…`, NAME being the file in the snap that snapd or a person started."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
sys.path.insert(1, os.path.join(os.environ["SNAP"], "usr/lib/python3/dist-packages"))

import importlib

PROGRAMS = {
    "hook-install": "install_hook",
    "hook-configure": "configure_hook",
    "hook-remove": "remove_hook",
    "run-containerd-with-args": "run_containerd",
    "run-k8s-dqlite-with-args": "run_dqlite",
    "run-kubelite-with-args": "run_kubelite",
    "run-cluster-agent-with-args": "run_cluster_agent",
    "run-apiserver-proxy-with-args": "run_apiserver_proxy",
    "run-etcd-with-args": "run_nothing",
    "run-flanneld-with-args": "run_nothing",
    "apiservice-kicker": "run_kicker",
}


def module_of(name: str) -> str:
    if name in PROGRAMS:
        return PROGRAMS[name]
    return "command_" + name.removeprefix("microk8s-").removesuffix(".wrapper").replace("-", "_")


if __name__ == "__main__":
    try:
        sys.exit(importlib.import_module(module_of(sys.argv[1])).main(sys.argv[2:]))
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(1)
