"""var/lock: files whose existence is a fact about this node."""

import paths

FOLDER = paths.DATA / "var/lock"


def held(name: str) -> bool:
    return (FOLDER / name).exists()


def set(name: str) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / name).touch()


def clear(name: str) -> None:
    (FOLDER / name).unlink(missing_ok=True)


def worker() -> bool:
    return held("clustered.lock")


def stopped() -> bool:
    return held("stopped.lock")
