"""Stored hits under other rules: judged by the steps' own functions over whole messages; what is missing is named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sendtrail.events import FLAG_HONEYPOT, Event
from sendtrail.partitions import partition_of
from streams.reclassify.difference import Difference
from streams.reclassify.rejudge import ADDRESS, CLIENT, GROUP_MOST, NETWORKS, PARTS, REQUEST, Judge, Ruling
from streams.reclassify.run import RunDirectory, RunsAlreadyError, begin, relabel
from streams.reclassify.stored import Stored
from streams.rules import GroupRules, Rules, load_rules
from streams.rules.networks import Networks, parse_range
from streams.rules.tables import NetworkRule
from streams.steps.identify_person import client_key
from tests.streams.making import CHROME, NOW, hit
from tests.streams.test_judge_message import Ledger

GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
RULES = load_rules()
LATER = NOW + 10**9


def stored(number: int = 0, kind: Any = "open", at: int = NOW, **fields: Any) -> Stored:
    defaults: dict[str, Any] = {
        "event_id": f"{at:012x}{number:020x}", "kind": kind, "time_ms": at, "log_ms": at, "message": 8, "account": "",
        "site": "", "order_id": "", "visitor": "", "user_agent": CHROME, "address": "8.8.8.0", "network": "",
        "hints": [], "provider_hints": [], "flags": 0, "how": None, "url_id": 0, "client_id": 7, "class_": "human",
        "repeat": False, "reasons": (), "counts": True, "flood": False, "place": ("t", number, 0),
        "past_reasons": (),
    }  # fmt: skip
    return Stored(**{**defaults, **fields})


def judged(*hits: Stored, rules: Rules = RULES, before_ms: int = LATER) -> tuple[list[Ruling], dict[str, int]]:
    judge = Judge(rules, 60_000, before_ms)
    return list(judge.judge(hits)), dict(judge.missing)


def classes(*hits: Stored, **how: Any) -> list[str]:
    return [ruling.class_ for ruling in judged(*hits, **how)[0]]


def sweep(number: int = 9, **fields: Any) -> list[Stored]:
    return [stored(n, "click", NOW + n * 90, url_id=100 + n, **fields) for n in range(number)]


def test_group_rules_are_applied_to_hits_of_any_age() -> None:
    assert set(classes(*sweep())) == {"machine"}
    assert set(classes(*sweep(), rules=replace(RULES, group=GroupRules()))) == {"human"}
    trap = stored(1, "click", NOW + 9_000, url_id=9, flags=FLAG_HONEYPOT)
    assert classes(stored(), trap, stored(2, at=NOW + 20_000)) == ["machine", "machine", "human"]
    late = stored(1, "click", NOW + 3 * 86_400_000)
    assert classes(stored(0, user_agent=GMAIL, class_="unknown", reasons=("image_proxy",)), late) == ["human"] * 2


def test_deliveries_count_where_the_rule_is_on_and_are_no_hits() -> None:
    delivered = stored(1, "delivered", NOW + 5_000, user_agent="", client_id=0)
    assert classes(stored(0, "click", url_id=1), delivered) == ["machine"]
    off = replace(RULES, group=GroupRules(before_delivery=False))
    assert classes(stored(0, "click", url_id=1), delivered, rules=off) == ["human"]


def test_young_hits_stay_and_stand_among_the_others_as_they_are() -> None:
    clicks = sweep(3)
    young = [clicks[0]._replace(log_ms=LATER, class_="unknown", reasons=("as",)), *clicks[1:]]
    rulings, _ = judged(*young, before_ms=LATER)
    assert [(one.class_, one.young) for one in rulings] == [("unknown", True), ("machine", False), ("machine", False)]
    assert [one.differs(True) for one in rulings] == [False, True, True]


@pytest.mark.parametrize(
    ("fields", "left"),
    [
        ({"user_agent": ""}, True),
        ({"user_agent": "", "reasons": ("head", "no_agent")}, False),
        ({"user_agent": "", "reasons": (), "past_reasons": ("no_agent",)}, False),
        ({"user_agent": "", "kind": "optout", "how": "one_click", "reasons": ("confirmed",)}, False),
    ],
)
def test_hits_whose_request_was_taken_away_are_left(fields: dict[str, Any], left: bool) -> None:
    rulings, missing = judged(stored(**fields))
    assert (rulings[0].left, missing.get(REQUEST, 0)) == (left, int(left))


HOSTING = NetworkRule(name="hosting", certainty="certain", reason="hosting_network")


def with_network(text: str) -> Rules:
    return replace(RULES, networks=Networks([(parse_range(text), HOSTING)]))


@pytest.mark.parametrize(
    ("ranges", "fields", "expected", "named"),
    [
        ("198.51.100.0/24", {"address": "198.51.100.0"}, "machine", False),
        ("198.51.100.0/24", {"address": "198.51.100.9"}, "machine", False),
        ("198.51.100.0/25", {"address": "198.51.100.0"}, "human", True),
        ("198.51.100.0/25", {"address": "198.51.100.0", "network": "hosting"}, "machine", True),
        ("198.51.100.0/25", {"address": "198.51.100.9"}, "machine", False),
        ("198.51.100.0/25", {"address": "198.51.100.129"}, "human", False),
        ("198.51.100.0/24", {"address": "ab" * 8}, "human", True),
        ("198.51.100.0/24", {"address": "", "network": "hosting"}, "machine", True),
        ("198.51.100.0/24", {"address": "", "network": "another"}, "human", True),
        ("2001:db8::/32", {"address": "2001:db8:7::"}, "machine", False),
    ],
)
def test_networks_are_judged_as_far_as_addresses_are_kept(
    ranges: str, fields: dict[str, Any], expected: str, named: bool
) -> None:
    rulings, missing = judged(stored(**fields), rules=with_network(ranges))
    assert (rulings[0].class_, missing.get(NETWORKS, 0)) == (expected, int(named))


def test_what_needs_addresses_of_other_messages_keeps_its_say() -> None:
    click = stored(0, "click", url_id=1, class_="machine", reasons=("many_messages",))
    rulings, missing = judged(click)
    assert (rulings[0].class_, rulings[0].reasons, missing[ADDRESS]) == ("machine", ("many_messages",), 1)
    assert classes(click, rules=replace(RULES, address=None)) == ["human"]


def test_repeats_are_judged_again() -> None:
    opens = [stored(0, repeat=True), stored(1, at=NOW + 1_000), stored(2, at=NOW + 2_000, client_id=8)]
    rulings, missing = judged(*opens)
    assert [one.repeat for one in rulings] == [False, True, False]
    assert CLIENT not in missing
    assert judged(stored(client_id=0))[1][CLIENT] == 1


def test_floods_visits_and_confirmed_opt_outs_are_judged_alone() -> None:
    others = [
        stored(20, "web", site="shop"), stored(21, "optout", NOW + 60_000, how="form", url_id=900),
        stored(22, "click", url_id=901, flood=True, hints=["flood"]),
    ]  # fmt: skip
    assert classes(*sweep(2), *others) == ["human", "human", "human", "human", "machine"]


def test_a_message_with_very_many_hits_is_judged_in_parts() -> None:
    rulings, missing = judged(*(stored(n, at=NOW + n * 90_000) for n in range(2 * GROUP_MOST + 1)))
    assert (len(rulings), missing[PARTS]) == (2 * GROUP_MOST + 1, 1)


@settings(max_examples=20)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["open", "click", "mirror"]), st.integers(0, 20_000), st.integers(1, 7),
            st.sampled_from([CHROME, GMAIL, "curl/8", ""]), st.sampled_from([0, 0, 0, FLAG_HONEYPOT]),
        ),
        max_size=12,
    )
)  # fmt: skip
def test_by_the_same_rules_nothing_changes(drawn: list[tuple[Any, int, int, str, int]]) -> None:
    """What the worker made of a message's hits, all younger than half an hour, is what is made of them here."""
    ledger, events = Ledger(), []
    for number, (kind, at, link, agent, flags) in enumerate(drawn):
        event = hit(
            number, kind, NOW + at, url_id=link if kind != "open" else None, user_agent=agent,
            flags=flags if kind == "click" else 0,
        )  # fmt: skip
        ledger.send(event, after_ms=20_000 + number)
        events.append(event)
    hits = [_as_stored(event, number, ledger) for number, event in enumerate(events)]
    assert [one for one in judged(*hits)[0] if one.differs(False)] == []


