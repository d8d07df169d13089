"""`microk8s enable` and `disable`: which addon is meant, whether there is anything to do, and its script's word for it."""

import fcntl
import subprocess
import sys
import time

import addons
import api
import locks
import permissions


def main(verb: str, words: list[str]) -> int:
    if not words or any(w in ("-h", "--help") for w in words):
        return help(verb, words)
    if locks.worker():
        print("This MicroK8s deployment is acting as a node in a cluster.")
        print("Please use the master node.")
        return 1
    permissions.need_permission(sys.stdout)
    permissions.need_running()
    for _ in range(30):
        if api.ready():
            break
        time.sleep(1)
    with open(locks.FOLDER / ".microk8s-addon-lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return switch(verb, requests(words))


def help(verb: str, words: list[str]) -> int:
    chosen = [w for w in words if not w.startswith("-")]
    print(f"Usage: microk8s {verb} [OPTIONS] ADDONS...\n\n  {verb.capitalize()} one or more MicroK8s addons.\n\n"
          f"  For a list of available addons, run `microk8s status`.\n\nOptions:\n  --help  Show this message and exit.")
    return 0 if chosen or words else 2


def requests(words: list[str]) -> list[tuple[str, list[str]]]:
    """`dns:1.1.1.1`, `dns 1.1.1.1` and `dns --flag`: words that name no addon belong to the one before them."""
    names = {n for a in addons.available() for n in (a.name, a.full_name)}
    asked = []
    for word in words:
        name, colon, argument = word.partition(":")
        if asked and name not in names and len({n for n, _ in asked}) == 1:
            asked[-1][1].append(word)
        else:
            asked.append((name, [argument] if colon else []))
    if len(asked) > 1:
        print("\nWARNING: Do not enable or disable multiple addons in one command.\n"
              "         This form of chained operations on addons will be DEPRECATED in the future.\n"
              "         Please, enable one addon at a time: 'microk8s enable <addon>'\n", flush=True)
    return asked


def switch(verb: str, asked: list[tuple[str, list[str]]]) -> int:
    known = addons.available()
    for name, words in asked:
        if "/" in name:
            found = [a for a in known if a.full_name == name]
            if not found:
                print(f"Addon {name} not found")
                continue
        else:
            found = [a for a in known if a.name == name]
            if not found:
                print(f"Addon {name} was not found in any repository", file=sys.stderr)
                return 1
            print(f"Infer repository {found[0].repository} for addon {name}", file=sys.stderr, flush=True)
        addon = found[0]
        if addon.enabled(addons.rows()) == (verb == "enable"):
            print(f"Addon {addon.full_name} is already {verb}d", flush=True)
            continue
        script = addon.folder / verb
        if not script.exists():
            print(f"The lab's MicroK8s has no images and no charts for addon {addon.full_name}: a real one, without "
                  "Internet, fails here as well.", file=sys.stderr)
            return 1
        status = subprocess.run([script, *words]).returncode
        if status:
            return status
    return 0
