"""cluster-agent: the join API on port 25000, and two loops of 5 s: side-loaded images, launch configurations."""

import threading
import time

import agent_server
import launch_configuration
import locks
import paths
import sideload


def main(_) -> int:
    for loop in (sideload.load, launch):
        threading.Thread(target=forever, args=(loop,), daemon=True).start()
    agent_server.serve()
    return 0


def forever(step) -> None:
    while True:
        try:
            step()
        except Exception as error:  # the next tick tries again, as the real one does
            print(f"{step.__name__}: {error}", flush=True)
        time.sleep(5)


def launch() -> None:
    if locks.stopped():
        return
    for file in sorted((paths.COMMON / "etc/launcher").glob("*.yaml")):
        launch_configuration.apply(launch_configuration.read(file))
        file.rename(file.with_name(file.name + ".applied"))
