"""sendtrail links override: correct or block a link in mail that is out."""

import json
import re
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from sendtrail import keyring, overrides, private_file
from sendtrail.errors import SendtrailError
from sendtrail.links import check_destination
from sendtrail.naming import HASHED, key

_KEY = re.compile(r"[0-9]{19,20}")


def override(
    delivery: Annotated[str | None, typer.Option("--delivery", "-d", help="Whose link: name or key.")] = None,
    url_id: Annotated[
        int | None, typer.Option(min=0, max=0xFFFFFFFF, help="Which link; `sendtrail report urls` shows the ids.")
    ] = None,
    to: Annotated[str | None, typer.Option(metavar="URL", help="Where it leads from now on.")] = None,
    blocked: Annotated[
        bool, typer.Option("--blocked", help="It leads nowhere from now on: readers see a page that says so.")
    ] = False,
    remove: Annotated[bool, typer.Option("--remove", help="It leads where the message says again.")] = False,
    show: Annotated[bool, typer.Option("--list", help="Print what is set, one JSON object a line.")] = False,
    account: Annotated[str, typer.Option(help="The delivery's account; default: the default one.")] = "",
) -> None:
    """Correct or block a link in mail that is out.

    It is written to the overrides file (answers.overrides_file), which every edge reads again within two seconds;
    where edges run on other machines, copy the file there. Clicks count as before, with the destination as followed.
    An opt-out link can be led elsewhere, never blocked: then it shows the edge's own page.

    Exit codes: 0 done, 1 nothing to remove or a destination that can't be, 2 wrong usage, 3 settings.
    """
    from sendtrail.cli.config import load
    from sendtrail.settings import AnswerSettings, KeySettings

    config = load()
    path = config.section(AnswerSettings).overrides_file
    if show:
        if to or blocked or remove:
            raise typer.BadParameter("prints what is set and changes nothing", param_hint="--list")
        wanted = None if delivery is None else _key(config.section(KeySettings).file, account, delivery)
        for entry in overrides.load(path).values():
            if wanted in (None, entry.delivery) and url_id in (None, entry.url_id):
                print(json.dumps(asdict(entry), ensure_ascii=False))
        return
    if delivery is None or url_id is None:
        raise typer.BadParameter("which link? Give --delivery and --url-id, or --list", param_hint="--delivery")
    if sum((to is not None, blocked, remove)) != 1:
        raise typer.BadParameter("give one of --to URL, --blocked, --remove", param_hint="--to")
    if to is not None:
        check_destination(to)
    number = _key(config.section(KeySettings).file, account, delivery)
    _write(path, overrides.Override(number, url_id, to or "", "" if remove else delivery), remove)


def _key(key_file: Path, account: str, name: str) -> int:
    """The key of a delivery. A number that can't be a name's own key is a hashed key, as reports show it."""
    if _KEY.fullmatch(name) and HASHED <= int(name) < 2 * HASHED:
        return int(name)
    return key(keyring.load(key_file).naming_key, account, "delivery", name)


def _write(path: Path, entry: overrides.Override, remove: bool) -> None:
    place = (entry.delivery, entry.url_id)
    with private_file.locked(path):
        entries = overrides.load(path)
        if remove:
            if entries.pop(place, None) is None:
                raise SendtrailError(f"delivery {entry.delivery} has no override of link {entry.url_id}")
        else:
            entries[place] = replace(entry, set_at=datetime.now(UTC).isoformat(timespec="seconds"))
        overrides.save(path, entries.values())
    if not remove:
        print(json.dumps(asdict(entries[place]), ensure_ascii=False))
