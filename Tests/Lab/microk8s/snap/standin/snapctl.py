"""Services of this snap, through snapd's tool as the real scripts do it."""

import subprocess


def do(verb: str, *services: str, flags: tuple = ()) -> bool:
    targets = [f"microk8s.{s}" for s in services] or ["microk8s"]
    return subprocess.run(["snapctl", verb, *targets, *flags], capture_output=True).returncode == 0


def restart(*services: str) -> bool:
    return do("restart", *services)


def active(service: str) -> bool:
    return subprocess.run(["systemctl", "is-active", "-q", f"snap.microk8s.{service}.service"]).returncode == 0
