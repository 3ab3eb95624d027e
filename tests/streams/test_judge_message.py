"""Hits of a message judge each other: bursts, honeypots, clicks before delivery; earlier ones are re-labelled."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sendtrail.enriched import MAX_RELABELS, EventRow, RelabelRow
from sendtrail.events import FLAG_HONEYPOT, Class, Event
from streams.judge import repeats, verdicts
from streams.rules import load_rules
from streams.state import waiting
from streams.state.hits import Hit
from streams.state.keys import places
from tests.streams.making import NOW, Line, Output, hit, source

MINUTE = 60_000
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"


@dataclass
class Ledger:
    """What the loader would hold: each event as it was judged last."""

    line: Line = field(default_factory=Line)
    offset: int = 0
    now: dict[str, tuple[Class, bool, tuple[str, ...]]] = field(default_factory=dict)
    relabels: list[RelabelRow] = field(default_factory=list)

    def send(self, *events: Event, after_ms: int = 1000) -> Output:
        """One record, `after_ms` of log time after NOW."""
        output = self.line.feed(source(self.offset, events, time_ms=NOW + after_ms))[0]
        self.offset += 1
        for row in output.rows:
            if isinstance(row, EventRow):
                self.now[row.event_id] = row.class_, row.repeat, tuple(row.class_reasons)
            elif isinstance(row, RelabelRow):
                assert row.target_id in self.now
                assert row.new_class is not None
                assert row.new_repeat is not None
                self.now[row.target_id] = row.new_class, row.new_repeat, tuple(row.reasons)
                self.relabels.append(row)
        return output

    def classes(self) -> list[Class]:
        return [class_ for class_, _, _ in self.now.values()]


def clicks(count: int, first: int = 0, every_ms: int = 90, at: int = NOW, **fields: Any) -> list[Event]:
    """Clicks on as many links, one after the other."""
    return [hit(first + n, kind="click", at=at + n * every_ms, url_id=100 + first + n, **fields) for n in range(count)]


def test_a_sweep_over_all_links_is_a_machine_from_its_first_click_on() -> None:
    ledger = Ledger()
    sweep = clicks(9)
    for click in sweep:
        ledger.send(click)
    assert set(ledger.classes()) == {"machine"}
    assert [row.target_id for row in ledger.relabels] == [click.event_id for click in sweep[:2]]
    assert {(row.reasons[0], row.ruleset, row.run) for row in ledger.relabels} == {
        ("burst", load_rules().version, "worker")
    }


def test_a_sweep_in_one_record_corrects_its_own_first_clicks_behind_its_lines() -> None:
    output = Ledger().send(*clicks(9))
    kinds = [type(row) for row in output.rows]
    assert kinds == [EventRow] * 9 + [RelabelRow] * 2
    assert [row.source_index for row in output.rows if isinstance(row, RelabelRow)] == [9, 10]
    (counts,) = output.header.counts.values()
    assert (counts.events_in, counts.out, counts.relabels) == (9, 9, 2)


def test_a_person_who_clicks_some_links_stays_one() -> None:
    ledger = Ledger()
    for click in clicks(9, every_ms=2_000):
        ledger.send(click)
    assert set(ledger.classes()) == {"human"}
    for click in clicks(6, first=20, every_ms=10, at=NOW + MINUTE):
        ledger.send(msg_with(click, url_id=100))
    assert ledger.relabels == []


def msg_with(event: Event, **changes: Any) -> Event:
    for name, value in changes.items():
        setattr(event, name, value)
    return event


def test_other_messages_and_confirmed_opt_outs_are_not_drawn_in() -> None:
    ledger = Ledger()
    ledger.send(hit(50, kind="click", message=9, url_id=1))
    ledger.send(hit(51, kind="optout", how="one_click", url_id=2))
    for click in clicks(9):
        ledger.send(click)
    by_id = {event_id: class_ for event_id, (class_, _, _) in ledger.now.items()}
    assert [by_id[hit(50).event_id], by_id[hit(51).event_id]] == ["human", "human"]


def test_what_the_sweeping_client_opens_meanwhile_is_its_own_and_what_others_open_is_not() -> None:
    ledger = Ledger()
    ledger.send(hit(50, at=NOW + 10))
    ledger.send(hit(51, at=NOW + 10, address="192.0.2.9"))
    ledger.send(hit(52, at=NOW - MINUTE))
    for click in clicks(4):
        ledger.send(click)
    found = [ledger.now[f"{at:012x}{n:020x}"][0] for n, at in ((50, NOW + 10), (51, NOW + 10), (52, NOW - MINUTE))]
    assert found == ["machine", "human", "human"]


@pytest.mark.parametrize("first", ["honeypot", "hits"])
def test_the_link_nobody_sees_tells_of_all_hits_near_it(first: str) -> None:
    ledger = Ledger()
    trap = [hit(1, kind="click", url_id=9, flags=FLAG_HONEYPOT)]
    near = [hit(2, at=NOW - 9_000), hit(3, kind="click", at=NOW + 9_000, url_id=7)]
    far = [hit(4, at=NOW - 10_001 - MINUTE), hit(5, kind="click", at=NOW + 11_000, url_id=7)]
    for event in trap + near + far if first == "honeypot" else near + far + trap:
        ledger.send(event)
    found = {int(event_id[12:], 16): judged for event_id, judged in ledger.now.items()}
    assert {number: found[number][0] for number in found} == {
        1: "machine", 2: "machine", 3: "machine", 4: "human", 5: "human"
    }  # fmt: skip
    assert found[2][2][0] == "honeypot"


@pytest.mark.parametrize("first", ["delivered", "click"])
def test_a_link_followed_before_the_mailbox_had_the_message(first: str) -> None:
    ledger = Ledger()
    delivered = hit(1, kind="delivered", at=NOW, source="api")
    early, soon = hit(2, kind="click", at=NOW - 2_001, url_id=1), hit(3, kind="click", at=NOW - 1_999, url_id=2)
    for event in [delivered, early, soon] if first == "delivered" else [early, soon, delivered]:
        ledger.send(event)
    assert ledger.now[early.event_id] == ("machine", False, ("before_delivery",))
    assert ledger.now[soon.event_id][0] == "human"
    assert len(ledger.relabels) == (0 if first == "delivered" else 1)
    assert all(row.target_id != delivered.event_id for row in ledger.relabels)


def test_an_open_through_a_proxy_is_a_person_s_once_a_person_clicks() -> None:
    ledger = Ledger()
    proxied = hit(1, user_agent=GMAIL, address="192.0.2.50")
    ledger.send(proxied)
    assert ledger.classes() == ["unknown"]
    ledger.send(hit(2, kind="click", at=NOW + 5_000, url_id=1))
    assert ledger.now[proxied.event_id] == ("human", False, ("clicked_later", "image_proxy"))
    for click in clicks(4, first=10, at=NOW + 5_100):
        ledger.send(click)
    assert ledger.now[proxied.event_id] == ("unknown", False, ("image_proxy",))  # the click was a machine's after all


def test_repeats_are_judged_again() -> None:
    """The first open turns out to be a machine's, so the second is the first of a person."""
    ledger = Ledger()
    first, second = hit(50, at=NOW + 10), hit(51, at=NOW + 30_000)
    ledger.send(first)
    ledger.send(second)
    assert ledger.now[second.event_id][1] is True
    for click in clicks(4):
        ledger.send(click)
    assert ledger.now[first.event_id][:2] == ("machine", False)
    assert ledger.now[second.event_id][:2] == ("human", False)


