"""Values written as YAML. Block style; a string that could be read as anything else is quoted as JSON does."""

import json
import re

# Words that a YAML reader takes for something else than a string.
_NOT_STRINGS = {"", "null", "~", "true", "false", "yes", "no", "on", "off", "y", "n", ".inf", ".nan"}
_PLAIN = re.compile(r"^[A-Za-z_/.][A-Za-z0-9_/.+ -]*$")


def dump(value, indent=0):
    """The text, with a newline at its end."""
    if isinstance(value, dict) and value:
        return "".join(_entry(" " * indent + _scalar(str(key)) + ":", value[key], indent) for key in sorted(value))
    if isinstance(value, list) and value:
        return "".join(_item(item, indent) for item in value)
    return " " * indent + _scalar(value) + "\n"


def _entry(head, value, indent):
    if isinstance(value, dict) and value:
        return head + "\n" + dump(value, indent + 2)
    if isinstance(value, list) and value:
        return head + "\n" + dump(value, indent)
    if isinstance(value, str) and "\n" in value and value == value.lstrip() and value.isprintable() is False:
        return head + " " + _block(value, indent + 2)
    return head + " " + _scalar(value) + "\n"


def _item(value, indent):
    nested = dump(value, indent + 2)
    return " " * indent + "- " + nested[indent + 2:]


def _block(text, indent):
    """A literal block, where the text allows one."""
    body = text.rstrip("\n")
    if any(line != line.rstrip() or "\t" in line or not (line.isprintable()) for line in body.split("\n")):
        return json.dumps(text, ensure_ascii=False) + "\n"
    endings = len(text) - len(body)
    chomp = "-" if endings == 0 else "" if endings == 1 else "+"
    lines = "".join((" " * indent + line if line else "") + "\n" for line in body.split("\n"))
    return "|" + chomp + "\n" + lines + "\n" * max(0, endings - 1)


def _scalar(value):
    if isinstance(value, str) and _PLAIN.match(value) and value == value.strip() and value.lower() not in _NOT_STRINGS \
            and not re.match(r"^[.\d]", value):
        return value
    return json.dumps(value, ensure_ascii=False)
