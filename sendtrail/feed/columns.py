"""Rows of CSV -> items, by the names of columns. Pure."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sendtrail.errors import BadColumns, Invalid

#: Fields of an item (docs/api.md); `attributes.NAME` is one of the sender's own.
FIELDS = (
    "kind", "time", "delivery", "message", "recipient", "domain", "format", "reason", "diagnostic", "id", "seed",
    "proof",
)  # fmt: skip
NEEDED = ("kind", "time", "delivery", "message")
_ATTRIBUTE = "attributes."
_BOOLEANS = {"1": True, "true": True, "yes": True, "y": True, "0": False, "false": False, "no": False, "n": False}


class Columns:
    """What each column of a file is, and what every item has besides."""

    def __init__(
        self, header: Sequence[str], named: Mapping[str, str], fixed: Mapping[str, str], ignore_others: bool
    ) -> None:  # fmt: skip
        """`named`: field -> column, where a column is not called like its field. `fixed`: field -> value of all items.

        Raises BadColumns naming the column or field that does not fit.
        """
        self._width = len(header)
        self._fixed = dict(fixed)
        self._fields: dict[int, str] = {}
        titles = [title.strip() for title in header]
        for field in (*named, *fixed):
            _check_field(field)
        for field, title in named.items():
            if titles.count(title) != 1:
                raise BadColumns(f"{field} is to be column {title!r}, but the file has {_listed(titles)}")
            self._fields[titles.index(title)] = field
        for at, title in enumerate(titles):
            if at in self._fields:
                continue
            if (own := _field_of(title)) is not None:
                self._fields[at] = own
            elif not ignore_others:
                raise BadColumns(_unknown(title))
        self._check_once([*self._fields.values(), *self._fixed])
        missing = [field for field in NEEDED if field not in (*self._fields.values(), *self._fixed)]
        if missing:
            raise BadColumns(
                f"no column is {' or '.join(missing)}: the file has {_listed(titles)}. Say which one it is with "
                f"--map {missing[0]}=COLUMN, or give one value for all with --set {missing[0]}=VALUE"
            )

    def item(self, cells: Sequence[str]) -> dict[str, Any] | Invalid:
        """The item of a row; empty cells are left out."""
        if len(cells) != self._width:
            return Invalid("undecodable", f"{len(cells)} cells where the header has {self._width}")
        given = self._fixed | {field: cells[at].strip() for at, field in self._fields.items() if cells[at].strip()}
        item: dict[str, Any] = {}
        for field, text in given.items():
            if field.startswith(_ATTRIBUTE):
                item.setdefault("attributes", {})[field.removeprefix(_ATTRIBUTE)] = text
            elif field in ("seed", "proof"):
                if text.lower() not in _BOOLEANS:
                    return Invalid("bad_field", f"{field} is true or false, not {text!r}")
                item[field] = _BOOLEANS[text.lower()]
            elif field == "time" and text.isascii() and text.isdecimal() and len(text) < 19:
                item[field] = int(text)
            else:
                item[field] = text
        return item

    def _check_once(self, fields: Iterable[str]) -> None:
        seen: set[str] = set()
        for field in fields:
            if field in seen:
                raise BadColumns(f"{field} is given twice: by two columns, or by a column and --set")
            seen.add(field)


def _check_field(field: str) -> None:
    if field not in FIELDS and not (field.startswith(_ATTRIBUTE) and field != _ATTRIBUTE):
        raise BadColumns(f"{field!r} is no field of an item; there are {_listed(FIELDS)} and attributes.NAME")


def _field_of(title: str) -> str | None:
    """The field a column is called after, whatever its capitals."""
    if title.lower().startswith(_ATTRIBUTE) and len(title) > len(_ATTRIBUTE):
        return _ATTRIBUTE + title[len(_ATTRIBUTE) :]
    return title.lower() if title.lower() in FIELDS else None


def _unknown(title: str) -> str:
    near = difflib.get_close_matches(title.lower(), FIELDS, 1)
    text = f"column {title!r} is no field of an item ({_listed(FIELDS)}, attributes.NAME). "
    if near:
        text += f"Did you mean {near[0]}? "
    return text + f"Say what it is with --map FIELD={title or 'COLUMN'}, or leave all such columns out: --ignore-others"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(name or "(no name)" for name in names)
