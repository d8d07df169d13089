"""A few questions to the local API address with the kubelet's own credentials, cheaper than kubectl."""

import http.client
import ssl

import arguments
import locks
import paths


def get(path: str, user: str = "kubelet", timeout: float = 3) -> int:
    """The status of GET path, 0 when nobody answers."""
    try:
        authority = "ca.remote.crt" if locks.worker() else "ca.crt"
        context = ssl.create_default_context(cafile=str(paths.CERTS / authority))
        context.check_hostname = False
        context.load_cert_chain(paths.CERTS / f"{user}.crt", paths.CERTS / f"{user}.key")
        port = 16443 if locks.worker() else int(arguments.get("kube-apiserver", "--secure-port") or 16443)
        connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=timeout)
        connection.request("GET", path)
        status = connection.getresponse().status
        connection.close()
        return status
    except (OSError, http.client.HTTPException, ValueError):
        return 0


def ready() -> bool:
    return get("/readyz", "client") == 200


def exists(path: str) -> bool:
    return get(path) == 200
