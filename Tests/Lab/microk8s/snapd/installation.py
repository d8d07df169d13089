"""`snap install FILE`: the checks in snapd's order, then link, hook, services; undone again when a step fails."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import assertions
import changes
import hooks
import metadata
import mounts
import paths
import removal
import services
import state
from terminal import SnapError, complain, verified

# What a machine without a network hears from snapd when it has to ask the store.
STORE = ('Post "https://api.snapcraft.io/v2/snaps/refresh": '
         "dial tcp: lookup api.snapcraft.io: Temporary failure in name resolution")


def install(target: str, classic: bool, dangerous: bool) -> None:
    if "/" not in target and ".snap" not in target:
        if state.installed(target):
            complain(f'snap "{target}" is already installed, see \'snap help refresh\'')
            return
        raise SnapError(f'cannot install "{target}": {STORE}')
    if not os.path.isfile(target):
        raise SnapError(f'cannot open: "{target}"')
    vouched = None if dangerous else assertions.revision_of(target)
    if not dangerous and vouched is None:
        raise SnapError(f'cannot find signatures with metadata for snap "{target}"')
    with metadata.opened(target) as tree:
        meta = metadata.read(tree)
    entry = describe(meta, vouched)
    check(meta, classic)
    if classic and meta["confinement"] != "classic":
        complain(f"Warning: flag --classic ignored for strictly confined snap {meta['name']}\n")
    # The daemon has a copy of its own before the change begins; the file that was named is not needed any more.
    paths.FILES.mkdir(parents=True, exist_ok=True)
    upload = paths.FILES / f".local-install-{os.getpid()}"
    shutil.copyfile(target, upload)
    try:
        changes.ask(meta["name"], "install-snap", file=str(upload), meta=meta, entry=entry,
                    before=state.installed(meta["name"]))
    except SnapError as refusal:
        if refusal.code == 10:  # somebody else's change; ours never began
            upload.unlink(missing_ok=True)
        raise
    if "/snap/bin" not in os.environ.get("PATH", "").split(":"):
        complain("Warning: /snap/bin was not found in your $PATH. If you've not restarted your session since you "
                 "installed snapd, try doing that. Please see https://forum.snapcraft.io/t/9469 for more details.\n")
    name, version = meta["name"], meta["version"]
    print(f"{name} {version} from Canonical{verified()} installed" if vouched else f"{name} {version} installed")


def describe(meta: dict, vouched) -> dict:
    entry = {"version": str(meta["version"]), "type": meta["type"], "confinement": meta["confinement"],
             "base": meta.get("base", ""), "held": False,
             "apps": {app: body["command"] for app, body in meta["apps"].items()}}
    if vouched:
        revision, _ = vouched
        return {**entry, "revision": revision["snap-revision"], "publisher": "canonical"}
    known = [int(p.name[1:]) for p in (paths.SNAPS / meta["name"]).glob("x*") if re.fullmatch(r"x\d+", p.name)]
    return {**entry, "revision": f"x{max(known, default=0) + 1}", "publisher": ""}


def check(meta: dict, classic: bool) -> None:
    name = meta["name"]
    for feature in meta["assumes"]:
        wanted = re.fullmatch(r"snapd([\d.]+)", feature)
        if not wanted or numbers(wanted[1]) > numbers(state.version()):
            raise SnapError(f'snap "{name}" assumes unsupported features: {feature} (try to refresh snapd)')
    if meta["confinement"] == "classic" and not classic:
        raise SnapError(f"""
This revision of snap "{name}" was published using classic
confinement and thus may perform arbitrary system changes outside of the
security sandbox that snaps are usually confined to, which may put your
system at risk.

If you understand and want to proceed repeat the command including
--classic.""".removeprefix("\n"))
    if meta["type"] != "app":
        return
    base = meta.get("base", "core")
    missing = (f'cannot install snap base "{base}": {STORE}' if not state.installed(base) else
               f'cannot install system snap "snapd": {STORE}'
               if base != "core" and not (state.installed("snapd") or state.installed("core")) else None)
    if missing:
        raise SnapError("cannot perform the following tasks:\n"
                        f'- Ensure prerequisites for "{name}" are available ({missing})')


def numbers(version: str) -> list[int]:
    return [int(n) for n in version.split(".")]


def carry_out(facts: dict) -> None:
    place(Path(facts["file"]), facts["meta"], facts["entry"], facts["before"])


def place(upload: Path, meta: dict, entry: dict, before: dict | None) -> None:
    """snapd runs these steps for an asserted revision that is already there, too: services restart then."""
    name, revision = meta["name"], entry["revision"]
    if before is not None:
        units = [u.name for u in paths.UNITS.glob(f"snap.{name}.*.service")]
        subprocess.run(["systemctl", "stop", *units], capture_output=True)
    try:
        if upload.exists():
            os.chmod(upload, 0o600)
            os.rename(upload, paths.file(name, revision))
        if before is None or before["revision"] != revision:
            mounts.mount(name, revision)
            data(name, revision, before)
        link(paths.SNAPS / name / "current", revision)
        link(paths.DATA / name / "current", revision)
        for command in metadata.commands(meta):
            link(paths.COMMANDS / command, "/usr/bin/snap")
        state.record(name, {**entry, "held": bool(before and before.get("held"))})
        services.write(name, entry, meta)
        hooks.run(name, entry, "install" if before is None else "post-refresh")
        hooks.run(name, entry, "configure")
        start(name, meta)
    except BaseException:
        if before is None:
            removal.erase(name, entry, keep=False)
        raise


def data(name: str, revision: str, before: dict | None) -> None:
    own = paths.DATA / name / revision
    (paths.DATA / name / "common").mkdir(parents=True, exist_ok=True)
    if before is not None and not own.exists():
        # A refresh starts from a copy of the old revision's data.
        subprocess.run(["cp", "-a", str(paths.DATA / name / before["revision"]), str(own)], check=True)
    own.mkdir(exist_ok=True)


def link(at: Path, to: str) -> None:
    at.parent.mkdir(parents=True, exist_ok=True)
    fresh = at.with_name(f".{at.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(to)
    os.rename(fresh, at)


def start(name: str, meta: dict) -> None:
    units = [services.unit(name, app) for app in metadata.services(meta)]
    if not units:
        return
    mounts.systemctl("enable", *units)
    done = subprocess.run(["systemctl", "start", *units], capture_output=True, text=True)
    if done.returncode:
        raise SnapError("cannot perform the following tasks:\n"
                        f'- Start snap "{name}" services (systemctl command [start {" ".join(units)}] failed with exit '
                        f"status {done.returncode}: {done.stderr.strip()})")
