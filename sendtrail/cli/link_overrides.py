"""sendtrail links override: correct or block a link in mail that is out."""

import json
import re
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from sendtrail import keyring, overrides, private_file
from sendtrail.errors import Invalid, SendtrailError
from sendtrail.gateways import resolve
from sendtrail.keyring import Keyring
from sendtrail.links import check_destination
from sendtrail.naming import HASHED, key

_KEY = re.compile(r"[0-9]{19,20}")


def override(
    delivery: Annotated[str | None, typer.Option("--delivery", "-d", help="Whose link: name or key.")] = None,
    url_id: Annotated[
        int | None, typer.Option(min=0, max=0xFFFFFFFF, help="Which link, as `sendtrail links read` says.")
    ] = None,
    link: Annotated[
        str | None, typer.Option(help="In place of --delivery and --url-id: the link as any recipient has it.")
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

    It is written to answers.overrides_file, which edges read again within two seconds; copy it to
    edges on other machines. Clicks count as before, with the destination as followed. An opt-out
    link can be led elsewhere, never blocked: then it shows the edge's own page.

    Exit codes: 0 done, 1 nothing to remove or a destination that can't be, 2 wrong usage, 3 settings.
    """
    from sendtrail.cli.config import load
    from sendtrail.settings import AnswerSettings, KeySettings

    config = load()
    path = config.section(AnswerSettings).overrides_file
    ring = keyring.load(config.section(KeySettings).file)
    place = _place(ring, account, delivery, url_id, link)
    if show:
        if to or blocked or remove:
            raise typer.BadParameter("prints what is set and changes nothing", param_hint="--list")
        _show(path, place)
        return
    if place.delivery is None or place.url_id is None:
        raise typer.BadParameter("which link? Give --link, or --delivery and --url-id, or --list", param_hint="--link")
    if sum((to is not None, blocked, remove)) != 1:
        raise typer.BadParameter("give one of --to URL, --blocked, --remove", param_hint="--to")
    if to is not None:
        check_destination(to)
    _write(path, overrides.Override(place.delivery, place.url_id, to or "", delivery or ""), remove)


class _Place(NamedTuple):
    """Which links are meant; None: any."""

    delivery: int | None
    url_id: int | None


def _place(ring: Keyring, account: str, delivery: str | None, url_id: int | None, link: str | None) -> _Place:
    if link is None:
        return _Place(None if delivery is None else _key(ring, account, delivery), url_id)
    if delivery is not None or url_id is not None:
        raise typer.BadParameter("give either a link, or --delivery and --url-id", param_hint="--link")
    read = resolve(ring, link.encode("utf-8", "replace").decode("latin-1"))
    if isinstance(read, Invalid):
        raise SendtrailError(f"that is no link of this installation ({read.reason}): {read.detail}")
    if read.link.kind not in ("click", "optout", "mirror"):
        raise SendtrailError(f"a link of kind {read.link.kind} leads nowhere, so there is nothing to correct")
    return _Place(read.link.delivery, read.link.url_id)


def _key(ring: Keyring, account: str, name: str) -> int:
    """The key of a delivery. A number that can't be a name's own key is a hashed key, as reports show it."""
    if _KEY.fullmatch(name) and HASHED <= int(name) < 2 * HASHED:
        return int(name)
    return key(ring.naming_key, account, "delivery", name)


def _show(path: Path, wanted: _Place) -> None:
    for entry in overrides.load(path).values():
        if wanted.delivery in (None, entry.delivery) and wanted.url_id in (None, entry.url_id):
            print(json.dumps(asdict(entry), ensure_ascii=False))


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
