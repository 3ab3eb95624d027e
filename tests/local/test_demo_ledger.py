"""The demo's books: what is lost, what is there twice, and what somebody else did."""

from __future__ import annotations

from typing import Any

from sendtrail.keyring import Keyring, new_keyring
from sendtrail.links import Link, mint
from sendtrail.local.demo.ledger import Ledger
from sendtrail.local.demo.traffic import Request

CLICK = Link("click", 1, 2, 3, url_id=4, position=5, destination="https://shop.example.org/")


def row(times: int = 1, ids: int = 1, **changes: Any) -> tuple[Any, ...]:
    fields = {
        "kind": "click", "delivery": 1, "message": 2, "recipient": 3, "url_id": 4, "position": 5,
        "destination": CLICK.destination, "how": "", "address": "192.0.2.1", "agent": "a", "head": 0,
    }  # fmt: skip
    return (*(fields | changes).values(), times, ids)


def ledger(keys: Keyring, clicks: int) -> Ledger:
    made = Ledger(keys, None)
    for _ in range(clicks):
        made.add(Request("http://127.0.0.1:1/c/" + mint(keys.active, CLICK), "192.0.2.1", "a"))
    return made


def test_each_fault_is_told_from_the_others() -> None:
    books = ledger(new_keyring(), 2)
    assert books.against([row(2, 2)]) == (2, 2, 0, 0, 0)
    assert books.against([row(1, 1)]) == (2, 1, 1, 0, 0)
    assert books.against([row(3, 3)]) == (2, 3, 0, 1, 0)
    assert books.against([row(4, 2)]) == (2, 2, 0, 2, 0)  # ids that are there twice
    assert books.against([row(1, 1), row(1, 1, address="192.0.2.9")]) == (2, 1, 1, 0, 1)


def test_a_link_that_somebody_follows_by_hand_is_not_a_fault() -> None:
    balance = ledger(new_keyring(), 1).against([row(), row(agent="curl/8")])
    assert balance.even
    assert str(balance) == "ledger: 1 hits sent, 1 stored, 0 lost, 0 twice; 1 of others"
