"""What a snap's programs find in their environment (snapd: `snap run`)."""

import os
import pwd

import paths


def of(name: str, entry: dict) -> dict[str, str]:
    revision = entry["revision"]
    home = pwd.getpwuid(os.getuid()).pw_dir
    own = {
        "SNAP": str(paths.mounted(name, revision)),
        "SNAP_COMMON": str(paths.DATA / name / "common"),
        "SNAP_DATA": str(paths.DATA / name / revision),
        "SNAP_NAME": name,
        "SNAP_INSTANCE_NAME": name,
        "SNAP_REVISION": revision,
        "SNAP_VERSION": entry["version"],
        "SNAP_ARCH": "amd64",
        "SNAP_LIBRARY_PATH": "/var/lib/snapd/lib/gl:/var/lib/snapd/lib/gl32:/var/lib/snapd/void",
        "SNAP_REAL_HOME": home,
        "SNAP_USER_COMMON": f"{home}/snap/{name}/common",
        "SNAP_USER_DATA": f"{home}/snap/{name}/{revision}",
        "SNAP_REEXEC": "",
    }
    return {**os.environ, **own}
