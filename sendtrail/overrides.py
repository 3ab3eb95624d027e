"""Links of mail that is out and should lead elsewhere, or nowhere: a small file that every edge reads again (TOML).

One entry for each delivery and url id. A destination is checked as one that is minted, on writing and on reading, and
counts only for links whose signature holds: nobody can be led anywhere by an address of their own making.
"""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w

from sendtrail import private_file
from sendtrail.errors import BadLink, OverridesError
from sendtrail.links import check_destination

_MAX = {"delivery": 1 << 64, "url_id": 1 << 32}
_FIELDS = frozenset(("delivery", "url_id", "to", "blocked", "name", "set_at"))


@dataclass(frozen=True)
class Override:
    """Where a link leads now; `to` empty: nowhere, it is blocked. `name`, `set_at`: for people, not looked at."""

    delivery: int
    url_id: int
    to: str = ""
    name: str = ""
    set_at: str = ""


Overrides = dict[tuple[int, int], Override]


def load(path: Path) -> Overrides:
    """Read the file; one that is not there holds nothing. Raises OverridesError naming what is wrong with it."""
    try:
        text = path.read_text()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise OverridesError(f"the overrides file {path} can't be read: {error}") from error
    try:
        table = tomllib.loads(text)
        entries = [_entry(fields) for fields in table.pop("override", [])]
        if table:
            raise ValueError(f"it holds {next(iter(table))!r}; there are only tables [[override]]")
    except (ValueError, TypeError, KeyError, BadLink) as error:
        raise OverridesError(f"the overrides file {path} can't be read: {error}") from error
    return {(entry.delivery, entry.url_id): entry for entry in entries}


def save(path: Path, overrides: Iterable[Override]) -> None:
    """Write the file, all or nothing. Raises BadLink for a destination that can't be, OSError."""
    entries = sorted(overrides, key=lambda one: (one.delivery, one.url_id))
    for entry in entries:
        if entry.to:
            check_destination(entry.to)
    private_file.write(path, tomli_w.dumps({"override": [_table(entry) for entry in entries]}).encode())


def _table(entry: Override) -> dict[str, Any]:
    told = {name: text for name, text in (("name", entry.name), ("set_at", entry.set_at)) if text}
    leads: dict[str, Any] = {"to": entry.to} if entry.to else {"blocked": True}
    return {"delivery": entry.delivery, "url_id": entry.url_id, **leads, **told}


def _entry(fields: Any) -> Override:
    if not isinstance(fields, dict):
        raise TypeError(f"an override is a table, not {fields!r}")
    unknown = fields.keys() - _FIELDS
    if unknown:
        raise ValueError(f"an override has no {min(unknown)!r}, only {', '.join(sorted(_FIELDS))}")
    for name, limit in _MAX.items():
        number = fields[name]
        if type(number) is not int or not 0 <= number < limit:
            raise ValueError(f"{name} is a number below {limit}, not {number!r}")
    texts = {name: fields.get(name, "") for name in ("to", "name", "set_at")}
    for name, text in texts.items():
        if not isinstance(text, str):
            raise ValueError(f"{name} is a text, not {text!r}")
    blocked = fields.get("blocked", False)
    if not isinstance(blocked, bool) or blocked == bool(texts["to"]):
        raise ValueError('an override has either to = "https://…" or blocked = true')
    if texts["to"]:
        check_destination(texts["to"])
    return Override(fields["delivery"], fields["url_id"], **texts)
