"""What the browser's pages show: the random world, and deliveries in the states that pages are designed for."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from clickhouse_driver import Client

from tests.dashboards.happenings import Happening, Numbered, Registered, at, insert, register, register_urls
from tests.dashboards.happenings import store_indicators as store
from tests.dashboards.world import REGISTERED, T0, URLS, World, make

SILENT, ONE_HIT, HUGE, LIVE = 101, 102, 103, 104
LONG = "Donaudampfschifffahrtsgesellschaft" * 4
LONG_URL = f"https://shop.example/{'deep/' * 40}?{'a=1&' * 40}"
RECIPIENT = "1000003"
STATES = [
    Registered(SILENT, "silent", label="Nobody yet", contact_ms=T0, to_deliver=10, tags=("quiet",)),
    Registered(ONE_HIT, "one-hit", label="One reader", contact_ms=T0, to_deliver=1),
    Registered(HUGE, "huge", label=f"Everybody <b>&amp; {LONG}", contact_ms=T0, to_deliver=5_000_000, success=4_987_654,
               targeted=5_432_109, tags=("letter", "largest", LONG)),
    Registered(LIVE, "live", label="Going out now", contact_ms=T0, to_deliver=100),
]  # fmt: skip
HTML = """<html><body style="background:#fff"><h1>June</h1><p><a href="https://shop.example/a">Shop</a></p>
<img src="https://tracker.example/o/x.gif"><p><a href="https://shop.example/b">More</a></p>
<script>document.title = "ran"</script></body></html>"""
_NUMBERED = Numbered(1 << 40)


def click(delivery: int, message: int) -> Happening:
    """A person's click on a link of the delivery."""
    return _NUMBERED(Happening(delivery, message, "click", T0 + 60_000, recipient=message, person=message, url_id=11))


def fill(client: Client) -> World:
    """Put everything into an empty database with all tables."""
    made = make(seed=7, hits=2_500)
    register(client, [*REGISTERED, *STATES])
    links = [(one.delivery, url_id, *told) for one in REGISTERED for url_id, told in URLS.items()]
    register_urls(client, [*links, (HUGE, 11, LONG_URL, LONG, "shop")])
    insert(client, made.happenings, Random(5))
    sent = [replace(click(one, 1), kind="sent") for one in (ONE_HIT, LIVE)]
    insert(client, [*map(_NUMBERED, sent), click(ONE_HIT, 1), click(HUGE, 1)])
    client.execute(
        "INSERT INTO delivery_contents (delivery_id, part, content, updated) VALUES",
        [(1, "html", HTML, at(T0)), (1, "text", "Shop: https://shop.example/a", at(T0))],
    )
    _enlarge(client)
    return made


def _enlarge(client: Client) -> None:
    """Sums as a delivery of five million messages leaves them, without its events."""
    client.execute(
        "INSERT INTO url_activity (delivery_id, kind, url_id, position, class, n) VALUES",
        [(HUGE, "open", 0, 0, "human", 3_456_789), (HUGE, "open", 0, 0, "machine", 12_345_678),
         (HUGE, "click", 11, 1, "human", 1_234_567)],
    )  # fmt: skip
    store(client)
    client.execute(
        "INSERT INTO indicators SELECT * REPLACE(now64(3) + 1 AS calculated, 3456789 AS recipient_open_p, "
        "1234567 AS recipient_click_p, 98765 AS unsubscribed_p, 1234567 AS person_click_p) "
        "FROM indicators FINAL WHERE delivery_id = {huge:UInt64}",
        {"huge": HUGE},
    )
