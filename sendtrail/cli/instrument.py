"""sendtrail instrument: one message in, the same message with tracked links out."""

from __future__ import annotations

import json
import re
import sys
import time
from base64 import b64encode
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sendtrail.errors import SendtrailError

if TYPE_CHECKING:
    from sendtrail.instrument import Template

_MARKUP = re.compile(r"<(?:!doctype|html|head|body|table|div|span|p|a|br|img|h[1-6]|ul)\b", re.IGNORECASE)


class Content(StrEnum):
    """What the input is. `mime`: a whole message, as in an .eml file."""

    auto = "auto"
    html = "html"
    text = "text"
    mime = "mime"


def register(app: typer.Typer) -> None:
    """Add the verbs of this file to the command."""
    app.command("instrument")(instrument)


def instrument(
    source: Annotated[str, typer.Argument(metavar="FILE", help="HTML, text or .eml file, `-` for standard input.")],
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
        bool,
        typer.Option("--json", help="One JSON object: html, text or mime (base64), headers, warnings, urls, prepared."),
    ] = False,
) -> None:
    """Rewrite a message's links and add the pixel. Result on standard output, headers and warnings on standard error.

    Outside the links and the pixel every byte stays as it is.
    """
    from sendtrail import keyring
    from sendtrail.cli.config import load
    from sendtrail.instrument import Policy
    from sendtrail.settings import KeySettings, TrackingSettings

    config = load()
    made = _Instrumented(
        _read(source), content, encoding,
        delivery=delivery,
        account=account,
        keyring=keyring.load(config.section(KeySettings).file),
        base_url=base or config.section(TrackingSettings).base_url,
        policy=Policy(pixel=pixel, one_click=one_click),
    )  # fmt: skip
    made.render(message, recipient, seed=seed, proof=proof)
    prepared = None
    if made.template is not None:
        prepared = made.template.prepared(message, int(time.time() * 1000), recipient, seed=seed)
        if api:
            _tell(api, made.template, prepared)
    if as_json:
        print(json.dumps(_shown(made, prepared), ensure_ascii=False))
        return
    if made.kind is not Content.mime:
        for name, value in made.headers:
            print(f"header: {name}: {value}", file=sys.stderr)
    for notice in made.warnings:
        print(f"warning: {notice.code}: {notice.text}", file=sys.stderr)
    sys.stdout.buffer.write(made.output)
    sys.stdout.flush()


class _Instrumented:
    """An input of any kind, compiled; after `render`: its output, headers and warnings."""

    def __init__(self, raw: bytes, content: Content, encoding: str, **how: Any) -> None:
        from sendtrail.instrument import compile
        from sendtrail.instrument.mime import compile_message, looks_like_mail

        self.template: Template | None
        self.encoding = encoding
        if content is Content.mime or (content is Content.auto and looks_like_mail(raw)):
            self.kind = Content.mime
            self._mail = compile_message(raw, **how)
            self.template = self._mail.template
            return
        text = _decoded(raw, encoding)
        is_html = content is Content.html or (content is Content.auto and _MARKUP.search(text) is not None)
        self.kind = Content.html if is_html else Content.text
        self.template = compile(html=text if is_html else None, text=None if is_html else text, **how)

    def render(self, message: str, recipient: str | None, **how: Any) -> None:
        """Make one recipient's message."""
        if self.kind is Content.mime:
            mail = self._mail.render(message, recipient, **how)
            self.output, self.headers, self.warnings = mail.data, mail.headers, mail.warnings
        elif self.template is not None:
            rendered = self.template.render(message, recipient, **how)
            part = rendered.html if self.kind is Content.html else rendered.text
            self.output = (part or "").encode(self.encoding)
            self.headers, self.warnings = rendered.headers, rendered.warnings


def _tell(api: str, template: Any, prepared: dict[str, Any]) -> None:
    from sendtrail.instrument.api import Api

    client = Api(api)
    client.register(template)
    refused = client.feed([prepared])
    if refused:
        raise SendtrailError(f"the API refused the prepared item: {refused[0]}")


def _shown(made: _Instrumented, prepared: dict[str, Any] | None) -> dict[str, Any]:
    is_mail = made.kind is Content.mime
    return {
        made.kind.value: b64encode(made.output).decode() if is_mail else made.output.decode(made.encoding),
        "headers": made.headers,
        "warnings": [notice._asdict() for notice in made.warnings],
        "urls": made.template.url_fields() if made.template else [],
        "prepared": prepared,
    }


def _read(source: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    except OSError as error:
        raise SendtrailError(f"{source} can't be read: {error}") from error


def _decoded(raw: bytes, encoding: str) -> str:
    try:
        return raw.decode(encoding)
    except (UnicodeDecodeError, LookupError) as error:
        raise SendtrailError(f"FILE is not {encoding}: give its character set with --encoding ({error})") from error
