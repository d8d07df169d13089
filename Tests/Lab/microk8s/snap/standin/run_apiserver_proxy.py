"""apiserver-proxy: on a worker the API server is at 127.0.0.1:16443, whichever control plane answers."""

import re
import socket
import threading
import time

import arguments
import endpoints
import locks
import paths



def main(_) -> int:
    if locks.held("no-apiserver-proxy"):
        return 0
    threading.Thread(target=refresh, daemon=True).start()
    port = int((re.search(r'address: ".*:(\d+)"', (paths.ARGS / "traefik/traefik.yaml").read_text()) or [0, "16443"])[1])
    with socket.create_server(("127.0.0.1", port), backlog=64) as listener:
        while True:
            client, _ = listener.accept()
            threading.Thread(target=forward, args=(client,), daemon=True).start()


def refresh() -> None:
    interval = float((arguments.get("apiserver-proxy", "--refresh-interval") or "30s").rstrip("s"))
    while True:
        time.sleep(interval)
        try:
            if (now := endpoints.asked()) and now != endpoints.read():
                endpoints.write(now)
        except OSError as error:
            print(f"failed to retrieve the API servers' addresses: {error}", flush=True)


def forward(client: socket.socket) -> None:
    with client:
        for address in endpoints.read():
            host, _, port = address.rpartition(":")
            try:
                server = socket.create_connection((host, int(port)), timeout=5)
            except OSError:
                continue
            with server:
                server.settimeout(None)
                back = threading.Thread(target=pump, args=(server, client), daemon=True)
                back.start()
                pump(client, server)
                back.join()
            return


def pump(source: socket.socket, to: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            to.sendall(data)
    except OSError:
        pass
    for end, how in ((to, socket.SHUT_WR), (source, socket.SHUT_RD)):
        try:
            end.shutdown(how)
        except OSError:
            pass
