"""sendtrail bounces: bounce and complaint mails -> the feed API."""

import json
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from sendtrail.errors import ApiRefused, ApiUnavailable, SettingsError

#: sysexits.h: a mail server keeps the mail and tries again.
EX_TEMPFAIL = 75
#: What the API answers where a key or its address is wrong. No mail is lost over that: the mail itself was not read.
_NOT_THE_MAILS_FAULT = (401, 403, 404)


def register(app: typer.Typer) -> None:
    """Add the verbs of this file to the command."""
    app.command("bounces")(bounces)


def bounces(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="`-`: one mail on standard input; `imap`: mta.imap_…; or a Maildir.")
    ],
    every: Annotated[float, typer.Option(min=0, help="Seconds until the mailbox is looked at again; 0: once.")] = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would be told; mark nothing.")] = False,
) -> None:
    """Read bounces (RFC 3464) and complaints (RFC 5965), and tell the feed API whose they are.

    Matched by a signed link in the returned message, by its X-Sendtrail headers, or by mta.verp_pattern. A mail is
    marked as seen once the API has it; one that can't be matched becomes a reject there, and is flagged. With `-`, exit
    code 75 says that the API is away, or that settings or its key are wrong: the mail server is to try again.
    """
    from producers.mta.mailbox import Maildir
    from sendtrail.cli.config import load
    from sendtrail.feed import Feed
    from sendtrail.settings import FeedSettings, MtaSettings

    if source == "-":
        _piped(dry_run)
        return
    config = load()
    matcher, feeding = _matcher(config), config.section(FeedSettings)
    with ExitStack() as stack:
        if source == "imap":
            from producers.mta.mailbox import Imap

            box: Any = stack.enter_context(Imap(config.section(MtaSettings)))
        else:
            box = Maildir(Path(source))
        if dry_run:
            _show(box, matcher)
            return
        feed = stack.enter_context(Feed(feeding.url, feeding.secret()))
        _collect(box, matcher, feed, every)


def _collect(box: Any, matcher: Any, feed: Any, every: float) -> None:
    from producers.mta.collect import collect

    while True:
        counts = collect(box, matcher, feed)
        if counts["mails"] or not every:
            print(json.dumps(counts), flush=True)
        if not every:
            return
        time.sleep(every)


def _show(box: Any, matcher: Any) -> None:
    from producers.mta.bounces import told_of

    for mail in box.unseen():
        for told in told_of(mail.content, matcher):
            told.original = ""
            print(msgspec.json.encode(told).decode())


def _piped(dry_run: bool) -> None:
    from sendtrail.cli.config import load
    from sendtrail.settings import FeedSettings

    try:
        config = load()
        _one(_matcher(config), config.section(FeedSettings), dry_run)
    except (ApiRefused, ApiUnavailable, SettingsError) as error:
        if isinstance(error, ApiRefused) and error.status not in _NOT_THE_MAILS_FAULT:
            raise
        print(f"sendtrail: {error}", file=sys.stderr)
        raise typer.Exit(EX_TEMPFAIL) from error


def _one(matcher: Any, feeding: Any, dry_run: bool) -> None:
    from producers.mta.bounces import told_of
    from producers.mta.reports import MAX_MAIL_BYTES
    from producers.mta.told import BOUNCES, tell
    from sendtrail.feed import Feed

    told = told_of(sys.stdin.buffer.read(MAX_MAIL_BYTES + 1), matcher)
    if dry_run:
        for one in told:
            one.original = ""
            print(msgspec.json.encode(one).decode())
        return
    with Feed(feeding.url, feeding.secret(), retry_s=20) as feed:
        tell(feed, BOUNCES, map(msgspec.json.encode, told))


def _matcher(config: Any) -> Any:
    """With the key file where there is one: without it no link proves itself, and only headers and VERP tell."""
    from producers.mta.match import Matcher
    from sendtrail import keyring
    from sendtrail.settings import KeySettings, MtaSettings

    settings, file = config.section(MtaSettings), config.section(KeySettings).file
    keys = keyring.load(file) if file.exists() else None
    naming_key = keys.naming_key if keys else bytes(32)
    if keys is None:
        print(f"sendtrail: no key file {file}: links in returned messages are not looked at", file=sys.stderr)
    return Matcher(keys, naming_key, settings.verp_pattern if keys else "", settings.signed_only)
