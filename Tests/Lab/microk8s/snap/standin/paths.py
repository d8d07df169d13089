"""Where MicroK8s keeps things, as snapd tells it."""

import os
from pathlib import Path

SNAP = Path(os.environ["SNAP"])
DATA = Path(os.environ["SNAP_DATA"])
COMMON = Path(os.environ["SNAP_COMMON"])
USER_COMMON = Path(os.environ.get("SNAP_USER_COMMON", "/root/snap/microk8s/common"))

ARGS = DATA / "args"
CERTS = DATA / "certs"
CREDENTIALS = DATA / "credentials"
BACKEND = DATA / "var/kubernetes/backend"
ADDONS = COMMON / "addons"
SOCKET = COMMON / "run/containerd.sock"
CLIENT_CONFIG = CREDENTIALS / "client.config"
CURRENT = Path("/var/snap/microk8s/current")
