"""kubectl with the admin's kubeconfig; every answer is what the real API server says."""

import json
import subprocess

import paths

KUBECTL = str(paths.SNAP / "kubectl")


def run(*arguments: str, given: str | None = None, timeout: float | None = None) -> subprocess.CompletedProcess:
    try:
        return subprocess.run([KUBECTL, f"--kubeconfig={paths.CLIENT_CONFIG}", *arguments],
                              input=given, capture_output=True, text=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(arguments, 1, "", "timed out")


def text(*arguments: str, timeout: float | None = 60) -> str:
    return run(*arguments, timeout=timeout).stdout


def objects(*arguments: str) -> list[dict]:
    """The items of a list; raises when the API does not answer with JSON."""
    done = run(*arguments, "-o", "json")
    return json.loads(done.stdout)["items"]
