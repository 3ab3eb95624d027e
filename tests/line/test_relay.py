"""A mail through the relay of a running line: its recipient's click and its `sent` are in the report."""

from __future__ import annotations

import json
import re
import smtplib

import httpx

from tests.line.running import Line, until
from tests.producers.relay.test_relay import mail


def test_a_mail_through_the_relay_is_sent_and_its_click_counts(line: Line) -> None:
    api = line.endpoints["api"]
    httpx.put(
        f"{api}/v1/deliveries/by-relay", json={"label": "By relay"}, trust_env=False, timeout=30
    ).raise_for_status()
    host, _, port = line.endpoints["relay"].partition(":")
    with smtplib.SMTP(host, int(port), timeout=30) as client:
        content = mail("line", "Delivery: by-relay", "Attribute: source=test")
        assert client.sendmail("shop@e.example", ["anna@e.example"], content) == {}
    link = re.search(rb"href='([^']+/c/[^']+)'", line.hop.mails[-1].content)
    assert link
    answer = httpx.get(link[1].decode(), trust_env=False, timeout=30)
    assert answer.headers["location"] == "https://shop.example/?a=1"
    until(lambda: _figures(line) == (1, 1), "one sent, one click")


def _figures(line: Line) -> tuple[int, int]:
    done = line.run("report", "deliveries", "--cut", "all", "--live", "--search", "By relay", "--format", "json")
    rows = json.loads(done.stdout)["parts"]["deliveries"] if done.returncode == 0 else []
    return (rows[0]["success"], rows[0]["recipient_click"]) if rows else (0, 0)
