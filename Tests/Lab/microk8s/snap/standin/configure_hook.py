"""The configure hook: `snap set microk8s config=…` becomes a launch configuration."""

import subprocess

import launch_configuration
import paths


def main(_) -> int:
    got = subprocess.run(["/usr/bin/snap", "get", "microk8s", "config"], capture_output=True, text=True)
    if got.returncode == 0 and got.stdout.strip():
        unfinished = launch_configuration.LAUNCHER / ".snap-set.new"
        unfinished.write_text(got.stdout)
        applied = launch_configuration.LAUNCHER / "snap-set.yaml.applied"
        if not applied.exists() or applied.read_text() != got.stdout:
            unfinished.rename(paths.COMMON / "etc/launcher/snap-set.yaml")
        else:
            unfinished.unlink()
    return 0