def test_what_is_half_an_hour_old_is_left_alone_but_judged_with() -> None:
    ledger = Ledger()
    sweep = clicks(4)
    for click in sweep[:2]:
        ledger.send(click, after_ms=1_000)
    for click in sweep[2:]:
        ledger.send(click, after_ms=1_001 + 30 * MINUTE)
    assert ledger.relabels == []
    assert ledger.classes() == ["human", "human", "machine", "machine"]


def test_a_message_with_very_many_hits_keeps_its_state_small() -> None:
    ledger = Ledger()
    for number in range(100):
        ledger.send(hit(number, kind="click", at=NOW + number * MINUTE, url_id=number + 1), after_ms=200 * MINUTE)
    assert max(len(value) for key, value in ledger.line.stored.items() if key[:1] == b"o") < 5_000
    assert set(ledger.classes()) == {"human"}


def test_re_labels_past_the_limit_of_a_record_leave_with_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_RELABELS == 1_000
    monkeypatch.setattr(waiting, "MAX_RELABELS", 2)
    line = Line()
    first = [hit(n, kind="click", message=m, url_id=n + 1) for m in range(1, 4) for n in (10 * m, 10 * m + 1)]
    burst = [hit(100 * m, kind="click", message=m, url_id=900) for m in range(1, 4)]
    log = [source(0, first), source(1, burst), source(2, [hit(7, message=99)]), source(3, []), source(4, [])]
    outputs = [line.feed(record)[0] for record in log]
    numbers = [[row.target_id for row in output.rows if isinstance(row, RelabelRow)] for output in outputs]
    assert [len(each) for each in numbers] == [0, 2, 2, 2, 0]
    assert sorted(target or "" for each in numbers for target in each) == sorted(event.event_id for event in first)
    replayed = [output for record in log[1:] for output in line.feed(record)]
    assert [output.rows for output in replayed] == [output.rows for output in outputs[1:]]


