"""Visits and orders of a site, from its pages to the report: to whom they are due, counted once, addresses cut."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import httpx

from sendtrail.links import Link, mint
from tests.line.running import SITE, SITE_ORIGIN, Line, until
from tests.line.traffic import ADDRESS, Mailing

BROWSER = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    "X-Forwarded-For": ADDRESS,
}


def post(line: Line, **fields: Any) -> None:
    """What st.js sends."""
    headers = {**BROWSER, "Origin": SITE_ORIGIN, "Content-Type": "text/plain;charset=UTF-8"}
    body = json.dumps({"site": SITE, **fields})
    answer = httpx.post(f"{line.endpoints['edge']}/w", content=body, headers=headers, trust_env=False)
    assert (answer.status_code, answer.content) == (204, b"")


def pixel(line: Line, **fields: Any) -> None:
    """What a page without scripts asks for."""
    address = f"{line.endpoints['edge']}/w?{urlencode({'site': SITE, **fields})}"
    answer = httpx.get(address, headers={**BROWSER, "Referer": f"{SITE_ORIGIN}/terms"}, trust_env=False)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/gif")


def report(line: Line, *args: str) -> dict[str, Any]:
    done = line.run("report", "site", "--site", SITE, *args, "--format", "json")
    assert done.returncode == 0, done.stderr
    parts: dict[str, Any] = json.loads(done.stdout)["parts"]
    return parts


def test_a_click_leads_to_an_order_and_both_to_the_report(line: Line) -> None:
    mailing = Mailing(line)
    assert httpx.get(mailing.click, headers=BROWSER, trust_env=False).status_code == 302
    signed = mint(line.keys().active, Link("web", mailing.delivery_key, mailing.message_key, mailing.recipient_key))
    mailing.wait_for(1)
    post(line, st=signed, page=f"{SITE_ORIGIN}/basket?st={signed}", referrer="https://mail.example/")
    order = {"order": mailing.name, "amount": 4990, "currency": "EUR", "articles": 3}
    for _ in range(2):  # the page is loaded again
        post(line, st=signed, page=f"{SITE_ORIGIN}/thanks", extra={"voucher": "MAY"}, **order)
    pixel(line)
    post(line, page="/basket", order="o", amount="49.90", currency="EUR")
    mailing.wait_for(3)
    until(lambda: report(line)["site"]["visits"] == 3, "two visits and an order in the report")
    line.audit()
    parts = report(line)
    assert {name: parts["site"][name] for name in ("visitors", "pages", "transactions", "buyers")} == {
        "visitors": 2, "pages": 3, "transactions": 1, "buyers": 1,
    }  # fmt: skip
    (money,) = parts["transactions"]
    assert (money["currency"], money["transactions"], money["amount"], money["articles"]) == ("EUR", 1, 49.9, 3)
    assert {row["how"]: row["visits"] for row in parts["attribution"]} == {"named": 2, "none": 1}
    assert report(line, "-d", mailing.name)["site"]["visits"] == 2
    rows = line.rows(
        "SELECT kind, page, referrer, address, attributes FROM events WHERE site = %(s)s AND delivery_id = %(d)s "
        "ORDER BY kind",
        s=SITE, d=mailing.delivery_key,
    )  # fmt: skip
    assert rows == [
        ("web", f"{SITE_ORIGIN}/basket", "https://mail.example/", "192.0.2.0", {}),
        ("transaction", f"{SITE_ORIGIN}/thanks", "", "192.0.2.0", {"voucher": "MAY"}),
    ]


def test_the_edge_tells_the_tls_proxy_which_names_are_its_own(line: Line) -> None:
    admin = line.endpoints["admin"]["edge"]
    for name, status in (("127.0.0.1", 200), ("x.example", 404)):
        assert httpx.get(f"{admin}/tls/allowed?domain={name}", trust_env=False).status_code == status
