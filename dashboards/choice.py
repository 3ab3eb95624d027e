"""Names people type -> deliveries and recipients."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from dashboards.queries import Queries, ReportError, Row
from dashboards.shape import Note, Subject
from sendtrail.events import MAX_KEY
from sendtrail.naming import HASHED, KeyKind, key, name_bytes

#: Whose deliveries a reader may see: None = everybody's, also those that nobody has registered.
Accounts = Collection[str] | None


def visible_to(accounts: Accounts) -> dict[str, Any]:
    """Parameters of queries: only what a reader of those accounts may see."""
    return {"everybody": int(accounts is None), "accounts": sorted(accounts or ())}


def stored_as(account: str) -> list[str]:
    """The names an account may have in the registry; empty = any account."""
    return ["", "default"] if account == "default" else [account] if account else []


@dataclass(frozen=True)
class Delivery:
    """A delivery as the registry has it; texts are empty and figures None where the sender said nothing."""

    delivery: int
    registered: bool
    name: str
    account: str
    label: str
    code: str
    campaign: str
    channel: str
    type: str
    tags: list[str]
    status: str
    contact_date: datetime | None
    targeted: int | None
    excluded: dict[str, int]
    to_deliver: int | None
    success: int | None
    asked_at: datetime

    @property
    def subject(self) -> Subject:
        """The delivery as a report's header names it."""
        return Subject(str(self.delivery), self.name, self.label)

    def seen_by(self, accounts: Accounts) -> bool:
        """Whether a reader of those accounts may see it."""
        return accounts is None or (self.registered and self.account in accounts)

    @property
    def title(self) -> str:
        """What people call it."""
        return self.label or self.name or str(self.delivery)


_FIELDS = [field.name for field in fields(Delivery)]


def delivery_of(row: Row) -> Delivery:
    """A row of query registry or delivery_list."""
    return Delivery(**{name: row[name] for name in _FIELDS} | {"registered": bool(row["registered"])})


def by_key(queries: Queries, delivery: int) -> Delivery:
    """The delivery with a key. Raises ReportError if it has neither events nor an entry in the registry."""
    rows = queries.rows("registry", keys=[delivery], names=[])
    if not rows:
        raise _unknown(str(delivery))
    return delivery_of(rows[0])


def by_keys(queries: Queries, deliveries: Sequence[int]) -> list[Delivery]:
    """Those of the deliveries that have events or an entry in the registry, by key."""
    return [delivery_of(row) for row in queries.rows("registry", keys=list(deliveries), names=[])]


def by_names(
    queries: Queries, names: Sequence[str], naming_key: bytes | None, accounts: Accounts = None
) -> list[Delivery]:  # fmt: skip
    """The deliveries of names or keys, each once, in the order given; those of other accounts are as if not there.

    A name is one of the default account, else the only delivery of any account with that name. `naming_key` None:
    only the registry's names and keys are found. Raises BadName, or ReportError for an unknown or ambiguous name.
    """
    keys = {name: keys_of(name, "delivery", naming_key) for name in names}
    wanted = sorted({one for several in keys.values() for one in several})
    rows = queries.rows("registry", keys=wanted, names=list(keys))
    found = [one for one in map(delivery_of, rows) if one.seen_by(accounts)]
    chosen = {picked.delivery: picked for picked in (_pick(name, keys[name], found, naming_key) for name in names)}
    return list(chosen.values())


def keys_of(name: str, kind: KeyKind, naming_key: bytes | None) -> list[int]:
    """What a typed name can mean, the likeliest first: the key of the name, and a hashed key itself in decimal."""
    name_bytes(name)
    number = int(name) if name.isascii() and name.isdigit() else None
    keys = []
    if naming_key is not None:
        keys.append(key(naming_key, "", kind, name))
    elif number is not None and number < HASHED and str(number) == name:
        keys.append(number)
    if number is not None and HASHED <= number <= MAX_KEY:
        keys.append(number)
    return keys


def _pick(name: str, keys: Sequence[int], found: Sequence[Delivery], naming_key: bytes | None) -> Delivery:
    for wanted in keys:
        for delivery in found:
            if delivery.delivery == wanted:
                return delivery
    named = [delivery for delivery in found if delivery.name == name]
    if not named and naming_key is None and not keys:
        raise ReportError(
            Note("no delivery {name!r} is registered, and without the key file no other name can be found", name=name)
        )
    if not named:
        raise _unknown(name)
    if len(named) > 1:
        several = ", ".join(f"{one.delivery} (account {one.account or 'default'})" for one in named)
        raise ReportError(
            Note("several deliveries are called {name!r}: give one of the keys {several}", name=name, several=several)
        )
    return named[0]


def _unknown(name: str) -> ReportError:
    return ReportError(Note(
        "no delivery {name!r}: nothing is registered and no event is stored under that name or key; "
        "report deliveries lists those there are", name=name,
    ))  # fmt: skip
