"""sendtrail instrument: one message in, the same message with tracked links out."""

from __future__ import annotations

import json
import sys
import time
from base64 import b64encode
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sendtrail.errors import SendtrailError

if TYPE_CHECKING:
    from sendtrail.instrument import Policy, Template
    from sendtrail.instrument.source import Output, Source


class Content(StrEnum):
    """What the input is. `mime`: a whole message, as in an .eml file."""

    auto = "auto"
    html = "html"
    text = "text"
    mime = "mime"


class ProviderName(StrEnum):
    """Whose webhook is to bring delivery and message back."""

    sendgrid = "sendgrid"
    ses = "ses"
    mailgun = "mailgun"
    postmark = "postmark"
    sparkpost = "sparkpost"
    kumomta = "kumomta"
    generic = "generic"


PolicyFile = Annotated[
    Path | None,
    typer.Option("--policy", metavar="FILE", help="Policy file (TOML): modes, labels, placeholders, extras."),
]
As = Annotated[Content, typer.Option("--as", help="What FILE is; auto: told by its content.")]
Encoding = Annotated[str, typer.Option(help="Character set of an HTML or text FILE, kept in the result.")]
Values = Annotated[
    list[str] | None, typer.Option("--value", metavar="NAME=VALUE", help="Value of a placeholder; repeatable.")
]
Attributes = Annotated[
    list[str] | None,
    typer.Option(
        "--attribute", metavar="NAME=VALUE",
        help="With --api or --json: attribute of the message, up to 8; repeatable.",
    ),
]  # fmt: skip
Base = Annotated[str, typer.Option(help="Tracking host; else tracking.base_url (SENDTRAIL_TRACKING_BASE_URL).")]
NoConsent = Annotated[
    bool, typer.Option("--no-consent", help="Not tracked: no pixel, links as they are, only opt-out is ours.")
]
Pixel = Annotated[
    bool | None, typer.Option("--pixel/--no-pixel", help="The pixel that counts opens; else the policy decides.")
]
OneClick = Annotated[
    bool | None, typer.Option("--one-click/--no-one-click", help="List-Unsubscribe headers; else the policy decides.")
]
HeadersFor = Annotated[
    ProviderName | None,
    typer.Option("--headers-for", help="Add the headers by which this provider's webhook knows the message."),
]
ApiAddress = Annotated[
    str, typer.Option("--api", help="Address of the feed API: register URLs and content, feed the `prepared` item.")
]
Label = Annotated[str, typer.Option(help="With --api: register the delivery itself too, with this label alone.")]
AsJson = Annotated[
    bool,
    typer.Option("--json", help="One JSON object: html, text or mime (base64), headers, warnings, urls, prepared."),
]


def register(app: typer.Typer) -> None:
    """Add the verbs of this file to the command."""
    app.command("instrument", epilog="Test send: --seed marks the message's hits, reports leave them out.")(instrument)


