"""sendtrail links: tokens in and out as JSON lines."""

import json
import re
import sys
from collections.abc import Iterable, Iterator
from typing import Annotated, Any

import msgspec
import typer

from sendtrail import events, keyring, mirror
from sendtrail.cli import link_overrides
from sendtrail.errors import Invalid, SendtrailError
from sendtrail.gateways import resolve
from sendtrail.keyring import Keyring, LinkKey
from sendtrail.links import Link, LinkKind, ReadLink, checked_base, mint, read_token, url_id_of, url_of
from sendtrail.naming import key

FLAGS = {
    "seed": events.FLAG_SEED,
    "proof": events.FLAG_PROOF,
    "honeypot": events.FLAG_HONEYPOT,
    "no_cookie": events.FLAG_NO_COOKIE,
}
_TOKEN = re.compile(r"[A-Za-z0-9_-]+")


class MintRequest(msgspec.Struct, forbid_unknown_fields=True):
    """One line for `links mint`. Names as the sender's; `url` is the template's, `destination` where this one goes.

    `values`: by placeholder, of a mirror link that shows the delivery's stored content.
    """

    delivery: int | str
    message: int | str
    kind: LinkKind = "click"
    account: str = ""
    recipient: int | str | None = None
    url: str = ""
    destination: str = ""
    url_id: int | None = None
    position: int = 1
    flags: list[str] = []
    values: dict[str, str] = {}
    base: str = ""


def register(app: typer.Typer) -> None:
    """Add the verbs of this file to the command."""
    group = typer.Typer(no_args_is_help=True, help="Mint links, read them back, correct sent ones; as JSON lines.")
    group.command("mint")(mint_lines)
    group.command("read")(read_lines)
    group.command("override")(link_overrides.override)
    app.add_typer(group, name="links")


def mint_lines(
    source: Annotated[str, typer.Argument(help="File with JSON lines, `-` for standard input.")] = "-",
    base: Annotated[
        str,
        typer.Option(help="Address of the tracking host; default: tracking.base_url (SENDTRAIL_TRACKING_BASE_URL)."),
    ] = "",
) -> None:
    """Mint a link for each line and print its url and token.

    A line holds delivery and message (names), and optionally kind (click), recipient, url, destination, url_id,
    position, flags (seed, proof, honeypot, no_cookie), account, base, and for a mirror page values (by placeholder).

    A line that can't be minted prints its error in its place; the exit code is then 1.
    """
    from sendtrail.settings import KeySettings, TrackingSettings

    config = _config()
    ring = keyring.load(config.section(KeySettings).file)
    link_key = ring.active
    base = base or config.section(TrackingSettings).base_url
    failed = False
    for number, line in _lines(source):
        try:
            request = msgspec.json.decode(line, type=MintRequest)
            print(json.dumps(minted(link_key, ring.naming_key, request, base)))
        except (SendtrailError, msgspec.DecodeError, UnicodeError) as error:
            failed = True
            print(json.dumps({"line": number, "error": str(error)}))
    raise typer.Exit(1 if failed else 0)


def minted(link_key: LinkKey, naming: bytes, request: MintRequest, base: str) -> dict[str, Any]:
    """What is printed for a request. Raises BadName, BadLink and SendtrailError for an unknown flag."""
    unknown = [name for name in request.flags if name not in FLAGS]
    if unknown:
        raise SendtrailError(f"no flag {unknown[0]!r}: there are {', '.join(FLAGS)}")
    if request.values and (request.kind != "mirror" or request.destination or request.url):
        raise SendtrailError("values are for mirror links without a url: their page is the edge's own")
    destination = request.destination or request.url or mirror.destination_with(request.values)
    recipient = request.recipient
    link = Link(
        request.kind,
        key(naming, request.account, "delivery", request.delivery),
        key(naming, request.account, "message", request.message),
        None if recipient is None else key(naming, request.account, "recipient", recipient),
        url_id_of(request.url or destination) if request.url_id is None else request.url_id,
        request.position,
        destination,
        sum({FLAGS[name] for name in request.flags}),
    )
    token = mint(link_key, link)
    return {"url": url_of(checked_base(request.base or base), request.kind, token), "token": token}


def read_lines(
    links: Annotated[list[str] | None, typer.Argument(help="Links or tokens; `-` (the default): one per line.")] = None,
) -> None:
    """Say what each link holds, as 64-bit keys, and whether it is valid.

    A link that was damaged on the way is repaired where its signature proves the result. The exit code is 1 if a link
    is not valid.
    """
    from sendtrail.settings import KeySettings

    ring = keyring.load(_config().section(KeySettings).file)
    texts: Iterable[str] = links or ["-"]
    valid = True
    for text in texts:
        for one in (_text(line) for _, line in _lines("-")) if text == "-" else [text]:
            shown = described(ring, one.strip())
            valid &= bool(shown["valid"])
            print(json.dumps(shown, ensure_ascii=False))
    raise typer.Exit(0 if valid else 1)


def described(ring: Keyring, text: str) -> dict[str, Any]:
    """What is printed for a link or token."""
    if _TOKEN.fullmatch(text):
        read = read_token(ring, text)
    else:
        read = resolve(ring, text.encode("utf-8", "replace").decode("latin-1"))
    if isinstance(read, Invalid):
        return {"valid": False, "reason": read.reason, "detail": read.detail}
    return _fields(read)


def _fields(read: ReadLink) -> dict[str, Any]:
    fields = read.link._asdict()
    flags = [name for name, bit in FLAGS.items() if read.link.flags & bit]
    return fields | {"flags": flags, "key": read.key_id, "key_state": read.key_state, "valid": True, "reason": ""}


def _lines(source: str) -> Iterator[tuple[int, bytes]]:
    """The lines that say something, with their number in the source, from 1."""
    if source == "-":
        yield from _numbered(sys.stdin.buffer)
        return
    try:
        with open(source, "rb") as file:
            yield from _numbered(file)
    except OSError as error:
        raise SendtrailError(f"{source} can't be read: {error}") from error


def _numbered(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    return ((number, line) for number, line in enumerate(lines, start=1) if line.strip())


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace")


def _config() -> Any:
    from sendtrail.cli.config import load

    return load()
