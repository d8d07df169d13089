"""`microk8s join`: its refusals; what it does lies in joining_worker and joining_control_plane."""

import argparse
import hashlib
import http.client
import socket
import ssl
import sys

import agent_client
import joining_control_plane
import joining_worker
import locks
import paths
import permissions


class Misformed(Exception):
    pass


def main(words: list[str]) -> int:
    if not words or any(w in ("-h", "--help") for w in words):
        print("Usage: microk8s join [OPTIONS] CONNECTION\n\n  Join the node to a cluster\n\nOptions:\n"
              "  --worker  Join as a worker node, not eligible for running the control plane\n"
              "  --controlplane  Join running the control plane\n"
              "  --skip-verify  Skip the certificate verification of the node we are joining to.\n"
              "  --disable-low-memory-guard  Disable the low memory guard.")
        return 0 if words else 2
    permissions.need_permission(sys.stdout)
    permissions.need_running()
    if (paths.COMMON / "default-storage").exists():
        print("WARNING: Hostpath storage is enabled and is not suitable for multi node clusters.\n")
    parser = argparse.ArgumentParser(prog="microk8s join")
    parser.add_argument("connection")
    for flag in ("--worker", "--controlplane", "--skip-verify", "--disable-low-memory-guard"):
        parser.add_argument(flag, action="store_true")
    options = parser.parse_args(words)
    # --controlplane sets a value that is true, and everything true is taken for a worker.
    worker = options.worker or options.controlplane
    if options.disable_low_memory_guard:
        locks.clear("low-memory-guard.lock")
    if locks.held("low-memory-guard.lock") and not worker:
        print("\nThis node does not have enough RAM to host the Kubernetes control plane services\n"
              "and join the database quorum. You may consider joining this node as a worker instead:\n"
              f"\n    microk8s join {options.connection} --worker\n")
        return 1
    try:
        address, port, token, check = parse(options.connection)
    except Misformed as fault:
        print(f"Invalid connection: {fault}" if str(fault).startswith("Expected") else str(fault))
        return 1
    return join(address, port, token, check if not options.skip_verify else None, worker)


def parse(connection: str) -> tuple[str, str, str, str | None]:
    parts = connection.split("/")
    if len(parts) not in (2, 3) or ":" not in parts[0]:
        raise Misformed("Expected format: <master_IP>:<master_PORT>/<token>[/<fingerprint>]")
    address, _, port = parts[0].rpartition(":")
    try:
        socket.inet_aton(address) if address.count(".") == 3 else socket.inet_aton("")
    except OSError:
        raise Misformed("Invalid master IP") from None
    if not port.isdigit():
        raise Misformed("Master PORT not a number")
    if not 1 <= int(port) <= 65535:
        raise Misformed("Master PORT not in range 1:65535")
    if len(parts[1]) < 32:
        raise Misformed("Cluster token size should be at least 32 bytes")
    if len(parts) == 3 and len(parts[2]) < 12:
        raise Misformed("Fingerprint should be at least 12 bytes")
    return address, port, parts[1], parts[2] if len(parts) == 3 else None


def join(address: str, port: str, token: str, check: str | None, worker: bool) -> int:
    print(f"Contacting cluster at {address}", flush=True)
    if check and not same_server(address, port, check):
        print(f"Joining cluster failed. Could not verify the identity of {address}. "
              "Use '--skip-verify' to skip server certificate check.")
        return 4
    request = {"token": token, "hostname": socket.gethostname(), "port": "25000",
               "worker": "as-worker" if worker else False, "can_handle_x509_auth": True, "can_handle_custom_etcd": True}
    try:
        status, answer = agent_client.post(f"{address}:{port}", "/cluster/api/v2.0/join", request, timeout=None)
    except ssl.SSLError as error:
        print(f"Peer node verification failed ({error}).")
        return 4
    except http.client.HTTPException as error:
        print(f"Connection failed. {error}")
        return 5
    if status != 200:
        print(f"Connection failed. {answer.get('error', '')} ({status}).")
        return 6
    locks.set("join-in-progress")
    if worker:
        joining_worker.join(answer, f"{address}:{port}", token)
    else:
        joining_control_plane.join(answer, address)
    locks.clear("join-in-progress")
    print("Successfully joined the cluster.")
    return 0


def same_server(address: str, port: str, check: str) -> bool:
    # No time limit of its own: a host that drops packets keeps it for as long as the system tries.
    pem = ssl.get_server_certificate((address, int(port)))
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()[: len(check)] == check
