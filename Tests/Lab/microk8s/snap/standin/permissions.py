"""Who may use MicroK8s, and what a worker or a stopped node says instead of doing something."""

import os
import subprocess
import sys

import locks
import paths

INSUFFICIENT = paths.SNAP / "standin/insufficient-permissions"


def need_permission(stream=None) -> None:
    """Shell wrappers say it on stderr, the Python commands on stdout; the status is 1 either way."""
    if not os.access(paths.CLIENT_CONFIG, os.R_OK):
        user = os.environ.get("USER", "") or str(os.getuid())
        print(INSUFFICIENT.read_text().format(user=user), end="", file=stream or sys.stderr)
        sys.exit(1)


def need_running() -> None:
    if locks.stopped():
        print("microk8s is not running, try microk8s start", file=sys.stderr)
        sys.exit(1)


def refuse_on_worker(command: str, status: int) -> None:
    if locks.worker():
        print("This MicroK8s deployment is acting as a node in a cluster. "
              f"Please use the microk8s {command} on the master.")
        sys.exit(status)


def with_sudo(*command: str) -> int:
    """The wrappers' run_with_sudo: it calls sudo even as root, so sudo must exist."""
    sys.stdout.flush()
    try:
        return subprocess.run(["sudo", "-E", *map(str, command)]).returncode
    except FileNotFoundError:
        print(f"{paths.SNAP}/actions/common/utils.sh: line 45: sudo: command not found", file=sys.stderr)
        return 127
