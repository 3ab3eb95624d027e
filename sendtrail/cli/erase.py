"""sendtrail erase, sendtrail export: what is stored about one recipient goes, or is given out."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sendtrail.cli import removing, screen
from sendtrail.cli.config import load, tables

if TYPE_CHECKING:
    from datetime import datetime

    from clickhouse_driver import Client

    from sendtrail.settings import Config
    from sinks.proof import Left, Place

Recipient = Annotated[str, typer.Option(metavar="NAME|KEY", help="The recipient, as the sender calls it, or the key.")]
Account = Annotated[str, typer.Option(help="Whose name it is; empty = the default account.")]


def register(app: typer.Typer) -> None:
    """Add the verbs of this file to the command."""
    app.command("erase")(erase)
    app.command("export")(export)


def erase(
    recipient: Recipient,
    account: Account = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what is stored, table by table, and change nothing.")
    ] = False,
    proof: Annotated[
        bool, typer.Option("--proof", help="Only prove that nothing is left, and say when Kafka and the rest are free.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The proof as one JSON object.")] = False,
) -> None:
    """Erase a recipient: a pseudonym takes the place of the key in every table, and what names the person goes.

    Counts stay as they are. Whatever arrives or is replayed later, by links in mail that is out
    too, is stored under the pseudonym. Ends with a proof: every table with what it still has, and
    the dates from which Kafka, workers and back-ups are free. Nothing undoes it. Exit code 1 if
    something is left.
    """
    config = load()
    key, naming_key = _key(config, recipient, account)
    with tables(config) as client:
        from sinks.erase import person

        names = _names(recipient, key, person(client, key, account).names)
        if dry_run:
            _print_proof(_look(client, key, names), [], done=False)
            return
        if not proof:
            removing.ask(f"Erase {recipient!r} of {account or 'the default account'}? Nothing undoes it", yes)
            _erase(client, config, key, naming_key, account, names)
        _end(client, config, key, naming_key, names, as_json)


def _erase(client: "Client", config: "Config", key: int, naming_key: bytes, account: str, names: list[str]) -> None:
    from sendtrail.removal.erasures import ask
    from sendtrail.settings import ClickHouseSettings, KafkaSettings
    from sendtrail.topics import CONSENTS
    from sinks.erase import erase as carry_out
    from sinks.forget import nulls

    kafka = config.section(KafkaSettings)
    request = ask(client, key, account, names[0] if names else "", removing.who())
    with screen.bars() as progress:
        task = progress.add_task("erasing", total=None)
        carry_out(
            client, config.section(ClickHouseSettings), naming_key, request,
            lambda keys: nulls(kafka, [(CONSENTS, one) for one in keys]),
            lambda parts: removing.advance(progress, task, parts),
        )  # fmt: skip


def _end(
    client: "Client", config: "Config", key: int, naming_key: bytes, names: list[str], as_json: bool
) -> None:  # fmt: skip
    from sendtrail.removal.erasures import erasures, pseudonym_of
    from sinks.proof import places

    pseudonym = pseudonym_of(naming_key, key)
    done = [one.done for one in erasures(client) if one.pseudonym == pseudonym and one.done is not None]
    found = _look(client, key, names)
    since = min(done) if done else None
    elsewhere = places(config, max(done)) if done else []
    clean = not any(one.by_key or one.by_name for one in found)
    if as_json:
        print(json.dumps(_facts(found, elsewhere, pseudonym, since), ensure_ascii=False))
    else:
        _print_proof(found, elsewhere, done=bool(done))
    raise typer.Exit(0 if clean and done else 1)


def export(
    recipient: Recipient,
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write: .json, or .zip with a CSV per table.")],
    account: Account = "",
) -> None:
    """Write everything stored about a recipient into a file, table by table, with what each column means.

    Exit code 1 if nothing is stored.
    """
    from sendtrail import private_file
    from sendtrail.removal.personal import as_json, as_zip, now, stored

    forms = {".json": as_json, ".zip": as_zip}
    if output.suffix not in forms:
        raise typer.BadParameter("the file's name ends with .json or .zip", param_hint="--output")
    config = load()
    key, _ = _key(config, recipient, account)
    with tables(config) as client:
        found = list(stored(client, key, "" if str(key) == recipient else recipient))
    rows = sum(len(one.rows) for one in found)
    if not rows:
        print(f"nothing is stored about {recipient!r}")
        raise typer.Exit(1)
    private_file.write(output, forms[output.suffix](key, recipient, found, now()))
    print(f"{rows:,} rows of {sum(bool(one.rows) for one in found)} tables in {output}")


def _key(config: "Config", recipient: str, account: str) -> tuple[int, bytes]:
    from dashboards.choice import keys_of
    from sendtrail import keyring
    from sendtrail.naming import HASHED, key
    from sendtrail.settings import KeySettings

    naming_key = keyring.load(config.section(KeySettings).file).naming_key
    if account:
        return key(naming_key, account, "recipient", recipient), naming_key
    keys = keys_of(recipient, "recipient", naming_key)
    return (keys[-1] if keys[-1] >= HASHED and str(keys[-1]) == recipient else keys[0]), naming_key


def _names(recipient: str, key: int, known: tuple[str, ...]) -> list[str]:
    own = [] if str(key) == recipient else [recipient]
    return list(dict.fromkeys([*own, *known]))


def _look(client: "Client", key: int, names: list[str]) -> "list[Left]":
    from sinks.proof import left

    with screen.bars() as progress:
        task = progress.add_task("looking through tables", total=None)
        return left(client, key, names, lambda table: progress.update(task, description=f"looking through {table}"))


def _facts(found: "list[Left]", elsewhere: "list[Place]", pseudonym: int, done: "datetime | None") -> dict[str, Any]:
    return {
        "clean": not any(one.by_key or one.by_name for one in found),
        "pseudonym": str(pseudonym),
        "erased": done.isoformat(timespec="seconds") if done else None,
        "tables": [one._asdict() for one in found],
        "elsewhere": [
            {"place": one.place, "free": one.free.date().isoformat() if one.free else None, "why": one.why}
            for one in elsewhere
        ],
    }


def _print_proof(found: "list[Left]", elsewhere: "list[Place]", done: bool) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    table = screen.table("table")
    for heading in ("rows with the key", "rows with the name"):
        table.add_column(heading, justify="right")
    table.add_column("in", overflow="fold")
    for one in found:
        table.add_row(one.table, f"{one.by_key:,}", f"{one.by_name:,}", ", ".join(one.columns))
    console.print(table)
    if elsewhere:
        free = screen.table()
        for heading in ("elsewhere", "free on", "because"):
            free.add_column(heading, overflow="fold")
        for place in elsewhere:
            free.add_row(place.place, f"{place.free:%Y-%m-%d}" if place.free else "–", place.why)
        console.print(free)
    rows = sum(one.by_key + one.by_name for one in found)
    verdict = "nothing is left in the tables" if not rows else f"{rows:,} rows tell of the recipient"
    console.print(verdict if done or rows else f"{verdict}; the recipient was not erased", style="bold")
