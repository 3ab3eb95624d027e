"""What the edge of a running line answers to requests it should not take."""

from __future__ import annotations

import re

import httpx
import pytest

from tests.line.running import Line, until
from tests.line.traffic import DESTINATION, Mailing

_ONE_CLICK = {"Content-Type": "application/x-www-form-urlencoded"}


def _get(url: str, **options: object) -> httpx.Response:
    return httpx.request("GET", url, trust_env=False, timeout=30, **options)  # type: ignore[arg-type]


def _counted(line: Line, reason: str) -> float:
    """What the edge's metrics say of a reason, whatever the metric's name."""
    text = _get(f"{line.endpoints['admin']['edge']}/metrics").text
    return sum(
        float(value) for value in re.findall(rf'^sendtrail_\w+_total{{[^}}]*"{reason}"[^}}]*}} (\S+)$', text, re.M)
    )


def test_a_forged_link_leads_nowhere_and_a_forged_pixel_is_a_pixel(line: Line) -> None:
    mailing = Mailing(line)
    before = _counted(line, "bad_mac")
    for url, status in ((mailing.click, 404), (mailing.pixel, 200)):
        forged = url[:-1] + ("A" if url[-1] != "A" else "Q")
        answer = _get(forged)
        assert answer.status_code == status
        assert "location" not in answer.headers
    assert _get(mailing.pixel).headers["content-type"] == "image/gif"
    mailing.wait_for(1)
    until(lambda: _counted(line, "bad_mac") >= before + 2, "both are counted by their reason")


def test_links_of_a_revoked_key_show_where_they_led(line: Line) -> None:
    made = line.lines("keys", "new", "--json")[0]["id"]
    mailing = Mailing(line)
    until(lambda: _get(mailing.click).status_code == 302, "the edge knows the new key")
    assert _get(mailing.click).headers["location"] == DESTINATION
    line.lines("keys", "revoke", str(made), "--yes", "--json")
    until(lambda: _get(mailing.click).status_code == 200, "the edge knows that the key is revoked")
    page = _get(mailing.click)
    assert "location" not in page.headers
    assert "shop.example.com/tulips?colour=red#top" in page.text
    assert "<script" not in page.text
    assert _get(mailing.pixel).headers["content-type"] == "image/gif"
    assert Mailing(line).click != mailing.click


@pytest.mark.parametrize(
    ("status", "size"),
    [(414, {"path": 60_000}), (431, {"header": 60_000}), (413, {"body": 20_000})],
    ids=["target", "head", "body"],
)
def test_what_is_too_large_is_refused_and_others_are_answered(line: Line, status: int, size: dict[str, int]) -> None:
    mailing = Mailing(line)
    url = mailing.link("optout") + "?" + "a" * size.get("path", 0)
    headers = {"X-Filler": "a" * size.get("header", 0), **_ONE_CLICK}
    answer = httpx.post(url, headers=headers, content=b"a" * size.get("body", 0), trust_env=False, timeout=30)
    assert answer.status_code == status
    assert "Traceback" not in answer.text
    assert (
        httpx.post(
            mailing.link("optout"),
            content=b"List-Unsubscribe=One-Click",
            headers=_ONE_CLICK,
            trust_env=False,
            timeout=30,
        ).status_code
        == 200
    )
    mailing.wait_for(1)
    assert line.rows("SELECT toString(kind), how FROM events WHERE delivery_id = %(d)s", d=mailing.delivery_key) == [
        ("optout", "one_click")
    ]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS"])
def test_another_method_is_refused(line: Line, method: str) -> None:
    assert httpx.request(method, Mailing(line).click, trust_env=False, timeout=30).status_code == 405
