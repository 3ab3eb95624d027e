"""What the report benchmark asks for: deliveries to ask about, and a value for every parameter of every query.

A new query file is measured as soon as `values` has all its parameters; one that needs values of its own gets a line in
OWN. A query with a parameter that nothing is known of is named at the end of the run.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dashboards.queries import Value
from sendtrail.settings import Config, ReportSettings

HOUR_S, DAY_S = 3600, 86_400
EVERY_KEY = 2**64 - 1
PAGE = 50

#: Tables with a row per event, message or person: a query that reads one counts again, every other reads aggregates.
_COUNTED_AGAIN = re.compile(
    r"\b(?:events|message_state|message_activity|person_activity|messages|indicators_live|recipient_activity)\b"
)
_PARAMETER = re.compile(r"\{(\w+):")


@dataclass(frozen=True)
class Case:
    """Deliveries asked about, the largest first; contact dates in UTC milliseconds; one recipient and some messages."""

    name: str
    deliveries: list[int]
    starts: list[int]
    recipient: int
    messages: list[int]
    first_slice: int


def values(case: Case, people: int) -> dict[str, Value]:
    """Parameter -> value, as the reports give them by default."""
    start_s = case.starts[0] // 1000
    return {
        "deliveries": case.deliveries, "delivery": case.deliveries[0], "keys": case.deliveries, "names": [],
        "starts": case.starts, "contact_date": case.starts[0], "people": people, "uncounted": 0,
        "from_s": start_s, "until_s": start_s + 7 * DAY_S, "since": case.starts[0] + 3 * DAY_S * 1000, "days": 3,
        "periods": [HOUR_S, 3 * HOUR_S, 6 * HOUR_S, DAY_S, 3 * DAY_S, 7 * DAY_S, 30 * DAY_S, 0],
        "period_s": 7 * DAY_S, "step_s": HOUR_S, "zone": "Europe/Madrid", "period": "day", "split": "",
        "until": case.starts[0] + 7 * DAY_S * 1000, "site": "", "top": PAGE, "steps": ["/products", "/basket"],
        "domains": Config({}).section(ReportSettings).report_domains, "least": 100,
        "by": "label", "which": "opened-not-clicked", "by_link": 0, "some": 0, "items": [], "clicks": 1, "with_hits": 1,
        "links": 4, "within_ms": 10_000,
        "link": "", "category": "", "kinds": [], "classes": [], "states": [], "unfed": [],
        "recipient": case.recipient, "recipients": [case.recipient], "wanted": [],
        "messages": case.messages, "size": 200_000, "from": 0, "upto": case.first_slice,
        "account": [], "accounts": [], "everybody": 1, "channel": "", "type": "", "tag": "", "status": "", "search": "",
        "sort": "contact_date", "down": 1, "limit": PAGE, "offset": 0,
    }  # fmt: skip


#: Query -> values that differ from those of `values`.
OWN: Mapping[str, Callable[[Case], dict[str, Value]]] = {
    "peers": lambda case: {"channel": "email", "type": "newsletter"},
    "site": lambda case: {"by": "delivery", "days": 30, "since": case.starts[0]},
    "site_funnel": lambda case: {"days": 30, "since": case.starts[0]},
    "recipient": lambda case: {"sort": "newest", "since": 0, "until": 0},
    "span": lambda case: {"kinds": ["open", "click", "transaction"]},
}


def parameters(name: str, text: str, case: Case, people: int) -> dict[str, Value]:
    """The values of a query's parameters. Raises KeyError for a parameter that nothing is known of."""
    known = values(case, people) | (OWN[name](case) if name in OWN else {})
    return {parameter: known[parameter] for parameter in _PARAMETER.findall(_body(text))}


def counts_again(text: str) -> bool:
    """True for a query that reads rows of events, messages or persons."""
    return _COUNTED_AGAIN.search(_body(text)) is not None


def _body(text: str) -> str:
    return re.sub(r"--[^\n]*", "", text)


def cases(client: Any) -> list[Case]:
    """The largest delivery, the median one, and ten of all sizes together."""
    found = client.execute(
        "SELECT delivery_id, toUnixTimestamp64Milli(assumeNotNull(contact_date)) FROM deliveries FINAL "
        "ORDER BY to_deliver DESC, delivery_id"
    )
    middle, several = len(found) // 2, found[2 : 2 + 10 * 3 : 3]
    return [
        _case(client, "largest", found[:1]),
        _case(client, "median", found[middle : middle + 1]),
        _case(client, "ten", several),
    ]


def _case(client: Any, name: str, chosen: list[tuple[int, int]]) -> Case:
    deliveries, starts = [one for one, _ in chosen], [start for _, start in chosen]
    asked = {"d": deliveries}
    messages = client.execute(
        f"SELECT DISTINCT message_id FROM message_activity WHERE delivery_id IN {{d:Array(UInt64)}} LIMIT {PAGE}", asked
    )
    recipient = client.execute(
        "SELECT argMaxIf(recipient_key, hits, hits <= 50) FROM message_activity WHERE delivery_id IN {d:Array(UInt64)}",
        asked,
    )
    cut = client.execute(
        "SELECT max(message_id) FROM (SELECT message_id FROM message_state WHERE delivery_id IN {d:Array(UInt64)} "
        "ORDER BY message_id LIMIT 200000)", asked,
    )  # fmt: skip
    return Case(name, deliveries, starts, recipient[0][0], [one for (one,) in messages], cut[0][0])
