"""Base numbers of deliveries from ClickHouse, stored or counted live."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from dashboards.choice import Delivery
from dashboards.indicators import Base, Cut
from dashboards.queries import Queries, Row
from dashboards.shape import Hits, Note

_FIELDS = [field.name for field in fields(Base)]


@dataclass(frozen=True)
class Numbers:
    """Base numbers in the order asked for. `calculated`: the oldest distinct number's time, None if all are of now."""

    bases: list[Base]
    calculated: datetime | None

    @property
    def hits(self) -> Hits:
        """Hits of all of them."""
        return Hits(sum(base.hits_people for base in self.bases), sum(base.hits_all for base in self.bases))

    def now(self, asked_at: datetime) -> datetime:
        """When a report was calculated whose registry was read at `asked_at`: not before its stored numbers."""
        return max(asked_at, self.calculated or asked_at)


def people(cut: Cut) -> int:
    """The cut as queries take it."""
    return int(cut == "people")


def base_of(row: Row) -> Base:
    """A row of query base_live, base_stored or domains; numbers it does not have are 0."""
    return Base(**{name: row[name] for name in _FIELDS if name in row})


def numbers(queries: Queries, deliveries: Sequence[int], cut: Cut, live: bool) -> Numbers:
    """Base numbers of deliveries. Stored ones come from table indicators; what is not there yet is counted live."""
    if not deliveries:
        return Numbers([], None)
    stored = {} if live else _stored(queries, deliveries, cut)
    rest = [delivery for delivery in deliveries if delivery not in stored]
    counted = queries.rows("base_live", deliveries=rest, people=people(cut)) if rest else []
    rows = stored | {row["delivery"]: row for row in counted}
    bases = [base_of(rows[delivery]) for delivery in deliveries]
    return Numbers(bases, min((row["calculated"] for row in stored.values()), default=None))


def stored_bases(queries: Queries, deliveries: Sequence[int], cut: Cut) -> list[Base]:
    """Base numbers of those deliveries that have stored ones."""
    return [base_of(row) for row in _stored(queries, deliveries, cut).values()] if deliveries else []


def _stored(queries: Queries, deliveries: Sequence[int], cut: Cut) -> dict[int, Row]:
    rows = queries.rows("base_stored", deliveries=list(deliveries), people=people(cut))
    return {row["delivery"]: row for row in rows if row["calculated"].timestamp() > 0}


def status_of(delivery: Delivery, base: Base) -> str:
    """draft, sending or finished: as registered, else by how many messages have a state.

    Hits without a feed are of a delivery that was sent; as nothing says how far it is, all of it, as in `Base.success`.
    """
    if delivery.status:
        return delivery.status
    if base.processed:
        return "sending" if base.processed < base.to_deliver else "finished"
    return "finished" if base.hits_all else "draft"


@dataclass(frozen=True)
class Start:
    """When a delivery began, and how that is known: contact date, first sent or first hit."""

    at: datetime
    known_by: Note

    @property
    def milliseconds(self) -> int:
        """UTC milliseconds, as queries take it."""
        return milliseconds(self.at)


def starts(queries: Queries, deliveries: Sequence[Delivery]) -> dict[int, Start]:
    """When each delivery began: contact date, else first sent, else first hit; one without any of them is left out."""
    begun = {
        one.delivery: Start(one.contact_date, Note("contact date"))
        for one in deliveries
        if one.contact_date is not None
    }
    rest = [one.delivery for one in deliveries if one.contact_date is None]
    for row in queries.rows("starts", deliveries=rest) if rest else []:
        if row["first_sent"] is not None:
            begun[row["delivery"]] = Start(row["first_sent"], Note("first sent"))
        elif row["first_hit"] is not None:
            begun[row["delivery"]] = Start(row["first_hit"], Note("first hit"))
    return begun


def milliseconds(at: datetime) -> int:
    """UTC milliseconds of a time with a zone."""
    return round(at.timestamp() * 1000)
