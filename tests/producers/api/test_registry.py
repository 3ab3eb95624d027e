"""Bodies of PUT to registry entries."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.api.registry import DELIVERY_FIELDS, BadField, read_delivery, read_urls
from sendtrail.deliveries import Delivery, DeliveryUrl, decode_record, key_of, record_of
from sendtrail.links import url_id_of
from tests.producers.api.test_items import anything

NOW_MS = 1_795_512_600_000


def delivery_of(**body: Any) -> Delivery | BadField:
    return read_delivery(body, Delivery(delivery=7, name="seven"), NOW_MS)


def urls_of(*body: Any) -> list[DeliveryUrl] | BadField:
    return read_urls(list(body), 7, NOW_MS)


def test_every_field() -> None:
    plain: dict[str, Any] = {
        "label": "Spring", "code": "S1", "campaign": "c", "channel": "sms", "type": "t", "category": "k",
        "tags": ["a", "b"], "sender": "s@example.com", "subject": "Hi", "status": "sending", "targeted": 10,
        "excluded": {"blocked": 2}, "to_deliver": 8, "success": 7, "hits_from": "sendgrid",
    }  # fmt: skip
    times = {"contact_date": "2026-11-24T09:30:00Z", "track_until": NOW_MS + 1}
    assert set(plain) | set(times) == DELIVERY_FIELDS
    assert delivery_of(**plain, **times) == Delivery(
        **plain, delivery=7, name="seven", contact_date_ms=NOW_MS, track_until_ms=NOW_MS + 1, updated_ms=NOW_MS
    )


def test_nothing_given_is_all_defaults() -> None:
    assert delivery_of() == Delivery(delivery=7, name="seven", updated_ms=NOW_MS)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"lable": "x"}, "lable"),
        ({"delivery": 5}, "delivery"),
        ({"updated_ms": 5}, "updated_ms"),
        ({"contact_date_ms": 5}, "contact_date_ms"),
        ({"label": 5}, "label"),
        ({"label": "x" * 257}, "label"),
        ({"status": "done"}, "status"),
        ({"tags": "a"}, "tags"),
        ({"tags": ["a", 5]}, "tags[1]"),
        ({"to_deliver": -1}, "to_deliver"),
        ({"to_deliver": True}, "to_deliver"),
        ({"to_deliver": 2**53}, "to_deliver"),
        ({"excluded": {"a": 2**70}}, "excluded"),
        ({"contact_date": "soon"}, "contact_date"),
        ({"track_until": 5}, "track_until"),
        ({"hits_from": "Send Grid"}, "hits_from"),
    ],
)
def test_a_bad_field_is_named(body: dict[str, Any], field: str) -> None:
    refused = delivery_of(**body)
    assert isinstance(refused, BadField)
    assert refused.field == field
    assert refused.detail


@given(st.dictionaries(st.sampled_from(sorted(DELIVERY_FIELDS)) | st.text(max_size=5), anything))
def test_no_body_raises(body: dict[str, Any]) -> None:
    entry = read_delivery(body, Delivery(delivery=7, name="seven"), NOW_MS)
    if isinstance(entry, Delivery):
        assert decode_record(key_of(entry).encode(), _value(entry)) == entry


def _value(entry: Delivery) -> bytes:
    return record_of(entry).partition(b'"value":')[2][:-1]


def test_urls_get_the_id_of_their_text_or_the_one_given() -> None:
    found = urls_of(
        {"url": "https://a.example/", "label": "A", "category": "hero", "mode": "optout"},
        {"url": "https://b.example/", "url_id": 5},
    )
    assert isinstance(found, list)
    assert {entry.url_id: entry for entry in found} == {
        url_id_of("https://a.example/"): DeliveryUrl(
            delivery=7, url_id=url_id_of("https://a.example/"), url="https://a.example/", label="A", category="hero",
            mode="optout", updated_ms=NOW_MS,
        ),
        5: DeliveryUrl(delivery=7, url_id=5, url="https://b.example/", updated_ms=NOW_MS),
    }  # fmt: skip


def test_two_urls_never_share_an_id() -> None:
    taken = url_id_of("https://a.example/")
    found = urls_of({"url": "https://a.example/"}, {"url": "https://b.example/", "url_id": taken})
    assert isinstance(found, list)
    assert {entry.url: entry.url_id for entry in found} == {
        "https://b.example/": taken,
        "https://a.example/": taken + 1,
    }


def test_a_url_given_twice_is_one_entry_the_later() -> None:
    found = urls_of({"url": "https://a.example/", "label": "1"}, {"url": "https://a.example/", "label": "2"})
    assert isinstance(found, list)
    assert [entry.label for entry in found] == ["2"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ("https://a.example/", "urls[0]"),
        ({"label": "x"}, "urls[0].url"),
        ({"url_id": 5, "label": "x"}, "urls[0].url"),
        ({"url": ""}, "urls[0].url"),
        ({"url": 5}, "urls[0].url"),
        ({"url": "x" * 16385}, "urls[0].url"),
        ({"url": "x", "url_id": -1}, "urls[0].url_id"),
        ({"url": "x", "url_id": 2**32}, "urls[0].url_id"),
        ({"url": "x", "mode": "blue"}, "urls[0].mode"),
        ({"url": "x", "lable": "y"}, "urls[0].lable"),
    ],
)
def test_a_bad_url_is_named(body: Any, field: str) -> None:
    refused = urls_of(body)
    assert isinstance(refused, BadField)
    assert refused.field == field


def test_an_id_given_to_two_urls_is_refused() -> None:
    refused = urls_of({"url": "x", "url_id": 5}, {"url": "y", "url_id": 5})
    assert isinstance(refused, BadField)
    assert refused.field == "urls[1].url_id"


@given(anything)
def test_no_list_of_urls_raises(body: Any) -> None:
    assert isinstance(read_urls(body, 7, NOW_MS), list | BadField)
