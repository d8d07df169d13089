"""One change of a snap at a time: a second one is told so and may try again (exit status 10)."""

import fcntl
from contextlib import contextmanager

import paths
from terminal import SnapError


@contextmanager
def change(name: str, kind: str):
    paths.LOCKS.mkdir(parents=True, exist_ok=True)
    with open(paths.LOCKS / f"{name}.lock", "a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            under_way = lock.read().strip() or "auto-refresh"
            raise SnapError(f'snap "{name}" has "{under_way}" change in progress', 10) from None
        lock.truncate(0)
        lock.write(kind)
        lock.flush()
        yield
