"""Reads a delivery's hits from table `events`, message by message."""

from collections.abc import Iterator
from importlib.resources import files
from itertools import groupby
from typing import NamedTuple

from clickhouse_driver import Client

from sendtrail.events import HITS, Class, HitKind, How

_SQL = files("streams") / "reclassify"


class Stored(NamedTuple):
    """A hit as it is stored, or the delivery of its message. Times in UTC milliseconds.

    `log_ms`: of the record its row came with, so never before the hit's own. `counts`: a hit unless it is a repeat.
    `past_reasons`: of its earlier judgements. Place: source topic, offset, index.
    """

    event_id: str
    kind: HitKind
    time_ms: int
    log_ms: int
    message: int
    account: str
    site: str
    order_id: str
    visitor: str
    user_agent: str
    address: str
    network: str
    hints: list[str]
    provider_hints: list[str]
    flags: int
    how: How | None
    url_id: int
    client_id: int
    class_: Class
    repeat: bool
    reasons: tuple[str, ...]
    counts: bool
    flood: bool
    place: tuple[str, int, int]
    past_reasons: tuple[str, ...]


def count(client: Client, delivery: int) -> int:
    """Hits of a delivery, about: rows that wait to be merged count too."""
    return int(client.execute((_SQL / "count.sql").read_text("utf-8"), {"delivery": delivery})[0][0])


def messages(client: Client, delivery: int) -> Iterator[list[Stored]]:
    """The hits of each message that has any, with its deliveries, in the order of the log. Rows come as they are used.

    Lets the driver's errors through.
    """
    rows = client.execute_iter((_SQL / "hits.sql").read_text("utf-8"), {"delivery": delivery})
    for _, of_message in groupby(map(_stored, rows), key=lambda hit: hit.message):
        hits = list(of_message)
        topics = {hit.place[0]: hit.log_ms for hit in sorted(hits, key=lambda hit: -hit.log_ms)}  # a topic made anew
        if any(hit.kind in HITS for hit in hits):
            yield sorted(hits, key=lambda hit: (topics[hit.place[0]], *hit.place))


def _stored(row: tuple[object, ...]) -> Stored:
    (event_id, kind, time_ms, log_ms, message, account, site, order_id, visitor, agent, address, network, hints,
     provider_hints, flags, how, url_id, client_id, class_, repeat, reasons, counts, flood, topic, offset, index,
     past) = row  # fmt: skip
    return Stored(
        event_id, kind, time_ms, log_ms, message, account, site, order_id, visitor, agent, address, network,  # type: ignore[arg-type]
        list(hints), list(provider_hints), flags, how or None, url_id, client_id, class_, bool(repeat),  # type: ignore[call-overload,arg-type]
        _names(reasons), bool(counts), bool(flood), (topic, offset, index),  # type: ignore[arg-type]
        tuple(name for reasons_ in past for name in _names(reasons_)),  # type: ignore[attr-defined]
    )  # fmt: skip


def _names(reasons: object) -> tuple[str, ...]:
    return tuple(str(reasons).split(",")) if reasons else ()
