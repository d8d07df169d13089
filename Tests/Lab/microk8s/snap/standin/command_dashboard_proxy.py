"""`microk8s dashboard-proxy`: the lab has no dashboard."""

import permissions


def main(_) -> int:
    permissions.need_permission()
    permissions.need_running()
    print("Checking if Dashboard is running.")
    print("Infer repository core for addon dashboard")
    return 1
