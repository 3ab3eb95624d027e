"""The feed API of a running line: bad items beside good ones, unknown deliveries, docs/senders.md, the client."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from sendtrail.errors import ApiError
from sendtrail.feed import Feed, Item
from sendtrail.instrument import compile
from sendtrail.instrument.api import Api
from tests.instrument.test_senders_doc import BLOCK, DOC
from tests.line.running import Line, clean_environment, until
from tests.line.traffic import ADDRESS, Mailing


def _reported(line: Line, search: str) -> list[dict[str, Any]]:
    done = line.run("report", "deliveries", "--cut", "all", "--live", "--search", search, "--format", "json")
    assert done.returncode == 0, done.stderr
    rows: list[dict[str, Any]] = json.loads(done.stdout)["parts"]["deliveries"]
    return rows


def test_a_bad_item_keeps_its_neighbours(line: Line) -> None:
    mailing = Mailing(line)
    items: list[Any] = [
        mailing.item("sent"),
        {key: value for key, value in mailing.item("sent").items() if key != "time"},
        mailing.item("exploded"),
        "no object",
        mailing.item("delivered") | {"time": "a while ago"},
        mailing.item("delivered") | {"message": -1},
        mailing.item("delivered"),
    ]
    answer = httpx.post(f"{line.endpoints['api']}/v1/events", json=items, trust_env=False, timeout=30)
    assert answer.status_code == 200
    results = answer.json()["results"]
    reasons = [result.get("reason", "") for result in results]
    assert reasons == ["", "time_missing", "bad_field", "undecodable", "bad_time", "bad_name", ""]
    mailing.wait_for(2)
    ids = line.rows("SELECT lower(hex(event_id)) FROM events WHERE delivery_id = %(d)s", d=mailing.delivery_key)
    assert {row[0] for row in ids} == {results[0]["event_id"], results[-1]["event_id"]}


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"[{", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"[]", "text/plain", 415),
        (b"[" + b" " * 11_000_000 + b"]", "application/json", 413),
    ],
    ids=["broken", "no text", "another type", "too large"],
)
def test_a_body_that_cannot_be_taken_gets_its_status(line: Line, body: bytes, content_type: str, status: int) -> None:
    url = f"{line.endpoints['api']}/v1/events"
    answer = httpx.post(url, content=body, headers={"Content-Type": content_type}, trust_env=False, timeout=30)
    assert answer.status_code == status
    assert set(answer.json()) >= {"error", "detail"}


def test_an_unknown_delivery_counts_under_its_key_and_has_its_name_once_registered(line: Line) -> None:
    mailing = Mailing(line)
    headers = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64)", "X-Forwarded-For": ADDRESS}
    assert httpx.get(mailing.click, headers=headers, trust_env=False).status_code == 302
    mailing.wait_for(1)
    key = str(mailing.delivery_key)
    until(lambda: any(row["key"] == key for row in _reported(line, "")), "the report lists its key")
    (unnamed,) = [row for row in _reported(line, "") if row["key"] == key]
    assert (unnamed["label"], unnamed["total_click"]) == (key, 1)
    template = compile(html="<p>no link", delivery=mailing.name, keyring=line.keys(), base_url=line.endpoints["edge"])
    Api(line.endpoints["api"]).register(template, label=f"Letter {mailing.name}", to_deliver=3)
    until(lambda: bool(_reported(line, mailing.name)), "the report knows its name")
    (named,) = _reported(line, mailing.name)
    assert (named["key"], named["name"], named["label"]) == (key, mailing.name, f"Letter {mailing.name}")
    assert (named["to_deliver"], named["total_click"]) == (3, 1)


def test_the_client_registers_feeds_and_hears_what_was_refused(line: Line) -> None:
    mailing = Mailing(line)
    api = Api(line.endpoints["api"] + "/")
    template = compile(
        html='<a href="https://shop.example.com/">shop</a>', delivery=mailing.name, keyring=line.keys(),
        base_url=line.endpoints["edge"],
    )  # fmt: skip
    answer = api.register(template, label="Letter")
    assert (answer["name"], answer["delivery_key"]) == (mailing.name, mailing.delivery_key)
    assert "https://shop.example.com/" in [url["url"] for url in answer["urls"]]
    bad = mailing.item("sent") | {"time": None}
    good = [mailing.item("sent", id=f"provider-{number}") for number in range(1500)]
    (refused,) = api.feed([*good, bad])
    assert (refused["item"], refused["reason"]) == (bad, "time_missing")
    assert api.feed(good[:10]) == []
    mailing.wait_for(1500)
    with pytest.raises(ApiError, match="400"):
        api.register(template, contact_date="soon")


def test_an_api_killed_while_it_is_fed_takes_every_item_once(line: Line) -> None:
    mailing, count = Mailing(line), 8_000
    killers = [threading.Thread(target=line.kill, args=("api",)) for _ in range(2)]

    def items() -> Iterator[Item]:
        for number in range(count):
            if number % 3_000 == 1_500 and killers[number // 3_000 :]:
                killers[number // 3_000].start()  # while batches are under way
            if number % 3_000 == 2_999:
                killers[number // 3_000].join()
            yield mailing.item("sent", id=f"killed-{number}")

    with Feed(line.endpoints["api"]) as feed:
        assert list(feed.send(items())) == []
    mailing.wait_for(count)
    ids = "SELECT uniqExact(provider_event_id), count(), sum(sign) FROM events WHERE delivery_id = %(d)s"
    assert line.rows(ids, d=mailing.delivery_key) == [(count, count, count)]
    line.wait_until_empty()
    mailing.wait_for(count)
    line.audit()


def test_the_api_block_for_senders_does_what_it_says(line: Line, tmp_path: Path) -> None:
    (tmp_path / "newsletter.html").write_text('<p>Hello <a href="https://shop.example.com/">shop</a>')
    (tmp_path / "newsletter.txt").write_text("Hello https://shop.example.com/\n")
    (tmp_path / ".sendtrail").symlink_to(line.data)
    blocks = [code for language, code in BLOCK.findall(DOC.read_text()) if language == "python"]
    blocks = [code for code in blocks if "newsletter.html" in code or "instrument.api" in code]
    code = "\n".join(blocks).replace("http://127.0.0.1:8081", line.endpoints["api"])
    assert "instrument.api" in code
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=clean_environment(), capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "[]"
    until(lambda: bool(_reported(line, "Spring sale")), "the delivery is registered")
    (row,) = _reported(line, "Spring sale")
    assert (row["name"], row["to_deliver"]) == ("spring", 2)
    until(
        lambda: line.rows("SELECT count() FROM messages WHERE delivery_id = %(d)s", d=int(row["key"])) == [(2,)], "fed"
    )
