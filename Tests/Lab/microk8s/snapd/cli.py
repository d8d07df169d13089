"""The command line of snap."""

import os

import assertions
import changes
import installation
import paths
import refreshing
import removal
import running
import services
import settings
import state
from terminal import SnapError, Usage, complain, table, verified


def main(arguments: list[str]) -> int:
    try:
        if not arguments:
            print("The snap command lets you install, configure, refresh and remove snaps.\n"
                  "For more information about a command, run 'snap help <command>'.")
            return 0
        verb, rest = arguments[0], arguments[1:]
        if verb in ("-h", "--help", "help"):
            print("Usage: snap <command> [<options>...]\n\nCommands: " + ", ".join(sorted(set(VERBS) - {"carry-out"})))
            return 0
        if verb == "--version":
            verb = "version"
        if verb not in VERBS:
            raise Usage(f'unknown command "{verb}", see \'snap help\'.')
        return VERBS[verb](rest) or 0
    except SnapError as error:
        complain(f"error: {error}")
        return error.code


def split(arguments: list[str], flags: set[str], valued: set[str] = frozenset()) -> tuple[dict, list[str]]:
    """Options and words; `--flag=value` for those that may have one, as in `--hold[=DURATION]`."""
    options, words = {}, []
    for argument in arguments:
        if not argument.startswith("-"):
            words.append(argument)
            continue
        name, equals, value = argument.lstrip("-").partition("=")
        if name not in flags | valued or (equals and name not in valued):
            raise Usage(f"unknown flag `{name}'")
        options[name] = value if equals else True
    return options, words


def privileged() -> None:
    if os.geteuid() != 0:
        raise SnapError("access denied (try with sudo)")
    if not paths.SOCKET.exists():
        raise SnapError('cannot communicate with server: Post "http://localhost/v2/snaps": '
                        "dial unix /run/snapd.socket: connect: no such file or directory")


def some(words: list[str], what: str = "<snap>") -> None:
    if not words:
        raise Usage(f"the required argument `{what} (at least 1 argument)` was not provided")


def ack(arguments):
    _, words = split(arguments, set())
    if len(words) != 1:
        raise Usage("the required argument `<assertion file>` was not provided")
    privileged()
    assertions.acknowledge(words[0])


def install(arguments):
    options, words = split(arguments, {"classic", "dangerous", "devmode", "jailmode", "edge", "stable", "no-wait"},
                           {"channel", "revision"})
    some(words)
    privileged()
    for word in words:
        installation.install(word, "classic" in options, "dangerous" in options or "devmode" in options)


def remove(arguments):
    options, words = split(arguments, {"purge", "terminate", "no-wait"}, {"revision"})
    some(words)
    privileged()
    for word in words:
        removal.remove(word, "purge" in options)


def listing(arguments):
    _, words = split(arguments, {"all"})
    snaps = state.load()["snaps"]
    if not snaps and not words:
        complain("No snaps are installed yet. Try 'snap install hello-world'.")
        return
    chosen = {n: e for n, e in sorted(snaps.items()) if not words or n in words}
    if not chosen:
        raise SnapError("no matching snaps installed")
    rows = [["Name", "Version", "Rev", "Tracking", "Publisher", "Notes"]]
    for name, entry in chosen.items():
        notes = [note for note, holds in [
            ("classic", entry["confinement"] == "classic"), ("base", entry["type"] == "base"),
            ("snapd", entry["type"] == "snapd"), ("held", bool(entry.get("held")))] if holds]
        publisher = entry["publisher"] + verified() if entry["publisher"] else "-"
        rows.append([name, entry["version"], entry["revision"], "-", publisher, ",".join(notes) or "-"])
    print(table(rows))


def act(verb):
    def perform(arguments):
        options, words = split(arguments, {"enable", "disable", "reload", "no-wait"})
        some(words, "<service>")
        privileged()
        services.act(verb, words, "enable" in options or "disable" in options)
        print({"start": "Started.", "stop": "Stopped.", "restart": "Restarted."}[verb])
    return perform


def list_services(arguments):
    _, words = split(arguments, {"global", "user"})
    print(services.listing(words))


def refresh(arguments):
    options, words = split(arguments, {"unhold", "list", "time", "classic", "no-wait"}, {"hold", "channel", "revision"})
    privileged()
    if "hold" in options:
        refreshing.hold("forever" if options["hold"] is True else options["hold"], words)
    elif "unhold" in options:
        refreshing.unhold(words)
    elif "time" in options:
        held = state.load().get("held")
        print("timer: 00:00~24:00/4\nlast: n/a\n" + (f"hold: {held}" if held else "next: today at 23:59 UTC"))
    else:
        refreshing.refresh(words)


def assign(arguments):
    _, words = split(arguments, {"t", "s", "no-wait"}) if arguments[:1] and arguments[0].startswith("-") else (None, arguments)
    if len(words) < 2:
        raise Usage("the required arguments `<snap>` and `<conf value> (at least 1 argument)` were not provided")
    privileged()
    settings.assign(words[0], words[1:])


def get(arguments):
    _, words = split(arguments, {"d", "l", "t"})
    some(words)
    print(settings.value(words[0], words[1:]))


def wait(arguments):
    _, words = split(arguments, set())
    if words != ["system", "seed.loaded"]:
        raise Usage("the required arguments `<snap>` and `<key>` were not provided")


def download(arguments):
    _, words = split(arguments, set(), {"channel", "basename", "target-directory", "revision"})
    some(words)
    print(f'Fetching snap "{words[0]}"')
    raise SnapError(f'cannot download snap "{words[0]}": {installation.STORE}')


def known(arguments):
    _, words = split(arguments, {"remote", "direct"})
    some(words, "<assertion type>")
    wanted = dict(w.partition("=")[::2] for w in words[1:])
    found = [a for a in assertions.known(words[0]) if wanted.items() <= a.headers.items()]
    print("\n".join(a.text for a in found), end="")


def version(arguments):
    facts = {}
    for line in open("/etc/os-release"):
        key, _, text = line.strip().partition("=")
        facts[key] = text.strip('"')
    rows = [["snap", state.version()], ["snapd", state.version()], ["series", "16"],
            [facts.get("ID", "linux"), facts.get("VERSION_ID", "-")], ["kernel", os.uname().release]]
    print("\n".join(f"{a:<8}{b}" for a, b in rows))


def run(arguments):
    if not arguments:
        raise Usage("need the application to run as argument")
    running.execute(arguments[0], arguments[1:])


def carry_out(arguments):
    """Not for people: the unit of a change runs this."""
    kinds = {"install-snap": installation.carry_out, "remove-snap": removal.carry_out}
    if arguments == ["--pending"]:
        changes.resume()
    else:
        changes.carry_out(arguments[0], kinds)


VERBS = {
    "ack": ack, "install": install, "remove": remove, "list": listing, "services": list_services,
    "start": act("start"), "stop": act("stop"), "restart": act("restart"), "refresh": refresh, "set": assign,
    "get": get, "wait": wait, "download": download, "known": known, "version": version, "run": run,
    "carry-out": carry_out,
}
