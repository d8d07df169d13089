"""`microk8s addons repo`: folders with addons, from local paths only (a URL would need a network)."""

import os
import shutil
import subprocess
import sys

import yaml

import paths
import permissions


def main(words: list[str]) -> int:
    permissions.need_permission(sys.stdout)
    if len(words) < 2 or words[0] != "repo" or words[1] not in ("list", "add", "remove", "update"):
        print("Usage: microk8s addons repo [list|add|remove|update] ...")
        return 0 if any(w in ("-h", "--help") for w in words) else 2
    return {"list": show, "add": add, "remove": remove, "update": update}[words[1]](words[2:])


def show(_) -> int:
    for folder in sorted(p for p in paths.ADDONS.iterdir() if (p / "addons.yaml").exists()):
        source = "(built-in)" if folder.name == "core" else "(local)"
        print(f"{folder.name:>10} {source}")
    return 0


def add(words: list[str]) -> int:
    names = [w for w in words if not w.startswith("-")]
    if len(names) != 2:
        print("Usage: microk8s addons repo add NAME REPOSITORY [--reference REF] [--force]")
        return 2
    name, source = names
    to = paths.ADDONS / name
    if to.exists() and "--force" not in words:
        print(f"Repository `{name}` already exists, use --force to overwrite it.", file=sys.stderr)
        return 1
    if not os.path.isdir(source):
        done = subprocess.run(["git", "clone", source, str(to)]) if shutil.which("git") else None
        if done is None or done.returncode:
            print(f"fatal: unable to access '{source}': Could not resolve host", file=sys.stderr)
            return 1
    else:
        shutil.rmtree(to, ignore_errors=True)
        shutil.copytree(source, to)
    try:
        yaml.safe_load((to / "addons.yaml").read_text())["microk8s-addons"]
    except (OSError, KeyError, TypeError, yaml.YAMLError):
        shutil.rmtree(to, ignore_errors=True)
        print(f"Error while adding repository {name}: addons.yaml not found or invalid", file=sys.stderr)
        return 1
    return 0


def remove(words: list[str]) -> int:
    if not words or not (paths.ADDONS / words[0]).exists():
        print(f"Repository `{words[0] if words else ''}` does not exist", file=sys.stderr)
        return 1
    shutil.rmtree(paths.ADDONS / words[0])
    return 0


def update(words: list[str]) -> int:
    name = words[0] if words else ""
    if name == "core":
        shutil.copytree(paths.SNAP / "addons/core", paths.ADDONS / "core", dirs_exist_ok=True)
        return 0
    print(f"Repository `{name}` does not exist or is built-in", file=sys.stderr)
    return 1
