"""What went wrong, in the words of Helm 3: the library speaks Helm 4, which differs here and there."""

import re


class Failure(Exception):
    """A message for stderr after `Error: `."""


# (pattern in Helm 4's text, Helm 3's words)
_WORDS = [
    (r"^release name check failed: ", ""),
    (r"cannot reuse a name that is still in use", "cannot re-use a name that is still in use"),
    (r"^unable to continue with install: ",
     "rendered manifests contain a resource that already exists. Unable to continue with install: "),
    (r"^unable to continue with update: ",
     "rendered manifests contain a resource that already exists. Unable to continue with update: "),
    (r"kubernetes cluster unreachable", "Kubernetes cluster unreachable"),
    (r"rollback-on-failure being set", "atomic being set"),
]

_SCHEMA_HEADING = "values don't meet the specifications of the schema(s) in the following chart(s):"


def as_helm3(text):
    if _SCHEMA_HEADING in text:
        # Helm 3 lists the faults flat, without the groups that they are nested in.
        return "\n".join(_schema_line(line) for line in text.splitlines() if not line.endswith(": validation failed"))
    for pattern, words in _WORDS:
        text = re.sub(pattern, words, text)
    return text


def _schema_line(line):
    """`- at '/a/b': got string, want number`  ->  `- a.b: Invalid type. Expected: number, given: string`."""
    match = re.match(r"^\s*- at '(.*?)': (.*)$", line)
    if not match:
        return line
    pointer, what = match.groups()
    place = ".".join(part.replace("~1", "/").replace("~0", "~") for part in pointer.strip("/").split("/") if part)
    place = place or "(root)"
    if found := re.match(r"got (\w+), want (.*)$", what):
        wanted = found[2].replace(" or ", "/").replace(", ", "/")
        what = f"Invalid type. Expected: {wanted}, given: {found[1]}"
    elif found := re.match(r"additional properties? (.*) not allowed$", what):
        names = re.findall(r"'([^']*)'", found[1])
        return "\n".join(f"- {place}: Additional property {name} is not allowed" for name in names)
    elif found := re.match(r"missing propert(?:y|ies) (.*)$", what):
        names = re.findall(r"'([^']*)'", found[1])
        return "\n".join(f"- {place}: {name} is required" for name in names)
    elif found := re.match(r"value must be one of (.*)$", what):
        wanted = found[1].replace("'", '"')
        what = f"{place} must be one of the following: {wanted}"
    elif what.startswith("'oneOf' failed"):
        what = "Must validate one and only one schema (oneOf)"
    return f"- {place}: {what}"
