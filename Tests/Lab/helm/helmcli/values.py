"""Values from `-f` files and `--set` expressions, later ones over earlier ones, as Helm merges them."""

import sys

import helm_python

from .errors import Failure


def collect(flags):
    values = {}
    for path in flags["values"]:
        values = merged(values, _file(path))
    for kind, parse in (("set-json", helm_python.parse_set_json), ("set", helm_python.parse_set_string),
                        ("set-string", helm_python.parse_set_string_values),
                        ("set-file", helm_python.parse_set_file), ("set-literal", helm_python.parse_set_literal)):
        for expression in flags[kind]:
            try:
                values = merged(values, parse(expression))
            except helm_python.HelmError as error:
                raise Failure(f"failed parsing --{kind} data: {error}") from None
    return values


def merged(base, over):
    """Maps are merged, everything else is replaced. A null stays: in the chart's values it removes the key."""
    result = dict(base)
    for key, value in over.items():
        if isinstance(value, dict) and isinstance(result.get(key), dict):
            value = merged(result[key], value)
        result[key] = value
    return result


def _file(path):
    try:
        if path == "-":
            text = sys.stdin.read()
        else:
            with open(path, encoding="utf-8") as file:
                text = file.read()
    except OSError as error:
        raise Failure(f"open {path}: {error.strerror.lower()}") from None
    try:
        return helm_python.values_from_yaml(text) if text.strip() else {}
    except helm_python.HelmError as error:
        raise Failure(f"failed to parse {path}: {error}") from None
