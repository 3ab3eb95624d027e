"""sendtrail deliveries list | delete | restore | purge: take deliveries away, and have them back while that goes."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sendtrail.cli import removing, screen
from sendtrail.cli.config import load, tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clickhouse_driver import Client

    from sendtrail.removal.deletions import Deletion
    from sendtrail.settings import Config

Names = Annotated[list[str], typer.Argument(metavar="NAME|KEY…", help="Deliveries, as the sender calls them, or keys.")]
Account = Annotated[str, typer.Option(help="Whose names they are; empty = the default account.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Json = Annotated[bool, typer.Option("--json", help="JSON lines instead of text.")]


def register(app: typer.Typer) -> None:
    """Add the verbs of this file to the command."""
    group = typer.Typer(no_args_is_help=True, help="Delete deliveries, have them back, or purge them for good.")
    group.command("list")(list_deleted)
    group.command("delete")(delete)
    group.command("restore")(restore)
    group.command("purge")(purge)
    app.add_typer(group, name="deliveries")


def list_deleted(as_json: Json = False) -> None:
    """List the deliveries that were deleted, and until when each can be had back.

    `sendtrail report deliveries` lists the others.
    """
    from sendtrail.removal.deletions import deletions

    with tables(load()) as client:
        found = [one for one in deletions(client) if one.state != "restored"]
    if as_json:
        for one in found:
            print(json.dumps(_facts(one), ensure_ascii=False))
        return
    _print(found)


def delete(names: Names, account: Account = "", yes: Yes = False, as_json: Json = False) -> None:
    """Hide deliveries at once: from every report, page, view and search, and from the averages of others.

    Their links go on redirecting, and what arrives is stored, hidden. They can be had back for
    retention.restorable_days (7 days); then the loader purges them. Exit code 1 for a delivery
    that is not there.
    """
    from sendtrail.removal import deletions as removal
    from sendtrail.settings import RetentionSettings

    config = load()
    days = config.section(RetentionSettings).restorable_days
    with tables(config) as client:
        keys = _keys(client, config, names, account)
        known = removal.known(client, list(keys.values()))
        for name, key in keys.items():
            if key not in known:
                raise removal.RemovalError(f"no delivery {name!r}: nothing is registered and no event is stored")
        titles = ", ".join(one.label or one.name or str(one.delivery) for one in known.values())
        removing.ask(f"Delete {titles}? They can be had back for {days:g} days", yes)
        found = [removal.delete(client, key, removing.who(), days) for key in keys.values()]
    _say(found, as_json, "deleted; `sendtrail deliveries restore` has it back until {:%Y-%m-%d %H:%M} UTC")


def restore(names: Names, account: Account = "", as_json: Json = False) -> None:
    """Show deleted deliveries again, with everything that arrived meanwhile.

    Exit code 1 once they are purged, or where their time is over and they are about to be.
    """
    from sendtrail.removal import deletions as removal

    config = load()
    with tables(config) as client:
        found = [removal.restore(client, key, removing.who()) for key in _keys(client, config, names, account).values()]
    _say(found, as_json, "is back")


def purge(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME|KEY…]", help="Deleted ones; else all that are due.")
    ] = None,
    account: Account = "",
    yes: Yes = False,
) -> None:
    """Take deleted deliveries away for good, now: their rows, their records in Kafka, their contents.

    The loader does it by itself for those whose time is over, and once an hour for what came late
    of purged ones; this is for not waiting. Events are counted before they go, so the audit stays
    even. Exit code 1 for one that is not deleted.
    """
    from sendtrail.removal.deletions import RemovalError, deletions
    from sendtrail.settings import AnswerSettings, ClickHouseSettings, KafkaSettings
    from sinks import purge as work
    from sinks.forget import Forgetting

    config = load()
    settings = config.section(ClickHouseSettings)
    forget = Forgetting(config.section(KafkaSettings), config.section(AnswerSettings).contents_dir)
    with tables(config) as client:
        named = _keys(client, config, names, account) if names else {}
        keys = list(dict.fromkeys(named.values())) or [*work.due(client), *work.come_back(client)]
        found = {one.delivery: one for one in deletions(client, keys) if one.state != "restored"} if keys else {}
        for name, key in named.items():
            if key not in found:
                raise RemovalError(f"{name!r} is not deleted: `sendtrail deliveries delete` comes first")
        if not keys:
            print("nothing to purge: no deleted delivery's time is over")
            return
        removing.ask(f"Purge {', '.join(one.title for one in found.values())}? Nothing brings them back", yes)
        with screen.bars() as progress:
            task = progress.add_task("purging", total=None)
            work.purge(client, settings, keys, forget, lambda parts: removing.advance(progress, task, parts))
    print(f"{len(keys)} purged")


def _keys(client: "Client", config: "Config", names: "Sequence[str]", account: str) -> dict[str, int]:
    """Name -> key, of the account's names or of keys themselves, hidden ones too."""
    from dashboards.choice import keys_of
    from sendtrail import keyring
    from sendtrail.naming import key
    from sendtrail.removal.deletions import deletions, known
    from sendtrail.settings import KeySettings

    naming_key = keyring.load(config.section(KeySettings).file).naming_key
    found = {}
    for name in names:
        keys = [key(naming_key, account, "delivery", name)] if account else keys_of(name, "delivery", naming_key)
        there = [*known(client, keys), *(one.delivery for one in deletions(client, keys))]
        found[name] = next((one for one in keys if one in there), keys[0])
    return found


def _say(found: "Sequence[Deletion]", as_json: bool, words: str) -> None:
    for one in found:
        print(
            json.dumps(_facts(one), ensure_ascii=False) if as_json else f"{one.title}: {words.format(one.purge_after)}"
        )


def _facts(one: "Deletion") -> dict[str, Any]:
    return {
        "delivery": str(one.delivery), "state": one.state, "account": one.account, "name": one.name, "label": one.label,
        "deleted": one.asked.isoformat(timespec="seconds"),
        "restorable_until": one.purge_after.isoformat(timespec="seconds"),
        "purged": one.purged.isoformat(timespec="seconds") if one.purged else None, "asked_by": one.asked_by,
    }  # fmt: skip


def _print(found: "Sequence[Deletion]") -> None:
    from rich.console import Console

    console = Console(highlight=False)
    if not found:
        console.print("nothing is deleted")
        return
    table = screen.table()
    for heading in ("delivery", "account", "deleted (UTC)", "by", "to be had back until"):
        table.add_column(heading, overflow="fold")
    for one in found:
        until = f"{one.purge_after:%Y-%m-%d %H:%M}" if one.state == "deleted" else f"purged {one.purged:%Y-%m-%d}"
        table.add_row(one.title, one.account or "default", f"{one.asked:%Y-%m-%d %H:%M}", one.asked_by, until)
    console.print(table)
