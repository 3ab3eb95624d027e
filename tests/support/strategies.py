"""Hypothesis strategies of the contract: names, keys, events, links."""

from __future__ import annotations

from typing import get_args

from hypothesis import strategies as st

from sendtrail.events import Class, Event, How, Kind, MailFormat
from sendtrail.links import Link, LinkKind

#: Text that UTF-8 can hold.
plain_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=32)
keys = st.integers(0, 2**64 - 1)
event_ids = st.binary(min_size=16, max_size=16).map(bytes.hex)

_HOSTS = st.sampled_from(
    ["example.com", "shop.example:8443", "bücher.example", "例え.テスト", "[2001:db8::1]", "user@h.example"]
)
_VISIBLE = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), max_size=60
)  # path, query and fragment as they come
destinations = st.builds("{}://{}/{}".format, st.sampled_from(["http", "https", "HTTPS"]), _HOSTS, _VISIBLE)

events = st.builds(
    Event,
    version=st.just(1),
    event_id=event_ids,
    kind=st.sampled_from([kind for kind in get_args(Kind) if kind != "relabel"]),
    event_time_ms=st.integers(0, 2**48 - 1),
    index=st.integers(0, 2**63 - 1),
    account=plain_text,
    source=st.sampled_from(["edge", "api", "tool"]),
    delivery=keys,
    message=keys,
    recipient=st.none() | keys,
    delivery_name=plain_text,
    message_name=plain_text,
    recipient_name=plain_text,
    url_id=st.none() | st.integers(0, 2**32 - 1),
    position=st.integers(0, 65535),
    destination=destinations | st.just(""),
    flags=st.integers(0, 255),
    how=st.none() | st.sampled_from(get_args(How)),
    visitor=st.none() | event_ids,
    visitor_is_new=st.booleans(),
    user_agent=plain_text,
    address=plain_text,
    referrer=plain_text,
    hints=st.lists(plain_text, max_size=4),
    provider_hints=st.lists(plain_text, max_size=4),
    format=st.none() | st.sampled_from(get_args(MailFormat)),
    diagnostic=plain_text,
    site=names,
    order_id=names,
    amount=st.integers(-(2**53), 2**53),
    currency=st.sampled_from(["", "EUR", "JPY"]),
    articles=st.integers(0, 2**31 - 1),
    attributes=st.dictionaries(plain_text, plain_text, max_size=8),
)
relabels = st.builds(
    Event,
    version=st.just(1),
    event_id=event_ids,
    kind=st.just("relabel"),
    event_time_ms=st.integers(0, 2**48 - 1),
    delivery=keys,
    message=keys,
    target_id=event_ids,
    new_class=st.sampled_from(get_args(Class)),
    new_repeat=st.none() | st.booleans(),
    reasons=st.lists(plain_text, max_size=16),
    ruleset=plain_text,
    run=plain_text,
)

with_place: list[LinkKind] = ["optout", "mirror"]
links = st.one_of(
    st.builds(
        Link, st.just("click"), keys, keys, st.none() | keys, st.integers(0, 2**32 - 1), st.integers(0, 65535),
        destinations, st.integers(0, 15),
    ),
    st.builds(
        Link, st.sampled_from(with_place), keys, keys, st.none() | keys, st.integers(0, 2**32 - 1),
        st.integers(0, 65535), destinations | st.just(""), st.integers(0, 15),
    ),
    st.builds(
        Link, st.sampled_from(["open", "web"]), keys, keys, st.none() | keys, st.just(0), st.just(0), st.just(""),
        st.integers(0, 15),
    ),
)  # fmt: skip