def instrument(
    source: Annotated[str, typer.Argument(metavar="FILE", help="HTML, text or .eml file, `-` for standard input.")],
    delivery: Annotated[str, typer.Option(help="The sender's name of the delivery.")],
    message: Annotated[str, typer.Option(help="The sender's name of the message, one for each recipient.")],
    recipient: Annotated[str | None, typer.Option(help="The sender's name of the recipient.")] = None,
    content: As = Content.auto,
    policy: PolicyFile = None,
    value: Values = None,
    attribute: Attributes = None,
    account: Annotated[str, typer.Option(help="Account of the names; empty is the default one.")] = "",
    base: Base = "",
    encoding: Encoding = "utf-8",
    seed: Annotated[bool, typer.Option("--seed", help="A test recipient: hits are stored, not counted.")] = False,
    proof: Annotated[bool, typer.Option("--proof", help="A proof: hits are stored, not counted.")] = False,
    no_consent: NoConsent = False,
    pixel: Pixel = None,
    one_click: OneClick = None,
    provider: HeadersFor = None,
    api: ApiAddress = "",
    label: Label = "",
    as_json: AsJson = False,
) -> None:
    """Rewrite a message's links and add the pixel. Result on standard output, headers and warnings on standard error.

    Outside the links, the pixel and, of a whole message, the headers that are added, every byte stays as it is.
    """
    from sendtrail import keyring
    from sendtrail.cli.config import load
    from sendtrail.settings import KeySettings, TrackingSettings

    if label and not api:
        raise typer.BadParameter("--label is told to the API: give --api")
    if attribute and not api and not as_json:
        raise typer.BadParameter("--attribute belongs to the `prepared` item: give --api or --json")
    config = load()
    read = read_source(source, content, encoding)
    compiled = read.compile(
        delivery=delivery,
        account=account,
        keyring=keyring.load(config.section(KeySettings).file),
        base_url=base or config.section(TrackingSettings).base_url,
        policy=_policy(policy, pixel, one_click),
    )
    output = compiled.render(
        message, recipient, values=pairs("--value", value), consent=not no_consent, seed=seed, proof=proof,
        provider=None if provider is None else provider.value,
    )  # fmt: skip
    prepared, template = None, compiled.template
    if template is not None:
        prepared = template.prepared(
            message, int(time.time() * 1000), recipient, seed=seed, proof=proof,
            attributes=pairs("--attribute", attribute),
        )  # fmt: skip
        if api:
            _tell(api, template, prepared, label)
    if as_json:
        print(json.dumps(_shown(read, output, template, prepared), ensure_ascii=False))
    else:
        _print(read, output)


def read_source(source: str, content: Content, encoding: str) -> Source:
    """The file of an argument. Raises SendtrailError."""
    from sendtrail.errors import BadSource
    from sendtrail.instrument.source import CONTENTS, Source

    try:
        raw = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    except OSError as error:
        raise SendtrailError(f"{source} can't be read: {error}") from error
    try:
        return Source(raw, next((kind for kind in CONTENTS if kind == content.value), None), encoding)
    except BadSource as error:
        raise SendtrailError(f"{source}: {error}; give its character set with --encoding") from error


def pairs(option: str, given: Sequence[str] | None) -> dict[str, str]:
    """`NAME=VALUE` texts by name. Raises typer.BadParameter."""
    found = {}
    for text in given or ():
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise typer.BadParameter(f"{option} {text!r} is not NAME=VALUE")
        found[name] = value
    return found


def _policy(path: Path | None, pixel: bool | None, one_click: bool | None) -> Policy:
    from dataclasses import replace

    from sendtrail.instrument import Policy, load_policy

    policy = Policy() if path is None else load_policy(path)
    policy = policy if pixel is None else replace(policy, pixel=pixel)
    return policy if one_click is None else replace(policy, one_click=one_click)


def _tell(address: str, template: Template, prepared: dict[str, Any], label: str) -> None:
    from sendtrail.cli.config import load
    from sendtrail.instrument.api import Api
    from sendtrail.settings import FeedSettings

    client = Api(address, load().section(FeedSettings).secret())
    if label:
        client.register(template, label=label)
    else:
        client.register_urls(template)
    refused = client.feed([prepared])
    if refused:
        raise SendtrailError(f"the API refused the prepared item: {refused[0]}")


def _print(read: Source, output: Output) -> None:
    if read.content != "mime":
        for name, value in output.headers:
            print(f"header: {name}: {value}", file=sys.stderr)
    for notice in output.warnings:
        print(f"warning: {notice.code}: {notice.text}", file=sys.stderr)
    sys.stdout.buffer.write(output.data)
    sys.stdout.flush()


def _shown(read: Source, output: Output, template: Template | None, prepared: dict[str, Any] | None) -> dict[str, Any]:
    data = output.data
    return {
        read.content: b64encode(data).decode() if read.content == "mime" else data.decode(read.encoding),
        "headers": output.headers,
        "warnings": [notice._asdict() for notice in output.warnings],
        "urls": template.url_fields() if template else [],
        "prepared": prepared,
    }
