"""The table of the commands with their flags, and the way from the command line to one of them."""

import os
import sys

import helm_python

from . import commands
from .errors import Failure
from .flags import COMMON, DURATION, LIST, NUMBER, OUTPUT, SWITCH, TEXT, VALUES, parse

CHANGE = {
    **VALUES, **OUTPUT, "create-namespace": ("", SWITCH), "version": ("", TEXT), "timeout": ("", DURATION),
    "wait": ("", SWITCH), "wait-for-jobs": ("", SWITCH), "atomic": ("", SWITCH), "cleanup-on-fail": ("", SWITCH),
    "dry-run": ("", TEXT), "description": ("", TEXT), "no-hooks": ("", SWITCH), "force": ("", SWITCH),
    "skip-crds": ("", SWITCH), "devel": ("", SWITCH), "dependency-update": ("", SWITCH), "labels": ("l", LIST),
    "disable-openapi-validation": ("", SWITCH), "hide-notes": ("", SWITCH), "hide-secret": ("", SWITCH),
}
REVISION = {"revision": ("", NUMBER)}
UPGRADE = {
    **CHANGE, "install": ("i", SWITCH), "history-max": ("", NUMBER), "reset-values": ("", SWITCH),
    "reuse-values": ("", SWITCH), "reset-then-reuse-values": ("", SWITCH),
}
LISTING = {
    **OUTPUT, "all": ("a", SWITCH), "all-namespaces": ("A", SWITCH), "filter": ("f", TEXT), "selector": ("l", TEXT),
    "short": ("q", SWITCH), "max": ("m", NUMBER), "offset": ("", NUMBER), "date": ("d", SWITCH),
    "reverse": ("r", SWITCH), "deployed": ("", SWITCH), "failed": ("", SWITCH), "pending": ("", SWITCH),
    "superseded": ("", SWITCH), "uninstalled": ("", SWITCH), "uninstalling": ("", SWITCH),
}
ROLLBACK = {
    "timeout": ("", DURATION), "wait": ("", SWITCH), "cleanup-on-fail": ("", SWITCH), "dry-run": ("", TEXT),
    "no-hooks": ("", SWITCH), "force": ("", SWITCH), "history-max": ("", NUMBER),
}
UNINSTALL = {
    "keep-history": ("", SWITCH), "ignore-not-found": ("", SWITCH), "timeout": ("", DURATION), "wait": ("", SWITCH),
    "dry-run": ("", TEXT), "description": ("", TEXT), "no-hooks": ("", SWITCH), "cascade": ("", TEXT),
}
TEMPLATE = {
    **CHANGE, "show-only": ("s", LIST), "kube-version": ("", TEXT), "api-versions": ("a", LIST),
    "include-crds": ("", SWITCH), "validate": ("", SWITCH), "is-upgrade": ("", SWITCH),
}
LINT = {
    **VALUES, "strict": ("", SWITCH), "quiet": ("", SWITCH), "kube-version": ("", TEXT), "with-subcharts": ("", SWITCH),
}

COMMANDS = {
    "install": (commands.run_install, CHANGE, "install a chart"),
    "upgrade": (commands.run_upgrade, UPGRADE, "upgrade a release"),
    "list": (commands.run_list, LISTING, "list releases"),
    "status": (commands.run_status, {**OUTPUT, **REVISION}, "display the status of the named release"),
    "history": (commands.run_history, {**OUTPUT, "max": ("", NUMBER)}, "fetch release history"),
    "get": (commands.run_get, {**OUTPUT, **REVISION, "all": ("a", SWITCH)}, "download what a named release holds"),
    "rollback": (commands.run_rollback, ROLLBACK, "roll back a release to a previous revision"),
    "uninstall": (commands.run_uninstall, UNINSTALL, "uninstall a release"),
    "template": (commands.run_template, TEMPLATE, "locally render templates"),
    "lint": (commands.run_lint, LINT, "examine a chart for possible issues"),
    "show": (commands.run_show, {"version": ("", TEXT), "devel": ("", SWITCH)}, "show information of a chart"),
    "version": (commands.run_version, {"short": ("", SWITCH), "template": ("", TEXT), "client": ("c", SWITCH)},
                "print the client version information"),
}
ALIASES = {"ls": "list", "hist": "history", "del": "uninstall", "delete": "uninstall", "un": "uninstall",
           "inspect": "show"}


def usage():
    lines = "".join(f"  {name:<12}{about}\n" for name, (_, _, about) in sorted(COMMANDS.items()))
    return f"The Kubernetes package manager\n\nUsage:\n  helm [command]\n\nAvailable Commands:\n{lines}"


def help_text(command, about, table):
    flags = "".join(f"  {f'-{short}, ' if short else '    '}--{name}\n" for name, (short, _) in sorted(table.items()))
    return f"{about}\n\nUsage:\n  helm {command} [flags]\n\nFlags:\n{flags}"


def split(argv):
    """(command, everything else). Flags may stand before the command: `helm -n hub list`."""
    before = list(argv)
    for index, argument in enumerate(before):
        if argument in COMMANDS or argument in ALIASES:
            return ALIASES.get(argument, argument), before[:index] + before[index + 1:]
        if not argument.startswith("-") and (index == 0 or not before[index - 1].startswith("-")):
            raise Failure(f'unknown command "{argument}" for "helm"\nRun \'helm --help\' for usage.')
    return None, before


def main(argv):
    try:
        command, rest = split(argv)
        if command is None:
            print(usage(), end="")
            return 0
        run, table, about = COMMANDS[command]
        table = {**COMMON, **table}
        flags, arguments = parse(rest, table)
        if flags["help"]:
            print(help_text(command, about, table), end="")
            return 0
        run(flags, arguments)
        sys.stdout.flush()
        return 0
    except (Failure, helm_python.HelmError) as error:
        sys.stdout.flush()
        print(f"Error: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # Whoever read us has enough. Nothing more is written, not even at the exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
