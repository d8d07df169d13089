"""The mount unit of a snap revision, so that the snap is there again after a reboot."""

import subprocess

import paths


def unit(name: str, revision: str) -> str:
    return f"snap-{name}-{revision}.mount"


def mount(name: str, revision: str) -> None:
    where = paths.mounted(name, revision)
    where.mkdir(parents=True, exist_ok=True)
    (paths.UNITS / unit(name, revision)).write_text(f"""[Unit]
Description=Mount unit for {name}, revision {revision}
After=snapd.mounts-pre.target lab-machine.service
Before=snapd.mounts.target

[Mount]
What={paths.file(name, revision)}
Where={where}
Type=squashfs
Options=nodev,ro,x-gdu.hide,x-gvfs-hide
LazyUnmount=yes

[Install]
WantedBy=snapd.mounts.target
WantedBy=multi-user.target
""")
    systemctl("daemon-reload")
    systemctl("enable", unit(name, revision))
    systemctl("start", unit(name, revision))


def unmount(name: str, revision: str) -> None:
    subprocess.run(["systemctl", "disable", "--now", unit(name, revision)], capture_output=True)
    (paths.UNITS / unit(name, revision)).unlink(missing_ok=True)
    systemctl("daemon-reload")
    where = paths.mounted(name, revision)
    subprocess.run(["umount", "-l", str(where)], capture_output=True)
    where.rmdir()


def systemctl(*arguments: str) -> None:
    subprocess.run(["systemctl", "--no-ask-password", *arguments], check=True, capture_output=True)
