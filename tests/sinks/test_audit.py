"""The balance of the audit, on books written by hand."""

from collections import Counter

from sinks.audit import Books, balance
from sinks.audit_findings import UNKNOWN_MINUTE, Finding, Segment

ONE = Segment("aa" * 16, 0)
TWO = Segment("aa" * 16, 1)


def _loaded(minute: int, accepted: int, stored: int, **other: int) -> Books:
    books = Books()
    books.accepted_totals[minute] = accepted
    books.events_in[minute] = accepted + other.get("resent", 0)
    books.enriched[minute] = stored
    books.stored[minute] = stored
    for name, count in other.items():
        getattr(books, name)[minute] += count
    return books


def test_accepted_is_stored_or_a_duplicate_or_rejected() -> None:
    audit = balance(_loaded(5, accepted=10, stored=6, duplicate=3, rejected=1))
    assert audit.even
    assert audit.total.difference == 0
    assert (audit.total.accepted, audit.total.stored) == (10, 6)


def test_what_was_sent_again_is_no_further_event() -> None:
    audit = balance(_loaded(5, accepted=10, stored=10, resent=4))
    assert audit.even
    assert audit.total.in_topic == 14


def test_a_lost_row_is_a_difference() -> None:
    audit = balance(_loaded(5, accepted=10, stored=9))
    assert not audit.even
    assert audit.total.difference == 1


def test_a_row_too_many_is_a_difference() -> None:
    audit = balance(_loaded(5, accepted=10, stored=11))
    assert not audit.even
    assert audit.total.difference == -1


def test_a_loss_in_one_minute_is_not_hidden_by_a_gain_in_another() -> None:
    books = _loaded(5, accepted=10, stored=9)
    books.accepted_totals[6], books.events_in[6], books.stored[6] = 3, 3, 4
    audit = balance(books)
    assert audit.total.difference == 0
    assert not audit.even


def test_what_is_on_disk_waits() -> None:
    books = _loaded(5, accepted=10, stored=10)
    books.on_disk[TWO] = Counter({5: 4, 6: 2})
    audit = balance(books)
    assert audit.even
    assert audit.minutes[6].waiting == 2
    assert audit.total.accepted == 16


def test_a_segment_on_disk_whose_packs_are_partly_loaded_waits_for_the_rest() -> None:
    books = Books(on_disk={ONE: Counter({5: 4})}, arrived={ONE: Counter({5: 3})})
    books.events_in[5], books.stored[5] = 3, 3
    audit = balance(books)
    assert audit.even
    assert (audit.total.accepted, audit.total.stored, audit.total.waiting) == (4, 3, 1)


def test_a_segment_with_loaded_totals_is_not_counted_again_from_disk() -> None:
    books = _loaded(5, accepted=4, stored=4)
    books.on_disk[ONE] = Counter({5: 4})
    books.arrived[ONE] = Counter({5: 4})
    books.totalled[ONE] = Counter({5: 4})
    audit = balance(books)
    assert audit.even
    assert audit.total.accepted == 4


def test_totals_that_were_loaded_before_the_last_of_their_events_leave_those_waiting() -> None:
    books = _loaded(5, accepted=4, stored=3)
    books.tail_by_segment[ONE] = Counter({5: 1})
    books.arrived[ONE] = Counter({5: 3})
    books.totalled[ONE] = Counter({5: 4})
    audit = balance(books)
    assert audit.even
    assert (audit.total.accepted, audit.total.waiting) == (4, 1)


def test_a_segment_whose_file_is_gone_and_whose_totals_are_still_in_the_topic() -> None:
    books = Books(
        tail=Counter({5: 1}),
        tail_by_segment={ONE: Counter({5: 1})},
        tail_totals={ONE: Counter({5: 3})},
        arrived={ONE: Counter({5: 2})},
    )
    books.events_in[5], books.stored[5] = 2, 2
    audit = balance(books)
    assert audit.even
    assert (audit.total.accepted, audit.total.waiting) == (3, 1)


def test_records_of_no_spool_count_as_accepted_where_they_are() -> None:
    books = Books()
    books.events_in[5], books.direct[5], books.rejected[5] = 1, 1, 1
    books.tail[5] = books.tail_direct[5] = 2
    audit = balance(books)
    assert audit.even
    assert (audit.total.accepted, audit.total.waiting) == (3, 2)


def test_a_problem_of_the_sources_is_never_even() -> None:
    books = _loaded(5, accepted=1, stored=1)
    books.findings.append(Finding("lost_file", "segment 3 of spool x never came"))
    assert not balance(books).even


def test_a_note_of_what_is_known_leaves_it_even() -> None:
    books = _loaded(5, accepted=3, stored=1)
    books.given_up[5] = 2
    books.findings.append(Finding("accepted", "2 events are missing, as accepted", weight="note"))
    audit = balance(books)
    assert audit.even
    assert (audit.total.given_up, audit.problems) == (2, [])


def test_a_lost_file_is_a_difference_of_no_minute() -> None:
    books = _loaded(5, accepted=1, stored=1)
    books.lost[UNKNOWN_MINUTE] = 7
    audit = balance(books)
    assert (audit.total.accepted, audit.total.difference) == (8, 7)
    assert audit.minutes[UNKNOWN_MINUTE].difference == 7


def test_a_difference_that_nothing_explains_is_said() -> None:
    [finding] = balance(_loaded(5, accepted=10, stored=9)).differences
    assert (finding.kind, finding.events, finding.minutes) == ("unexplained", 1, (5, 5))


def test_a_segment_of_another_machine_without_totals_counts_as_far_as_it_arrived() -> None:
    books = Books(unfinished={ONE: Counter({5: 3})})
    books.events_in[5], books.stored[5] = 3, 3
    audit = balance(books)
    assert audit.even
    assert (audit.total.accepted, audit.total.waiting) == (3, 0)


def test_what_is_missing_of_a_segment_in_the_tail_does_not_wait() -> None:
    books = Books(
        tail=Counter({5: 1}),
        tail_by_segment={ONE: Counter({5: 1})},
        tail_totals={ONE: Counter({5: 3})},
        arrived={ONE: Counter({5: 1})},
    )
    books.events_in[5], books.stored[5] = 1, 1
    assert (balance(books).total.waiting, balance(books).total.difference) == (1, 1)
