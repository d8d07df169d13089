"""What snap says and how: errors, and the tick that only a UTF-8 terminal gets."""

import os
import sys


class SnapError(Exception):
    """A refusal: its text goes to stderr behind `error: `, its code is the exit status."""

    def __init__(self, text: str, code: int = 1):
        super().__init__(text)
        self.code = code


class Usage(SnapError):
    def __init__(self, text: str):
        super().__init__(text, 64)


def complain(text: str) -> None:
    print(text, file=sys.stderr)


def verified() -> str:
    # cmd/snap/color.go: unicode needs a terminal on stdout and a UTF-8 locale; a pipe gets two stars.
    locale = next((os.environ[k] for k in ("LC_MESSAGES", "LC_ALL", "LANG") if os.environ.get(k)), "")
    wide = sys.stdout.isatty() and any(n in locale.upper() for n in ("UTF-8", "UTF8"))
    return "✓" if wide else "**"


def table(rows: list[list[str]]) -> str:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(row, widths)).rstrip() for row in rows)
