"""sendtrail webhooks: which there are, and a mapping file tried on a payload."""

import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from sendtrail.errors import SendtrailError


def register(app: typer.Typer) -> None:
    """Add the verbs of this file to the command."""
    group = typer.Typer(help="Webhooks of mail providers and of others (docs/providers.md).", no_args_is_help=True)
    group.command("list")(list_webhooks)
    group.command("try")(try_mapping)
    app.add_typer(group, name="webhooks")


def list_webhooks(
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object for each, one a line.")] = False,
) -> None:
    """Show the webhooks of the settings: path, account, and which of them take something."""
    from producers.api.body import Refusal
    from producers.api.providers.all import webhooks
    from producers.api.providers.found import Call
    from producers.api.webhooks import PATH
    from sendtrail.cli.config import load
    from sendtrail.settings import ProvidersSettings

    for hook in webhooks(load().section(ProvidersSettings), bytes(32)).values():
        answer = hook.read(Call({}, b"", "", 0))  # to nobody: refused, and how tells whether it is set up
        closed = isinstance(answer, Refusal) and answer.error == "not_configured"
        state = answer.detail if closed and isinstance(answer, Refusal) else "open"
        if as_json:
            print(
                json.dumps({"name": hook.name, "path": PATH + hook.name, "account": hook.account, "open": not closed})
            )
        else:
            print(f"{PATH + hook.name:28} {state}")


def try_mapping(
    mapping: Annotated[Path, typer.Argument(metavar="MAPPING", help="Mapping file, TOML.")],
    payload: Annotated[str, typer.Argument(metavar="FILE", help="Body of a request, JSON; `-` for standard input.")],
) -> None:
    """Print what a mapping file makes of a payload, one JSON object for each item. Nothing is fed.

    Exit code 1 where an item would become a reject, 3 where the mapping file is wrong.
    """
    from producers.api.body import Refusal
    from producers.api.providers.events import EventMaker, is_reject
    from producers.api.providers.found import json_of
    from producers.api.providers.mapping import read
    from producers.api.providers.mapping_file import load

    loaded = load(mapping)
    body = json_of(_read(payload))
    if isinstance(body, Refusal):
        raise SendtrailError(f"{payload} is not JSON: {body.detail}")
    naming_key = _naming_key(needed=bool(loaded.mapping.delivery))
    maker, now_ms = EventMaker(naming_key, loaded.name, loaded.mapping.account), time.time_ns() // 1_000_000
    events = [maker.event(found, now_ms) for found in read(body, loaded, naming_key)]
    for event in events:
        print(json.dumps(_shown(event, is_reject(event)), ensure_ascii=False))
    if any(map(is_reject, events)):
        raise typer.Exit(1)


def _shown(event: Any, rejected: bool) -> dict[str, Any]:
    """An event in words, without what is not set."""
    if rejected:
        return {"rejected": event.reason, "detail": event.diagnostic}
    when = datetime.fromtimestamp(event.event_time_ms / 1000, UTC).isoformat(timespec="milliseconds")
    names = (
        "account", "delivery", "message", "recipient", "domain", "reason", "diagnostic", "destination", "user_agent",
        "address", "provider_hints", "provider_event_id", "flags",
    )  # fmt: skip
    rest = {name: value for name in names if (value := getattr(event, name)) not in ("", None, [])}
    if not event.flags:
        rest.pop("flags")
    return {"kind": event.kind, "time": when, **rest}


def _naming_key(needed: bool) -> bytes:
    """Keys follow from names only with the installation's key."""
    from sendtrail import keyring
    from sendtrail.cli.config import load
    from sendtrail.settings import KeySettings

    return keyring.load(load().section(KeySettings).file).naming_key if needed else bytes(32)


def _read(source: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    except OSError as error:
        raise SendtrailError(f"{source} can't be read: {error}") from error
