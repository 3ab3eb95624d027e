"""sendtrail api-keys: who may call the feed API. A key is shown once; only its hash is kept."""

from __future__ import annotations

import json
import sys
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from sendtrail import api_keys as file
from sendtrail import private_file
from sendtrail.api_keys import ApiKey, ApiKeys
from sendtrail.errors import ApiKeysError

Json = Annotated[bool, typer.Option("--json", help="JSON lines instead of text.")]
Name = Annotated[str, typer.Argument(help="What the key is called, e.g. after the program that uses it.")]


def register(app: typer.Typer) -> None:
    """Add the verbs of this file to the command."""
    group = typer.Typer(
        no_args_is_help=True,
        help="Keys of the feed API. The file is api.keys_file (SENDTRAIL_API_KEYS_FILE).",
    )
    for verb in (new, list_keys, revoke):
        group.command("list" if verb is list_keys else verb.__name__)(verb)
    app.add_typer(group, name="api-keys")


def new(
    name: Name,
    account: Annotated[str, typer.Option(help="The account it feeds and reads; empty is the default account.")] = "",
    requests_per_minute: Annotated[
        int, typer.Option(min=0, max=file.MAX_PER_MINUTE, help="Its own limit; 0: api.requests_per_minute.")
    ] = 0,
    as_json: Json = False,
) -> None:
    """Make an API key and print it, this once. The first one makes the file: from then on every request needs a key.

    Programs send it as `Authorization: Bearer KEY`. A running API knows it at once.
    """
    made = file.new_key()
    created = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    key = ApiKey(
        file.check_name(name), file.check_account(account), file.digest_of(made), created, requests_per_minute
    )  # fmt: skip
    with _changing() as change:
        change.now = change.now.with_key(key)
    if as_json:
        print(json.dumps(_facts(key) | {"key": made}, ensure_ascii=False))
        return
    print(made)  # alone on standard output, so that it can go where it is needed
    print(f"This is the key {key.name!r} of {_account(key)}. It is not shown again.", file=sys.stderr)


def list_keys(as_json: Json = False) -> None:
    """Show every key's account and limit. Keys themselves are not in the file."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    keys = [key for _, key in sorted(_now().by_name.items())]
    if as_json:
        for key in keys:
            print(json.dumps(_facts(key), ensure_ascii=False))
        return
    table = Table("key", "account", "requests a minute", "made", title=escape(str(_file())), title_justify="left")
    for key in keys:
        limit = f"{key.requests_per_minute:,}" if key.requests_per_minute else "as set"
        table.add_row(escape(key.name), escape(_account(key)), limit, key.created)
    Console().print(table)


def revoke(name: Name, as_json: Json = False) -> None:
    """End a key. A running API refuses it from its next request on; without any key left it refuses everybody."""
    with _changing() as change:
        key = change.now.by_name.get(name)
        change.now = change.now.without(name)
    if as_json and key is not None:
        print(json.dumps(_facts(key), ensure_ascii=False))
    else:
        print(f"the key {name!r} is revoked")


def _changing() -> AbstractContextManager[private_file.Change[ApiKeys]]:
    return private_file.changing(_file(), _now, file.save, ApiKeysError)


def _now() -> ApiKeys:
    """The keys in the file; none where it is not there yet."""
    path = _file()
    return file.load(path) if path.exists() else ApiKeys()


def _file() -> Path:
    from sendtrail.cli.config import load
    from sendtrail.settings import ApiSettings

    return load().section(ApiSettings).keys_file


def _facts(key: ApiKey) -> dict[str, object]:
    limit = key.requests_per_minute or None
    return {"name": key.name, "account": key.account, "created": key.created, "requests_per_minute": limit}


def _account(key: ApiKey) -> str:
    return f"account {key.account}" if key.account else "the default account"