# Properties

kinds = st.sampled_from(["open", "open", "click", "click", "click", "delivered"])
events = st.lists(
    st.builds(
        lambda kind, at, link, agent, client, trap: (kind, at, link, agent, client, trap),
        kinds, st.integers(0, 8_000), st.integers(1, 6), st.sampled_from([None, GMAIL]), st.integers(1, 2),
        st.sampled_from([False, False, False, True]),
    ),
    min_size=1, max_size=14,
)  # fmt: skip


def built(drawn: list[Any]) -> list[Event]:
    made = []
    for number, (kind, at, link, agent, client, trap) in enumerate(drawn):
        fields: dict[str, Any] = {"address": f"192.0.2.{client}"} | ({"user_agent": agent} if agent else {})
        if kind == "click":
            fields |= {"url_id": link, "flags": FLAG_HONEYPOT if trap and link == 6 else 0}
        made.append(hit(number, kind=kind, at=NOW - 10_000 + at, **fields))
    return made


@settings(max_examples=60, deadline=None)
@given(events, st.data())
def test_in_the_end_every_hit_is_judged_as_if_all_had_been_known(drawn: list[Any], data: st.DataObject) -> None:
    """Whatever records they come in, and in whatever order within the half hour."""
    ledger, rules = Ledger(), load_rules()
    made = data.draw(st.permutations(built(drawn)))
    sent: list[Hit] = []
    while made:
        count = data.draw(st.integers(1, len(made)))
        record, made = made[:count], made[count:]
        for place, event in zip(places(ledger.offset, count), record, strict=True):
            sent.append(as_hit(place, event))
        ledger.send(*record)
    judged = verdicts(sent, rules, b"\xff" * 12)
    marks = repeats(sent, [class_ for class_, _ in judged], [None] * len(sent), MINUTE)
    for one, (class_, reasons), repeat in zip(sent, judged, marks, strict=True):
        if one.kind != "delivered":
            found = ledger.now[one.event_id.hex()]
            assert found[:2] == (class_, repeat)
            assert set(found[2]) == set(reasons) or class_ == "machine"


def as_hit(place: bytes, event: Event) -> Hit:
    """As the step would keep it, by what `classify` says of the event alone."""
    (row,) = [row for row in Line().feed(source(0, [event]))[0].rows if isinstance(row, EventRow)]
    return Hit(
        place, bytes.fromhex(event.event_id), event.kind, event.event_time_ms, NOW + 1000, row.class_,
        tuple(row.class_reasons), (event.user_agent + event.address).encode(), event.url_id or 0,
        bool(event.flags & FLAG_HONEYPOT),
    )  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(events, st.data())
def test_a_replay_from_anywhere_gives_the_same_records(drawn: list[Any], data: st.DataObject) -> None:
    log = [source(number, [event]) for number, event in enumerate(built(drawn))]
    line = Line()
    first = [output for record in log for output in line.feed(record)]
    start = data.draw(st.integers(0, len(log) - 1))
    again = [output for record in log[start:] for output in line.feed(record)]
    assert [output.rows for output in again] == [output.rows for output in first[start:]]
    assert [output.header.counts for output in again] == [output.header.counts for output in first[start:]]
