"""What `sendtrail verify` adds to the checks of the tables: the sums that reports show."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dashboards.queries import Queries, Row
    from sinks.verify import Difference

DOMAINS = "domains = delivery"
LINKS = "links = delivery"
_BY_DOMAIN = ("recipient_open", "recipient_click", "messages", "delivered", "total_open", "total_click")


def report_checks(queries: "Queries") -> "dict[str, Callable[[Sequence[int]], Iterable[Difference]]]":
    """Sums over e-mail domains and over links, by the reports' own queries, against the delivery's numbers."""
    return {
        DOMAINS: lambda deliveries: _domains(queries, deliveries),
        LINKS: lambda deliveries: _links(queries, deliveries),
    }


def _domains(queries: "Queries", deliveries: Sequence[int]) -> "Iterator[Difference]":
    domains = queries.settings.report_domains
    for people in (0, 1):
        whole = {row["delivery"]: row for row in queries.rows("base_live", deliveries=[*deliveries], people=people)}
        parts = queries.rows("domains", deliveries=[*deliveries], people=people, domains=domains)
        for delivery, row in whole.items():
            of_it = [part for part in parts if part["delivery"] == delivery]
            yield from _differs(delivery, DOMAINS, people, row, _BY_DOMAIN, of_it)


def _links(queries: "Queries", deliveries: Sequence[int]) -> "Iterator[Difference]":
    for people in (0, 1):
        for row in queries.rows("base_live", deliveries=[*deliveries], people=people):
            delivery = row["delivery"]
            for by in ("label", "url", "category", "position"):
                links = queries.rows("urls", deliveries=[delivery], people=people, by=by)
                clicks = [{"total_click": link["clicks"]} for link in links]
                yield from _differs(delivery, LINKS, people, row, ("total_click",), clicks, f" by {by}")


def _differs(
    delivery: int, check: str, people: int, whole: "Row", names: Sequence[str], parts: "Sequence[Row]", how: str = ""
) -> "Iterator[Difference]":
    from sinks.verify import Difference

    odd = [name for name in names if sum(part[name] for part in parts) != whole[name]]
    if odd:
        yield Difference(delivery, check, len(odd), f"{', '.join(odd)}{how}, {'people' if people else 'all'}")
