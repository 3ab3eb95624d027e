"""sendtrail instrument: one message in, the same message with tracked links out."""

import json
import re
import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from sendtrail.errors import SendtrailError

_MARKUP = re.compile(r"<(?:!doctype|html|head|body|table|div|span|p|a|br|img|h[1-6]|ul)\b", re.IGNORECASE)


class Content(StrEnum):
    """What the input is."""

    auto = "auto"
    html = "html"
    text = "text"


def register(app: typer.Typer) -> None:
    """Add the verbs of this file to the command."""
    app.command("instrument")(instrument)


def instrument(
    source: Annotated[str, typer.Argument(metavar="FILE", help="HTML or text file, `-` for standard input.")],
    delivery: Annotated[str, typer.Option(help="The sender's name of the delivery.")],
    message: Annotated[str, typer.Option(help="The sender's name of the message, one for each recipient.")],
    recipient: Annotated[str | None, typer.Option(help="The sender's name of the recipient.")] = None,
    content: Annotated[Content, typer.Option("--as", help="What FILE is; auto: told by its content.")] = Content.auto,
    account: Annotated[str, typer.Option(help="Account of the names; empty is the default one.")] = "",
    base: Annotated[
        str, typer.Option(help="Tracking host; else tracking.base_url (SENDTRAIL_TRACKING_BASE_URL).")
    ] = "",
    encoding: Annotated[str, typer.Option(help="Character set of FILE, kept in the result.")] = "utf-8",
    seed: Annotated[bool, typer.Option("--seed", help="A test recipient: hits are stored, not counted.")] = False,
    proof: Annotated[bool, typer.Option("--proof", help="A proof: hits are stored, not counted.")] = False,
    pixel: Annotated[bool, typer.Option(help="Add the pixel that counts opens.")] = True,
    one_click: Annotated[bool, typer.Option(help="Make List-Unsubscribe headers (RFC 8058).")] = True,
    api: Annotated[
        str, typer.Option(help="Address of the feed API: register the URLs there and feed the `prepared` item.")
    ] = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object: html or text, headers, warnings, urls, prepared.")
    ] = False,
) -> None:
    """Rewrite a message's links and add the pixel. Result on standard output, headers and warnings on standard error.

    Outside the links and the pixel every byte stays as it is.
    """
    from sendtrail import keyring
    from sendtrail.cli.config import load
    from sendtrail.instrument import Policy, compile
    from sendtrail.settings import KeySettings, TrackingSettings

    config = load()
    text = _decoded(_read(source), encoding, source)
    is_html = content is Content.html or (content is Content.auto and _MARKUP.search(text) is not None)
    template = compile(
        delivery=delivery,
        account=account,
        keyring=keyring.load(config.section(KeySettings).file),
        base_url=base or config.section(TrackingSettings).base_url,
        policy=Policy(pixel=pixel, one_click=one_click),
        html=text if is_html else None,
        text=None if is_html else text,
    )
    rendered = template.render(message, recipient, seed=seed, proof=proof)
    prepared = template.prepared(message, int(time.time() * 1000), recipient, seed=seed)
    if api:
        _tell(api, template, prepared)
    if as_json:
        print(json.dumps(_shown(template, rendered, prepared), ensure_ascii=False))
        return
    for name, value in rendered.headers:
        print(f"header: {name}: {value}", file=sys.stderr)
    for notice in rendered.warnings:
        print(f"warning: {notice.code}: {notice.text}", file=sys.stderr)
    sys.stdout.buffer.write(((rendered.html if is_html else rendered.text) or "").encode(encoding))
    sys.stdout.flush()


def _tell(api: str, template: Any, prepared: dict[str, Any]) -> None:
    from sendtrail.instrument.api import Api

    client = Api(api)
    client.register(template)
    refused = client.feed([prepared])
    if refused:
        raise SendtrailError(f"the API refused the prepared item: {refused[0]}")


def _shown(template: Any, rendered: Any, prepared: dict[str, Any]) -> dict[str, Any]:
    parts = {name: part for name, part in (("html", rendered.html), ("text", rendered.text)) if part is not None}
    return parts | {
        "headers": rendered.headers,
        "warnings": [notice._asdict() for notice in rendered.warnings],
        "urls": template.url_fields(),
        "prepared": prepared,
    }


def _read(source: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    except OSError as error:
        raise SendtrailError(f"{source} can't be read: {error}") from error


def _decoded(raw: bytes, encoding: str, source: str) -> str:
    try:
        return raw.decode(encoding)
    except (UnicodeDecodeError, LookupError) as error:
        raise SendtrailError(f"{source} is not {encoding}: give its character set with --encoding ({error})") from error
