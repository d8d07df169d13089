#!/usr/bin/python3
"""Takes a picture of a page as Chromium shows it, after a login if asked.

    screenshot.py http://10.99.0.2:30080/hub/login login.png
    screenshot.py http://10.99.0.2:30080/user/ana/lab lab.png --login ana --password-file FILE --wait-for .jp-Launcher
"""

import argparse
import os
import sys
import time
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from chromium import BrowserError, Chromium  # noqa: E402 (the path comes first)


def arguments(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], epilog="\n".join(__doc__.splitlines()[2:]),
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", metavar="URL")
    parser.add_argument("picture", metavar="OUT.png")
    parser.add_argument("--login", metavar="USER", help="log in at the hub of the same address first")
    parser.add_argument("--password-file", metavar="FILE")
    parser.add_argument("--wait-for", metavar="SELECTOR", help="a CSS selector that must be on the page")
    parser.add_argument("--settle", type=float, default=1.0, metavar="SECONDS", help="then wait so long (1)")
    parser.add_argument("--timeout", type=int, default=90, metavar="SECONDS", help="for each page (90)")
    parser.add_argument("--size", default="1366x900", metavar="WxH")
    parser.add_argument("--insecure", action="store_true", help="take any certificate")
    return parser.parse_args(argv)


def log_in(page, given):
    if not given.password_file:
        raise BrowserError("--login needs --password-file")
    try:
        with open(given.password_file, encoding="utf-8") as file:
            password = file.readline().rstrip("\r\n")
    except OSError as error:
        raise BrowserError(f"{given.password_file}: {error.strerror}") from None
    base = urllib.parse.urlsplit(given.url)
    page.load(f"{base.scheme}://{base.netloc}/hub/login?next=%2Fhub%2Fhome", given.timeout)
    page.wait_for("input[name=username]", given.timeout)
    page.fill_and_submit({"username": given.login, "password": password}, given.timeout)
    if page.evaluate("!!document.querySelector('input[name=password]')"):
        raise BrowserError(f"{given.login} could not log in at {base.netloc}")


def main(argv):
    given = arguments(argv)
    try:
        width, height = (int(part) for part in given.size.split("x"))
        with Chromium(given.url, (width, height), given.insecure) as page:
            if given.login:
                log_in(page, given)
            page.load(given.url, given.timeout)
            if given.wait_for:
                page.wait_for(given.wait_for, given.timeout)
            time.sleep(given.settle)
            page.picture(given.picture)
    except (BrowserError, OSError, ValueError) as error:
        print(f"screenshot.py: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
