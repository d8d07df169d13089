"""The addons that a node knows, and which of them are on: by a text that occurs in what the cluster holds."""

import os
import re

import yaml

import kube
import paths


class Addon:
    def __init__(self, repository: str, body: dict):
        self.repository = repository
        self.name = body["name"]
        self.description = body["description"]
        self.version = body.get("version") or ""
        self.check = body["check_status"]

    @property
    def full_name(self) -> str:
        return f"{self.repository}/{self.name}"

    @property
    def folder(self):
        return paths.ADDONS / self.repository / "addons" / self.name

    def enabled(self, rows: str) -> bool:
        """A substring of any row, or an existing file: what another program installed may look like an addon, too."""
        check = re.sub(r"\$\{(\w+)\}", lambda m: os.environ.get(m[1], ""), self.check)
        return any(check in row for row in rows.splitlines()) or os.path.exists(check)


def available() -> list[Addon]:
    found = []
    for file in sorted(paths.ADDONS.glob("*/addons.yaml")):
        listed = yaml.safe_load(file.read_text())["microk8s-addons"]["addons"]
        found += [Addon(file.parent.name, body) for body in listed]
    return sorted(found, key=lambda a: (a.repository, a.name))


def rows() -> str:
    return kube.text("get", "all,ingress", "--all-namespaces") + \
        kube.text("get", "clusterroles", "--show-kind", "--no-headers")
