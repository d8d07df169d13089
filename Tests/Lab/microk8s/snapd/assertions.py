"""Assertions: signed statements about a snap file, in snapd's text form.

The form is real (headers, blank line, signature; several to a file); the signature is not, since nobody but the store
can sign: it is the SHA3-384 of the text above it, so that a changed byte is still noticed.
"""

import base64
import hashlib

import paths
from terminal import SnapError


class Assertion:
    def __init__(self, text: str):
        head, _, self.signature = text.strip("\n").partition("\n\n")
        self.text = head + "\n\n" + self.signature.strip() + "\n"
        self.headers = {}
        for line in head.split("\n"):
            key, colon, value = line.partition(":")
            if not colon or not key or key != key.strip():
                raise SnapError(f'cannot decode assertion: parsing assertion headers: header entry missing \':\' separator: "{line}"')
            self.headers[key] = value.strip()
        if "type" not in self.headers or not self.signature.strip():
            raise SnapError("cannot decode assertion: assertion content/signature separator not found")
        if self.signature.strip() != sign(head):
            raise SnapError(
                "cannot assert: failed signature verification: openpgp: invalid signature: RSA verification failure")


def sign(head: str) -> str:
    return base64.b64encode(hashlib.sha3_384(head.encode()).digest()).decode()


def digest(file) -> str:
    """The SHA3-384 of a snap file the way assertions write it: URL-safe base64 without padding."""
    running = hashlib.sha3_384()
    with open(file, "rb") as stream:
        while block := stream.read(1 << 20):
            running.update(block)
    return base64.urlsafe_b64encode(running.digest()).decode().rstrip("=")


def split(text: str) -> list[Assertion]:
    # An assertion is two paragraphs: headers, signature.
    paragraphs = [p for p in text.split("\n\n") if p.strip()]
    if not paragraphs or len(paragraphs) % 2:
        raise SnapError("cannot decode assertion: assertion content/signature separator not found")
    return [Assertion(a + "\n\n" + b) for a, b in zip(paragraphs[::2], paragraphs[1::2])]


def acknowledge(file: str) -> None:
    try:
        with open(file, "rb") as stream:
            content = stream.read()
    except OSError as error:
        raise SnapError(f"cannot assert: open {file}: {error.strerror.lower()}") from None
    try:
        found = split(content.decode())
    except UnicodeDecodeError:
        raise SnapError("cannot assert: cannot decode request body into assertions: not UTF-8") from None
    except SnapError as error:
        text = str(error)
        raise SnapError(text if text.startswith("cannot assert") else
                        f"cannot assert: cannot decode request body into assertions: {text}") from None
    paths.ASSERTIONS.mkdir(parents=True, exist_ok=True)
    for assertion in found:
        key = hashlib.sha256(assertion.text.encode()).hexdigest()[:16]
        (paths.ASSERTIONS / f"{assertion.headers['type']}-{key}").write_text(assertion.text)


def known(kind: str) -> list[Assertion]:
    return [Assertion(p.read_text()) for p in sorted(paths.ASSERTIONS.glob(f"{kind}-*"))
            if p.name[len(kind) + 1:].isalnum()]


def revision_of(file) -> tuple[dict, dict] | None:
    """The snap-revision and snap-declaration of exactly this file, or nothing when nobody vouched for these bytes."""
    revisions = known("snap-revision")
    if not revisions:
        return None
    wanted = digest(file)
    for revision in revisions:
        if revision.headers.get("snap-sha3-384") == wanted:
            for declaration in known("snap-declaration"):
                if declaration.headers.get("snap-id") == revision.headers.get("snap-id"):
                    return revision.headers, declaration.headers
    return None
