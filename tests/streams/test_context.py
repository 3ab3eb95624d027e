"""What the registry says of a delivery, on its events; the end of tracking."""

from __future__ import annotations

import msgspec
import pytest

from sendtrail.deliveries import Delivery, DeliveryUrl, key_of, meta_key, url_key
from sendtrail.events import Event
from streams.deliveries import DeliveryBook
from streams.items import Findings
from streams.steps.add_context import add_context
from tests.streams.making import NOW, book_of, hit, item_of, known_of

SPRING = Delivery(
    delivery=7, name="spring-1", label="Spring", campaign="2026", category="sale", type="newsletter",
    track_until_ms=NOW,
)  # fmt: skip
LINK = DeliveryUrl(delivery=7, url_id=3, url="https://shop.example/", label="Shoes", category="shoes")


def found(event: Event, book: DeliveryBook) -> Findings:
    item = item_of(event)
    add_context(item, known_of(deliveries=book))
    return item.found


def test_labels_come_from_the_registry() -> None:
    row = found(hit(), book_of(SPRING))
    assert (row.delivery_label, row.campaign, row.category, row.type) == ("Spring", "2026", "sale", "newsletter")
    assert row.marks == ()


def test_a_click_has_the_label_and_category_of_its_link() -> None:
    row = found(hit(kind="click", url_id=3), book_of(SPRING, LINK))
    assert (row.url_label, row.category) == ("Shoes", "shoes")
    other = found(hit(kind="click", url_id=4), book_of(SPRING, LINK))
    assert (other.url_label, other.category) == ("", "sale")


def test_an_unknown_delivery_adds_nothing() -> None:
    assert found(hit(), DeliveryBook()) == item_of(hit()).found


def test_hits_after_the_end_of_tracking_are_marked_and_feed_events_are_not() -> None:
    assert found(hit(at=NOW), book_of(SPRING)).marks == ()
    assert found(hit(at=NOW + 1), book_of(SPRING)).marks == ("expired",)
    assert found(hit(kind="delivered", at=NOW + 1), book_of(SPRING)).marks == ()


@pytest.mark.parametrize("kind", ["open", "click"])
def test_one_source_of_hits_counts_and_the_other_is_foreign(kind: str) -> None:
    theirs, ours = hit(kind=kind, source="sendgrid"), hit(kind=kind)
    provider = book_of(Delivery(delivery=7, hits_from="sendgrid"))
    for book in (DeliveryBook(), book_of(Delivery(delivery=7)), book_of(Delivery(delivery=7, hits_from="mailgun"))):
        assert found(theirs, book).marks == ("foreign",)
    assert found(theirs, provider).marks == ()
    assert found(ours, provider).marks == ("foreign",)
    assert found(ours, DeliveryBook()).marks == ()
    assert found(hit(kind=kind, source="tool"), DeliveryBook()).marks == ()


def test_only_opens_and_clicks_are_tracked_twice() -> None:
    book = book_of(Delivery(delivery=7, hits_from="sendgrid"))
    for kind in ("optout", "mirror", "delivered", "unsubscribed"):
        assert found(hit(kind=kind), book).marks == ()
        assert found(hit(kind=kind, source="sendgrid"), DeliveryBook()).marks == ()


def test_a_delivery_without_label_shows_its_name() -> None:
    assert found(hit(), book_of(Delivery(delivery=7, name="spring-1"))).delivery_label == "spring-1"


def test_a_later_record_replaces_and_a_null_value_forgets() -> None:
    book = book_of(SPRING, LINK, Delivery(delivery=7, label="Summer"))
    assert found(hit(), book).delivery_label == "Summer"
    assert book.apply(meta_key(7).encode(), None) is None
    assert book.apply(url_key(7, 3).encode(), None) is None
    assert (book.delivery(7), book.url(7, 3)) == (None, None)


def test_a_record_that_is_none_is_refused_and_changes_nothing() -> None:
    book = book_of(SPRING)
    assert book.apply(b"7/meta", b"nonsense") is not None
    assert book.apply(b"nonsense", None) is not None
    assert book.apply(None, None) is not None
    assert book.apply(key_of(LINK).encode(), msgspec.json.encode(SPRING)) is not None
    assert book.delivery(7) is not None
