"""Deliveries that are deleted: hidden at once, to be had back for some days, then purged.

Restoring and purging never meet: up to `purge_after` only the one does anything, from then on only the other.
"""

from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

from clickhouse_driver import Client

from sendtrail.errors import SendtrailError
from sendtrail.removal.queries import run

State = Literal["deleted", "restored", "purged"]
_DAY_S = 86_400


class RemovalError(SendtrailError):
    """What is asked can't be: an unknown delivery or recipient, or one that is gone."""


class Deletion(NamedTuple):
    """What holds for a delivery that was deleted. Times are UTC; `name` and `label` are gone once it is purged."""

    delivery: int
    deletion_id: UUID
    state: State
    account: str
    name: str
    label: str
    asked: datetime
    purge_after: datetime
    purged: datetime | None
    asked_by: str

    @property
    def title(self) -> str:
        """What people call it."""
        return self.label or self.name or str(self.delivery)


class Known(NamedTuple):
    """A delivery that is registered or has events; texts are empty where the sender said nothing."""

    delivery: int
    account: str
    name: str
    label: str


def deletions(client: Client, deliveries: list[int] | None = None) -> list[Deletion]:
    """Deletions, the latest first. Lets the driver's errors through, like every function here."""
    return [Deletion(*row) for row in run(client, "deletions", {"deliveries": deliveries or []})]


def known(client: Client, deliveries: list[int]) -> dict[int, Known]:
    """Those of the deliveries that there are, hidden ones too."""
    return {row[0]: Known(*row) for row in run(client, "known_deliveries", {"deliveries": deliveries})}


def delete(client: Client, delivery: int, asked_by: str, restorable_days: float) -> Deletion:
    """Hide a delivery from now on; twice is as once.

    Raises RemovalError where there is no such delivery, or where it is purged already.
    """
    there = known(client, [delivery]).get(delivery)
    if there is None:
        raise RemovalError(f"no delivery with key {delivery}: nothing is registered and no event is stored")
    run(client, "delete_delivery", {
        "delivery": delivery, "account": there.account, "name": there.name, "label": there.label,
        "restorable_s": round(restorable_days * _DAY_S), "asked_by": asked_by,
    })  # fmt: skip
    (found,) = deletions(client, [delivery])
    if found.state == "purged":
        raise RemovalError(f"delivery {delivery} was purged on {found.purged:%Y-%m-%d}")
    return found


def restore(client: Client, delivery: int, asked_by: str, now_ms: int = 0) -> Deletion:
    """Show a hidden delivery again, as it would be had it never been hidden; twice is as once.

    Raises RemovalError where it was never deleted, or where it can't be had back any more.
    """
    run(client, "restore_delivery", {"delivery": delivery, "asked_by": asked_by, "now_ms": now_ms})
    found = next(iter(deletions(client, [delivery])), None)
    if found is None:
        raise RemovalError(f"delivery {delivery} was not deleted")
    if found.state == "purged":
        raise RemovalError(f"delivery {delivery} was purged on {found.purged:%Y-%m-%d}: nothing of it is left")
    if found.state == "deleted":
        raise RemovalError(f"delivery {delivery} could be had back until {found.purge_after:%Y-%m-%d %H:%M} UTC")
    return found
