"""Consent withdrawn: hits go on counting and name nobody. Granted again: they do."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendtrail.consents import Consent, State, consent_key
from sendtrail.enriched import EventRow
from sendtrail.errors import Invalid
from streams.consents import ConsentBook
from tests.streams.making import CHROME, NOW, Line, constants, hit, source

ANNA, BEN = 1001, 1002
VISITOR = "ab" * 16


def said(state: State, at: int, recipient: int = ANNA, purpose: str = "tracking") -> tuple[bytes, bytes]:
    entry = Consent(recipient=recipient, purpose=purpose, state=state, time_ms=at)
    return consent_key(entry).encode(), msgspec.json.encode(entry)


def book_of(*records: tuple[bytes, bytes], limit: int = 10) -> ConsentBook:
    book = ConsentBook(limit)
    for record in records:
        assert book.apply(*record) is None
    return book


def row_of(book: ConsentBook, **fields: Any) -> EventRow:
    line = Line(constants(consents=book, visitor_cookies=True))
    (row,) = line.rows(hit(recipient=ANNA, **fields))
    return row


def test_a_hit_of_who_withdrew_counts_and_names_nobody() -> None:
    book = book_of(said("withdrawn", NOW))
    row = row_of(book, kind="click", visitor=VISITOR, visitor_is_new=True, referrer="https://mail.example/anna")
    assert row.person == f"{7:016x}{8:016x}"
    left = (row.user_agent, row.address, row.referrer, row.visitor, row.visitor_is_new)
    assert left == ("", "", "", None, False)
    assert (row.client, row.client_version, row.os, row.device, row.network, row.country) == ("",) * 6
    assert (row.recipient, row.class_, list(row.marks), row.repeat) == (ANNA, "human", [], False)


def test_everybody_else_s_hits_are_as_before() -> None:
    row = row_of(book_of(said("withdrawn", NOW, BEN), said("withdrawn", NOW, purpose="profiling")), visitor=VISITOR)
    assert (row.user_agent, row.address, row.person, row.client) == (CHROME, "192.0.2.1", VISITOR, "Chrome")


def test_a_machine_stays_a_machine() -> None:
    row = row_of(book_of(said("withdrawn", NOW)), user_agent="curl/8.0")
    assert (row.class_, row.user_agent) == ("machine", "")


def test_a_link_without_recipient_is_left_alone() -> None:
    line = Line(constants(consents=book_of(said("withdrawn", NOW))))
    (row,) = line.rows(hit())
    assert row.user_agent == CHROME


def test_granted_again_is_granted_from_then_on() -> None:
    book = book_of(said("withdrawn", NOW), said("granted", NOW + 50))
    assert [book.refuses(ANNA, NOW + at) for at in (-10, 0, 49, 50, 60)] == [True, True, True, False, False]
    assert not book_of(said("granted", NOW)).refuses(ANNA, NOW - 1)
    assert book_of(said("granted", NOW), said("withdrawn", NOW)).refuses(ANNA, NOW)


@given(st.lists(st.tuples(st.sampled_from(("granted", "withdrawn")), st.integers(0, 5)), max_size=6), st.randoms())
def test_the_order_of_arrival_decides_nothing(entries: list[tuple[State, int]], random: Any) -> None:
    records = [said(state, NOW + at) for state, at in entries]
    shuffled = [*records, *records[:2]]
    random.shuffle(shuffled)
    one, other = book_of(*records), book_of(*shuffled)
    times = range(NOW - 1, NOW + 8)
    assert [one.refuses(ANNA, at) for at in times] == [other.refuses(ANNA, at) for at in times]


def test_when_it_is_full_nobody_is_named() -> None:
    book = book_of(said("withdrawn", NOW, 1), said("granted", NOW, 2), limit=2)
    assert book.apply(*said("granted", NOW, 3)) is None
    assert (len(book), book.full, book.refuses(9, NOW)) == (2, False, False)
    assert book.apply(*said("granted", NOW + 1, 1)) is None
    assert not book.refuses(1, NOW + 1)
    assert book.apply(*said("withdrawn", NOW, 3)) is None
    assert (len(book), book.full, book.refuses(9, NOW)) == (2, True, True)


@pytest.mark.parametrize(
    "record", [(b"x", b"{}"), (None, b"{}"), (b"1/tracking/granted/5", b"{"), (b"1/tracking/granted/5", b"[]")]
)
def test_a_bad_record_is_refused_and_changes_nothing(record: tuple[bytes | None, bytes]) -> None:
    book = ConsentBook(10)
    assert isinstance(book.apply(*record), Invalid)
    assert len(book) == 0


def test_the_steps_of_a_batch_see_it() -> None:
    line = Line(constants(consents=book_of(said("withdrawn", NOW))))
    opens = [hit(number, recipient=ANNA, address=f"192.0.2.{number}") for number in range(3)]
    rows = [row for row in line.feed(source(0, opens))[0].rows if isinstance(row, EventRow)]
    assert [row.repeat for row in rows] == [False, True, True]  # what told their clients apart is gone
