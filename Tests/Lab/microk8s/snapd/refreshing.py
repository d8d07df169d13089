"""`snap refresh`: nothing to fetch without a store, but holds are kept."""

import re
from datetime import datetime, timedelta, timezone

import installation
import state
from terminal import SnapError, Usage


def hold(until: str, names: list[str]) -> None:
    needs("hold")
    end = "forever" if until == "forever" else moment(until)
    said = "indefinitely" if end == "forever" else f"until {end}"
    table = state.load()
    for name in names:
        if name not in table["snaps"]:
            raise SnapError(f'snap "{name}" is not installed')
        table["snaps"][name]["held"] = end
    if not names:
        table["held"] = end
    state.save(table)
    if names:
        listed = ", ".join(f'"{n}"' for n in names)
        print(f"General refreshes of {listed} held {said}")
    else:
        print(f"Auto-refresh of all snaps held {said}")


def unhold(names: list[str]) -> None:
    needs("unhold")
    table = state.load()
    for name in names:
        if name not in table["snaps"]:
            raise SnapError(f'snap "{name}" is not installed')
        table["snaps"][name]["held"] = False
    if not names:
        table["held"] = None
    state.save(table)
    listed = ", ".join(f'"{n}"' for n in names)
    print(f"Removed general refresh hold of {listed}" if names else "Removed auto-refresh hold on all snaps")


def refresh(names: list[str]) -> None:
    for name in names:
        if state.installed(name) is None:
            raise SnapError(f'snap "{name}" is not installed')
    # A named refresh goes ahead despite a hold; here it gets as far as the store.
    which = f'"{names[0]}"' if len(names) == 1 else "all snaps" if not names else ", ".join(f'"{n}"' for n in names)
    raise SnapError(f"cannot refresh {which}: {installation.STORE}")


def needs(flag: str) -> None:
    # Holds came with snapd 2.58; the distribution's is older until the snapd snap is there.
    if installation.numbers(state.version()) < [2, 58]:
        raise Usage(f"unknown flag `{flag}'")


def moment(duration: str) -> str:
    parts = re.findall(r"(\d+)([hms])", duration)
    if not parts or "".join(n + u for n, u in parts) != duration:
        raise SnapError(f'hold value must be a number of hours, minutes or seconds, or "forever": '
                        f'time: invalid duration "{duration}"')
    seconds = sum(int(n) * {"h": 3600, "m": 60, "s": 1}[u] for n, u in parts)
    return (datetime.now(timezone.utc) + timedelta(seconds=seconds)).isoformat(timespec="seconds")
