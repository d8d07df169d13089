"""A snap's services: the systemd units that snapd writes, and start, stop, restart, list."""

import subprocess

import metadata
import paths
import state
from mounts import systemctl
from terminal import SnapError, table


def unit(name: str, app: str) -> str:
    return f"snap.{name}.{app}.service"


def write(name: str, entry: dict, meta: dict) -> None:
    revision = entry["revision"]
    mount = f"snap-{name}-{revision}.mount"
    for app, body in metadata.services(meta).items():
        after = "".join(f" {unit(name, other)}" for other in body.get("after", []))
        before = "".join(f" {unit(name, other)}" for other in body.get("before", []))
        lines = [
            "[Unit]", "# Auto-generated, DO NOT EDIT",
            f"Description=Service for snap application {name}.{app}",
            f"Requires={mount}", "Wants=network.target",
            f"After={mount} network.target{after} snapd.apparmor.service",
            *([f"Before={before.strip()}"] if before else []),
            "X-Snappy=yes", "", "[Service]",
            "EnvironmentFile=-/etc/environment",
            f"ExecStart=/usr/bin/snap run {name}.{app}",
            f"SyslogIdentifier={name}.{app}",
            f"Restart={body.get('restart-condition', 'on-failure')}",
            *([f"RestartSec={body['restart-delay']}"] if "restart-delay" in body else []),
            f"WorkingDirectory={paths.DATA / name / revision}",
            f"TimeoutStopSec={body.get('stop-timeout', '30')}",
            *([f"TimeoutStartSec={body['start-timeout']}"] if "start-timeout" in body else []),
            f"Type={body['daemon']}",
            *(["NotifyAccess=all"] if body["daemon"] == "notify" else []),
            # snapd's stop-mode "sigterm" spares the children; "sigterm-all" does not.
            *(["KillMode=process", "KillSignal=SIGTERM"] if body.get("stop-mode") == "sigterm" else []),
            "", "[Install]", "WantedBy=multi-user.target", "",
        ]
        (paths.UNITS / unit(name, app)).write_text("\n".join(lines))
    systemctl("daemon-reload")


def erase(name: str) -> None:
    for file in paths.UNITS.glob(f"snap.{name}.*.service"):
        subprocess.run(["systemctl", "disable", "--now", file.name], capture_output=True)
        file.unlink(missing_ok=True)
    systemctl("daemon-reload")


def of(target: str) -> list[str]:
    """The units that `NAME` or `NAME.SERVICE` stands for."""
    name, _, app = target.partition(".")
    entry = state.installed(name)
    if entry is None:
        raise SnapError(f'snap "{name}" not found')
    apps = metadata.services(metadata.read(paths.mounted(name, entry["revision"])))
    if app and app not in apps:
        raise SnapError(f'snap "{name}" has no service "{app}"')
    if not apps:
        raise SnapError(f'snap "{name}" has no services')
    return [unit(name, a) for a in ([app] if app else apps)]


def act(verb: str, targets: list[str], persist: bool) -> None:
    units = [u for target in targets for u in of(target)]
    if verb == "start":
        if persist:
            systemctl("enable", *units)
        run("start", units)
    elif verb == "stop":
        if persist:
            systemctl("disable", *units)
        run("stop", units)
    else:
        # snapd restarts what runs; of a whole snap it leaves stopped services alone.
        whole = all("." not in t for t in targets)
        run("restart", [u for u in units if active(u)] if whole else units)


def run(verb: str, units: list[str]) -> None:
    if not units:
        return
    done = subprocess.run(["systemctl", verb, *units], capture_output=True, text=True)
    if done.returncode:
        raise SnapError("cannot perform the following tasks:\n"
                        f"- {verb} of {units} (systemctl command [{verb} {' '.join(units)}] failed with exit status "
                        f"{done.returncode}: {done.stderr.strip()})")


def active(unit_name: str) -> bool:
    return subprocess.run(["systemctl", "is-active", "-q", unit_name]).returncode == 0


def enabled(unit_name: str) -> bool:
    return subprocess.run(["systemctl", "is-enabled", "-q", unit_name], capture_output=True).returncode == 0


def listing(targets: list[str]) -> str:
    names = targets or sorted(state.load()["snaps"])
    rows = [["Service", "Startup", "Current", "Notes"]]
    for target in names:
        try:
            units = of(target)
        except SnapError:
            if targets:
                raise
            continue
        for u in units:
            rows.append([u[len("snap."):-len(".service")], "enabled" if enabled(u) else "disabled",
                         "active" if active(u) else "inactive", "-"])
    if len(rows) == 1:
        raise SnapError("There are no services provided by installed snaps.")
    return table(rows)
