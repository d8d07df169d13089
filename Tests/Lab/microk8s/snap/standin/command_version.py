"""`microk8s version`"""

import os


def main(_) -> int:
    print(f"MicroK8s {os.environ['SNAP_VERSION']} revision {os.environ['SNAP_REVISION']}")
    return 0
