"""sendtrail status and sendtrail trace beside a running line."""

from __future__ import annotations

import secrets

import httpx

from sendtrail.instrument.api import Api
from tests.line.running import Line
from tests.line.traffic import ADDRESS, Mailing


def test_status_names_every_part_and_is_well(line: Line) -> None:
    line.audit()
    rows = {row["stage"]: row for row in line.lines("status", "--format", "json")}
    assert list(rows) == ["spool edge", "spool api", "spool relay", "stream worker", "loader", "ClickHouse"]
    assert all(row["well"] for row in rows.values())
    assert {rows[stage]["state"] for stage in ("spool edge", "spool api")} == {"empty"}
    assert rows["ClickHouse"]["state"] == "answers"
    done = line.run("status")
    assert done.returncode == 0
    assert "stream worker" in done.stdout


def test_status_says_who_does_not_answer(line: Line) -> None:
    done = line.run("status", "--format", "json", SENDTRAIL_CLICKHOUSE_ADDRESS="127.0.0.1:1")
    assert done.returncode == 1
    assert "does not answer at 127.0.0.1:1" in done.stdout
    assert "Traceback" not in done.stderr


def test_a_hit_is_traced_by_its_link_its_token_its_id_and_its_message(line: Line) -> None:
    mailing = Mailing(line)
    headers = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64)", "X-Forwarded-For": ADDRESS}
    assert httpx.get(mailing.click, headers=headers, trust_env=False).status_code == 302
    mailing.wait_for(1)
    line.wait_until_empty()
    by_link = line.lines("trace", mailing.click, "--format", "json")
    assert len(by_link) == 2
    event_id = by_link[0]["event_id"]
    assert {found["event_id"] for found in by_link} == {event_id}
    assert by_link[0]["where"].startswith("tracking.events[")
    assert by_link[1]["where"].startswith("events rev 0, source [")
    assert "click" in by_link[1]["what"]
    token = mailing.click.rpartition("/")[2]
    for text in (token, event_id, f"{mailing.name}/{mailing.message}"):
        assert line.lines("trace", text, "--format", "json") == by_link
    shown = line.run("trace", event_id)
    assert shown.returncode == 0
    assert f"event {event_id}" in shown.stdout


def test_a_repeated_item_shows_both_its_copies(line: Line) -> None:
    mailing = Mailing(line)
    item = mailing.item("sent")
    api = Api(line.endpoints["api"])
    assert api.feed([item]) + api.feed([item]) == []
    mailing.wait_for(1)
    line.wait_until_empty()
    found = line.lines("trace", f"{mailing.name}/{mailing.message}", "--format", "json")
    assert [one["where"].partition("[")[0] for one in found] == [
        "tracking.events",
        "tracking.events",
        "events rev 0, source ",
    ]
    assert found[1]["what"].startswith("a further copy, ")


def test_what_is_nowhere_is_said_to_be_nowhere(line: Line) -> None:
    for unknown in (secrets.token_hex(16), "no-such-delivery/no-such-message", "no-such-message"):
        done = line.run("trace", unknown)
        assert done.returncode == 1
        assert done.stdout.startswith("nowhere: ")
        assert "Traceback" not in done.stderr


def test_a_forged_link_is_called_so(line: Line) -> None:
    mailing = Mailing(line)
    forged = mailing.click[:-1] + ("A" if mailing.click[-1] != "A" else "Q")
    assert "was not made with the keys here" in line.refused("trace", forged)
    assert "was not made with the keys here" in line.refused("trace", "https://shop.example.com/c/")
