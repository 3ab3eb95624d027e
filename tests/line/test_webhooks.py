"""A provider's webhook through the whole line: what the report counts, what is foreign, what is a reject."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx

from sendtrail.naming import key
from sendtrail.provider_metadata import MessageIdentity, write_metadata
from tests.line.running import SENDGRID, Line, until
from tests.support.stack import random_name

AGENT = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"
)
ANSWER = {
    "gone": {"type": "bounce", "status": "5.1.1", "reason": "550 5.1.1 no such user"},
    "full": {"type": "bounce", "status": "5.2.2", "reason": "552 5.2.2 mailbox full"},
}
COUNTED = """SELECT kind, marks, sum(sign) FROM events WHERE delivery_id = %(d)s AND kind IN ('open', 'click')
    GROUP BY kind, marks ORDER BY kind, marks"""


class Sending:
    """A delivery through SendGrid, its keys in the metadata."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.name = random_name("hooked")
        self.key = self._key("delivery", self.name)

    def register(self, **fields: Any) -> None:
        answer = httpx.put(f"{self.line.endpoints['api']}/v1/deliveries/{self.name}", json=fields, trust_env=False)
        assert answer.status_code == 200, answer.text

    def item(self, message: str, event: str, **more: Any) -> dict[str, Any]:
        identity = MessageIdentity(self.key, self._key("message", message), self._key("recipient", message))
        ids = {"sg_event_id": f"{self.name}-{message}-{event}", "email": f"{message}@mail.example"}
        return {"event": event, "timestamp": int(time.time()), **ids, **write_metadata(identity), **more}

    def post(self, *items: Any) -> dict[str, int]:
        body = json.dumps(items).encode()
        headers = SENDGRID.headers(body, int(time.time() * 1000))
        url = f"{self.line.endpoints['api']}/v1/webhooks/sendgrid"
        answer = httpx.post(url, content=body, headers=headers, trust_env=False, timeout=30)
        assert answer.status_code == 200, answer.text
        taken: dict[str, int] = answer.json()
        return taken

    def stored(self) -> int:
        found = self.line.rows("SELECT sum(sign) FROM events WHERE delivery_id = %(d)s", d=self.key)
        return int(found[0][0])

    def indicators(self) -> dict[str, Any]:
        done = self.line.run("report", "indicators", "-d", self.name, "--live", "--format", "json")
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)["parts"]["indicators"]
        return found

    def _key(self, kind: Any, name: str) -> int:
        return key(self.line.keys().naming_key, "", kind, name)


def test_a_signed_batch_gives_the_right_numbers_once(line: Line) -> None:
    sending = Sending(line)
    sending.register(label="By SendGrid", to_deliver=6)
    mark = f"stranger of {sending.name}"
    batch = [
        *(sending.item(name, "processed") for name in ("a", "b", "c", "d", "e", "f")),
        *(sending.item(name, "delivered", response="250 OK") for name in ("a", "b", "c")),
        sending.item("d", "bounce", **ANSWER["gone"]),
        sending.item("e", "bounce", **ANSWER["full"]),
        sending.item("f", "dropped", reason="Unsubscribed Address"),
        sending.item("a", "spamreport"),
        sending.item("b", "unsubscribe"),
    ]
    stranger = {"event": "delivered", "timestamp": int(time.time()), "category": mark}
    assert sending.post(*batch, stranger) == {"accepted": len(batch), "rejected": 1}
    assert sending.post(*batch) == {"accepted": len(batch), "rejected": 0}
    until(lambda: sending.stored() >= len(batch), "the batch is stored")
    row = sending.indicators()
    wanted = {"delivered": 3, "bounced_hard": 1, "bounced_soft": 1, "rejected": 1, "complained": 1, "unsubscribed": 1}
    assert {name: row[name] for name in wanted} == wanted
    assert sending.stored() == len(batch)
    rejects = "SELECT reason, original FROM rejects WHERE reason = 'unattributed' AND position(original, %(m)s) > 0"
    until(lambda: bool(line.rows(rejects, m=mark)), "the stranger is among the rejects")
    ((reason, original),) = line.rows(rejects, m=mark)
    assert (reason, json.loads(json.loads(original)["raw"])) == ("unattributed", stranger)


def test_opens_and_clicks_of_the_provider_count_where_the_delivery_says_so(line: Line) -> None:
    theirs, ours = Sending(line), Sending(line)
    theirs.register(hits_from="sendgrid")
    ours.register()
    name = "SELECT count() FROM deliveries WHERE delivery_id IN (%(a)s, %(b)s)"
    until(lambda: line.rows(name, a=theirs.key, b=ours.key)[0][0] >= 2, "both are registered")
    for sending in (theirs, ours):
        hits = [
            sending.item("a", "open", useragent=AGENT, ip="198.51.100.3"),
            sending.item("a", "click", useragent=AGENT, ip="198.51.100.3", url="https://shop.example/"),
            sending.item("b", "open", useragent=AGENT, ip="198.51.100.4", sg_machine_open=True),
        ]
        sending.post(*hits)
    until(lambda: theirs.stored() + ours.stored() >= 6, "the hits are stored")
    assert line.rows(COUNTED, d=theirs.key) == [("open", 0, 2), ("click", 0, 1)]
    assert line.rows(COUNTED, d=ours.key) == [("open", 4, 2), ("click", 4, 1)]
    counted, foreign = theirs.indicators(), ours.indicators()
    assert (counted["total_open"], counted["recipient_open"], counted["total_click"]) == (1, 1, 1)
    assert (foreign["total_open"], foreign["total_click"]) == (0, 0)
