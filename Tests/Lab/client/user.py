#!/usr/bin/python3
"""Does what a user of JupyterHub does, through the pages and APIs that a browser uses.

    user.py --url http://10.99.0.2:30080 --user ana --password-file FILE demo

`demo` logs in, starts a server, runs a cell, sends a file and reads it back. Every other command logs in first.
"""

import argparse
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from hub import Browser, User, UserError  # noqa: E402 (the path comes first)

DEMO_CELL = "import socket; print(6 * 7, 'from', socket.gethostname())"


def arguments(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], epilog="\n".join(__doc__.splitlines()[2:]),
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", required=True, help="the hub's address, as a user types it")
    parser.add_argument("--user", required=True, metavar="NAME")
    parser.add_argument("--password", help="everybody here can see it; better --password-file or $JHUB_PASSWORD")
    parser.add_argument("--password-file", metavar="FILE")
    parser.add_argument("--server", default="", metavar="NAME", help="a named server instead of the default one")
    parser.add_argument("--insecure", action="store_true", help="take any certificate")
    parser.add_argument("--cacert", metavar="FILE", help="take certificates of this authority")
    parser.add_argument("--timeout", type=int, default=300, metavar="SECONDS", help="for a start or a cell (300)")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("login", help="log in, say who we are")
    commands.add_parser("signup", help="ask for an account")
    authorize = commands.add_parser("authorize", help="as an admin, let USER in, who signed up")
    authorize.add_argument("who", metavar="USER")
    spawn = commands.add_parser("spawn", help="start the server and wait for it")
    cell = commands.add_parser("cell", help="run CODE in the running server, print its output")
    cell.add_argument("code", metavar="CODE")
    upload = commands.add_parser("upload", help="send a file in one request and read it back")
    upload.add_argument("--megabytes", type=int, default=5, metavar="N")
    commands.add_parser("stop", help="stop the server and wait until it is gone")
    demo = commands.add_parser("demo", help="all of it, told line by line")
    for command in (spawn, demo):
        command.add_argument("--profile", metavar="SLUG")
        command.add_argument("--option", action="append", default=[], metavar="NAME=CHOICE", help="of the profile")
    demo.add_argument("--signup", action="store_true", help="sign up first; an account that is there already is fine")
    demo.add_argument("--cell", default=DEMO_CELL, metavar="CODE")
    demo.add_argument("--megabytes", type=int, default=5, metavar="N")
    demo.add_argument("--stop", action="store_true", help="stop the server at the end")
    return parser.parse_args(argv)


def password_of(given):
    if given.password_file:
        try:
            with open(given.password_file, encoding="utf-8") as file:
                return file.readline().rstrip("\r\n")
        except OSError as error:
            raise UserError(f"{given.password_file}: {error.strerror}") from None
    password = given.password or os.environ.get("JHUB_PASSWORD")
    if not password:
        raise UserError("no password: give --password-file FILE or set JHUB_PASSWORD")
    return password


def options_of(given):
    return dict(option.split("=", 1) for option in given.option)


def spawn(user, given, say):
    user.spawn(given.profile, options_of(given), given.server, given.timeout,
               tell=lambda line: print("  " + line, file=sys.stderr))
    say("server", user.browser.url(user.path(given.server)))


def demo(user, given, say):
    if given.signup:
        try:
            say("sign-up", user.signup())
        except UserError as error:
            say("sign-up", str(error))
    say("login", user.login()["name"])
    spawn(user, given, say)
    say("cell", user.run_cell(given.cell, given.server, given.timeout).strip())
    user.upload(os.urandom(given.megabytes << 20), "demo-upload.bin", given.server)
    say("file", f"{given.megabytes} MiB there and back")
    if given.stop:
        user.stop(given.server)
        say("server", "stopped")


def run(given):
    start = time.monotonic()

    def say(what, text):
        print(f"{time.monotonic() - start:6.1f} s  {what:8} {text}", flush=True)

    user = User(Browser(given.url, given.insecure, given.cacert), given.user, password_of(given))
    if given.command == "demo":
        return demo(user, given, say)
    if given.command == "signup":
        return print(user.signup())
    me = user.login()
    if given.command == "login":
        print(f"{me['name']} is logged in{' as administrator' if me.get('admin') else ''}")
    elif given.command == "authorize":
        user.authorize(given.who)
    elif given.command == "spawn":
        spawn(user, given, say)
    elif given.command == "cell":
        print(user.run_cell(given.code, given.server, given.timeout), end="")
    elif given.command == "upload":
        user.upload(os.urandom(given.megabytes << 20), "upload.bin", given.server)
        print(f"{given.megabytes} MiB there and back")
    elif given.command == "stop":
        user.stop(given.server)
        print("stopped")


def main(argv):
    try:
        run(arguments(argv))
        return 0
    except KeyboardInterrupt:
        return 130
    except UserError as error:
        print(f"user.py: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
