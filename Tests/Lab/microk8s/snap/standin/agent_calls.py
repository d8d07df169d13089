"""What the cluster agent answers."""

import re
import subprocess
import threading
import time

import agent_join
import arguments
import paths
import snapctl
import tokens
from agent_refusal import Refusal


def configure(request: dict, _: str) -> dict:
    if request.get("callback") not in tokens.callbacks():
        raise Refusal("invalid callback token")
    for service in request.get("service") or []:
        for update in service.get("arguments_update") or []:
            for name, value in update.items():
                arguments.put(service["name"], name, value)
        for name in service.get("arguments_remove") or []:
            arguments.put(service["name"], name, None)
        if service.get("restart"):
            # The answer goes out before the restart takes the API away.
            restart_soon("daemon-" + service["name"])
    return {"result": "ok"}


def restart_soon(*services: str) -> None:
    def later():
        time.sleep(0.3)
        snapctl.restart(*services)
    threading.Thread(target=later).start()


def import_image(headers, body: bytes) -> dict:
    if headers.get("x-microk8s-callback-token") not in tokens.callbacks():
        raise Refusal("invalid callback token")
    done = subprocess.run([paths.SNAP / "bin/ctr", f"--address={paths.SOCKET}", "--namespace=k8s.io", "image", "import", "-"],
                          input=body, capture_output=True)
    if done.returncode:
        raise Refusal("failed to import images: " + done.stderr.decode(errors="replace").strip())
    return {"images": re.findall(r"^unpacking (\S+)", done.stdout.decode(), re.M)}


ROUTES = {
    "/cluster/api/v1.0/sign-cert": agent_join.sign,
    "/cluster/api/v2.0/dqlite/remove": agent_join.remove_member,
    "/cluster/api/v1.0/configure": configure,
    "/cluster/api/v2.0/image/import": import_image,
}
