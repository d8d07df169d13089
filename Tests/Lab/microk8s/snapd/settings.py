"""`snap set` and `snap get`; setting a value runs the snap's configure hook, which may refuse it."""

import json

import hooks
import state
from terminal import SnapError


def assign(name: str, pairs: list[str]) -> None:
    entry = entry_of(name)
    before = dict(entry.get("settings", {}))
    after = dict(before)
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if key.endswith("!") and not equals:
            after.pop(key[:-1], None)
        elif not equals or not key:
            raise SnapError(f'invalid configuration: "{pair}" (want key=value)')
        else:
            after[key] = value
    if name != "system":
        state.record(name, {**entry, "settings": after})
        try:
            hooks.run(name, entry, "configure")
        except SnapError:
            state.record(name, {**entry, "settings": before})
            raise
    else:
        table = state.load()
        table["settings"] = after
        state.save(table)


def value(name: str, keys: list[str]) -> str:
    settings = entry_of(name).get("settings", {})
    if not keys:
        if not settings:
            raise SnapError(f'snap "{name}" has no configuration')
        return "\n".join(f"{k}  {v}" for k, v in settings.items())
    missing = [k for k in keys if k not in settings]
    if missing:
        raise SnapError(f'snap "{name}" has no "{missing[0]}" configuration option')
    return settings[keys[0]] if len(keys) == 1 else json.dumps({k: settings[k] for k in keys}, indent="\t")


def entry_of(name: str) -> dict:
    if name == "system":
        return {"settings": state.load().get("settings", {})}
    entry = state.installed(name)
    if entry is None:
        raise SnapError(f'snap "{name}" is not installed')
    return entry
