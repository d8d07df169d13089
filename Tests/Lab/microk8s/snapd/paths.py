"""Where snapd keeps things; the paths are snapd's own, products look at them."""

from pathlib import Path

SNAPS = Path("/snap")
COMMANDS = Path("/snap/bin")
DATA = Path("/var/snap")
STATE = Path("/var/lib/snapd/state.json")
ASSERTIONS = Path("/var/lib/snapd/assertions")
FILES = Path("/var/lib/snapd/snaps")
SNAPSHOTS = Path("/var/lib/snapd/snapshots")
UNITS = Path("/etc/systemd/system")
SOCKET = Path("/run/snapd.socket")
CHANGES = Path("/var/lib/snapd/changes")

# The daemon that the distribution ships (Debian 12's) and the one of the snap revision 21759.
DISTRIBUTION_VERSION = "2.57.6"
SNAP_VERSION = "2.63"


def mounted(name: str, revision: str) -> Path:
    return SNAPS / name / revision


def file(name: str, revision: str) -> Path:
    return FILES / f"{name}_{revision}.snap"