def _as_stored(event: Event, number: int, ledger: Ledger) -> Stored:
    class_, repeat, reasons = ledger.now[event.event_id]
    return stored(
        number, event.kind, event.event_time_ms, event_id=event.event_id, user_agent=event.user_agent,
        flags=event.flags, url_id=event.url_id or 0, client_id=hash(client_key(event)) % 2**63 + 1, class_=class_,
        repeat=repeat, reasons=reasons, past_reasons=() if event.user_agent else ("no_agent",),
    )  # fmt: skip


def test_the_difference_says_what_reports_will_say() -> None:
    hits = [
        *sweep(3), stored(10, at=NOW + 10**6), stored(11, at=NOW + 10**6 + 1, counts=False),
        stored(12, "optout", NOW + 10**6, how="view", url_id=1),
    ]  # fmt: skip
    rulings, _ = judged(*hits)
    difference = Difference()
    difference.add(rulings, [one for one in rulings if one.differs(False)])
    numbers = difference.numbers()
    assert numbers["people"]["total_click"] == (3, 0)
    assert numbers["people"]["recipient_click"] == (1, 0)
    assert numbers["people"]["recipient_open"] == numbers["all"]["recipient_open"] == (1, 1)
    assert numbers["all"]["total_click"] == (3, 3)
    assert numbers["all"]["total_open"] == (1, 1)
    assert numbers["people"]["hits"] == (5, 2)
    assert {(one.kind, one.before, one.after, one.reason): n for one, n in difference.changes.items()} == {
        ("click", "human", "machine", "burst"): 3, ("open", "human", "human, repeat", "repeat"): 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    "target",
    [
        hit(kind="click"), hit(kind="transaction", delivery=7, site="shop", order_id="1"),
        hit(kind="web", site="shop", visitor="ab" * 16),
        hit(kind="web", delivery=0, message=0, site="s", visitor="ab" * 16),
    ],
)  # fmt: skip
def test_a_relabel_goes_to_the_partition_of_its_target(target: Event) -> None:
    known = stored(
        kind=target.kind, site=target.site, order_id=target.order_id, visitor=target.visitor or "",
        message=target.message,
    )  # fmt: skip
    made = relabel(begin(NOW, "r"), target.delivery, judged(known)[0][0])
    assert {partition_of(made, count) == partition_of(target, count) for count in range(1, 50)} == {True}


def test_ids_of_re_labels_are_made_of_run_and_target() -> None:
    run, ruling = begin(NOW, "r", lambda size: "00" * size), judged(stored())[0][0]
    assert run.name == "reclassify-20260921T141320Z-000000"
    assert relabel(run, 7, ruling) == relabel(run, 7, ruling)
    assert relabel(run, 7, ruling).event_id != relabel(begin(NOW, "r"), 7, ruling).event_id


def test_a_run_that_was_only_judged_is_thrown_away_and_one_that_is_ready_is_not(tmp_path: Path) -> None:
    directory, run = RunDirectory(tmp_path / "run"), begin(NOW, "r")
    with directory.locked():
        directory.spool.mkdir()
        assert directory.unfinished() is None
        assert not directory.spool.exists()
        directory.spool.mkdir()
        directory.ready(run)
        assert directory.unfinished() == run._replace(ready=True)
        assert directory.spool.exists()
        with pytest.raises(RunsAlreadyError, match=r"already, by process \d+ on "), directory.locked():
            pass
        directory.clear()
        assert directory.unfinished() is None
