"""Flags as Helm takes them: anywhere among the arguments, `--name=value` or `--name value`, `-nvalue`, `--switch`."""

from .errors import Failure

SWITCH, TEXT, LIST, NUMBER, DURATION = "switch", "text", "list", "number", "duration"

# Flags of every command.
COMMON = {
    "namespace": ("n", TEXT), "kubeconfig": ("", TEXT), "kube-context": ("", TEXT), "kube-apiserver": ("", TEXT),
    "kube-token": ("", TEXT), "kube-ca-file": ("", TEXT), "kube-as-user": ("", TEXT), "kube-as-group": ("", LIST),
    "kube-tls-server-name": ("", TEXT), "kube-insecure-skip-tls-verify": ("", SWITCH), "debug": ("", SWITCH),
    "burst-limit": ("", NUMBER), "qps": ("", NUMBER), "help": ("h", SWITCH),
    "registry-config": ("", TEXT), "repository-cache": ("", TEXT), "repository-config": ("", TEXT),
}
VALUES = {
    "values": ("f", LIST), "set": ("", LIST), "set-string": ("", LIST), "set-json": ("", LIST), "set-file": ("", LIST),
    "set-literal": ("", LIST),
}
OUTPUT = {"output": ("o", TEXT)}

# `--dry-run` alone means `--dry-run=client` and never swallows the next argument.
MEANING_ALONE = {"dry-run": "client"}


class Flags:
    """The values that were given. A flag that was not given is None, False or an empty list."""

    def __init__(self, table):
        self._kinds = {name: kind for name, (_, kind) in table.items()}
        self._given = {}

    def set(self, name, text):
        kind = self._kinds[name]
        if kind == LIST:
            self._given.setdefault(name, []).append(text)
        else:
            self._given[name] = _parse(name, kind, text)

    def __getitem__(self, name):
        kind = self._kinds[name]
        return self._given.get(name, [] if kind == LIST else False if kind == SWITCH else None)

    def get(self, name, default):
        return self._given.get(name, default)


def parse(arguments, table):
    """(flags, positional arguments)."""
    shorts = {short: name for name, (short, _) in table.items() if short}
    flags, positional, rest = Flags(table), [], list(arguments)
    while rest:
        argument = rest.pop(0)
        if argument == "--":
            return flags, positional + rest
        if argument.startswith("--"):
            name, equals, value = argument[2:].partition("=")
            if name not in table:
                raise Failure(f"unknown flag: --{name}")
            if not equals:
                value = _value_after(f"--{name}", name, table[name][1], rest)
            flags.set(name, value)
        elif argument.startswith("-") and argument != "-":
            _parse_shorts(argument, shorts, table, flags, rest)
        else:
            positional.append(argument)
    return flags, positional


def _value_after(shown, name, kind, rest):
    if name in MEANING_ALONE:
        return MEANING_ALONE[name]
    if kind == SWITCH:
        return "true"
    if not rest:
        raise Failure(f"flag needs an argument: {shown}")
    return rest.pop(0)


def _parse_shorts(argument, shorts, table, flags, rest):
    letters = argument[1:]
    while letters:
        letter, letters = letters[0], letters[1:]
        if letter not in shorts:
            raise Failure(f"unknown shorthand flag: '{letter}' in {argument}")
        name = shorts[letter]
        if table[name][1] == SWITCH:
            flags.set(name, "true")
            continue
        value = letters.removeprefix("=") if letters else _value_after(f"'{letter}' in {argument}", name, TEXT, rest)
        flags.set(name, value)
        return


def _parse(name, kind, text):
    if kind == TEXT:
        return text
    if kind == SWITCH:
        if text.lower() in ("true", "t", "1"):
            return True
        if text.lower() in ("false", "f", "0"):
            return False
        raise Failure(f'invalid argument "{text}" for "--{name}" flag: '
                      f'strconv.ParseBool: parsing "{text}": invalid syntax')
    if kind == NUMBER:
        try:
            return int(text)
        except ValueError:
            raise Failure(f'invalid argument "{text}" for "--{name}" flag: '
                          f'strconv.ParseInt: parsing "{text}": invalid syntax') from None
    return _seconds(name, text)


def _seconds(name, text):
    """`25m0s`, `1h30m`, `90s`, `0`: whole seconds, never rounded down to none."""
    units = {"h": 3600, "m": 60, "s": 1, "ms": 0.001}
    total, digits, unit = 0.0, "", ""
    if text == "0":
        return 0
    for character in text + "\0":
        if character.isdigit() or character == ".":
            if unit:
                total, digits, unit = total + _amount(name, text, digits, unit, units), "", ""
            digits += character
        elif character != "\0":
            unit += character
    total += _amount(name, text, digits, unit, units)
    return max(1, round(total))


def _amount(name, text, digits, unit, units):
    try:
        return float(digits) * units[unit]
    except (ValueError, KeyError):
        why = "missing unit in duration" if digits and not unit else "invalid duration"
        raise Failure(f'invalid argument "{text}" for "--{name}" flag: time: {why} "{text}"') from None
