"""What a message carries for providers comes back as it went out, within every provider's limits."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendtrail.errors import Invalid
from sendtrail.provider_metadata import (
    ACCOUNT,
    DELIVERY,
    HEADERS,
    MESSAGE,
    NAMES,
    RECIPIENT,
    MessageIdentity,
    read_metadata,
    write_metadata,
)

keys = st.integers(0, 2**64 - 1)
accounts = st.just("") | st.text(min_size=1, max_size=40).filter(lambda text: len(text.encode("utf-8", "replace")) < 50)
identities = st.builds(
    MessageIdentity, keys, keys, st.none() | keys, accounts.filter(str.isprintable), st.sampled_from([0, 1, 2, 3])
)


@given(identities)
def test_what_is_written_is_read(identity: MessageIdentity) -> None:
    written = write_metadata(identity)
    assert read_metadata(written) == identity
    assert read_metadata({HEADERS[name]: value for name, value in written.items()}) == identity
    assert read_metadata({name: [value] for name, value in written.items()}) == identity
    for name, value in written.items():
        assert name in NAMES
        assert len(name) <= 20
        assert re.fullmatch(r"[A-Za-z0-9_-]{1,80}", value)
    assert sum(len(name) + len(value) + 6 for name, value in written.items()) < 1000


def test_names_as_headers() -> None:
    assert HEADERS[DELIVERY] == "X-Sendtrail-Delivery"
    assert HEADERS[RECIPIENT] == "X-Sendtrail-Recipient"


def test_an_account_that_does_not_fit_is_the_webhooks() -> None:
    written = write_metadata(MessageIdentity(1, 2, account="é" * 40))
    assert ACCOUNT not in written
    assert read_metadata(written, account="shop") == MessageIdentity(1, 2, account="shop")
    assert read_metadata({**written, ACCOUNT: "b64-*"}, account="shop") == MessageIdentity(1, 2, account="shop")
    assert read_metadata({**written, ACCOUNT: "other"}, account="shop") == MessageIdentity(1, 2, account="other")


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({}, DELIVERY),
        ({DELIVERY: "1"}, MESSAGE),
        ({DELIVERY: "1", MESSAGE: ""}, MESSAGE),
        ({DELIVERY: "1", MESSAGE: None}, MESSAGE),
        ({DELIVERY: "1", MESSAGE: True}, MESSAGE),
        ({DELIVERY: "1", MESSAGE: ["2", "3"]}, MESSAGE),
        ({DELIVERY: 10**5000, MESSAGE: "2"}, DELIVERY),
        ({DELIVERY: "spring", MESSAGE: "2"}, "spring"),
        ({DELIVERY: "1", MESSAGE: str(2**64)}, str(2**64)),
        ({DELIVERY: "1", MESSAGE: "2", RECIPIENT: "-1"}, RECIPIENT),
        ({DELIVERY: "١", MESSAGE: "2"}, DELIVERY),
    ],
)
def test_what_names_no_message_says_why(values: dict[str, object], named: str) -> None:
    read = read_metadata(values)
    assert isinstance(read, Invalid)
    assert read.reason == "unattributed"
    assert named in read.detail


@given(st.dictionaries(st.sampled_from(NAMES) | st.text(), st.none() | st.integers() | st.text() | st.lists(st.text())))
def test_nothing_raises(values: dict[str, object]) -> None:
    assert isinstance(read_metadata(values), MessageIdentity | Invalid)
