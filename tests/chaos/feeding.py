"""What senders, providers and shops tell: fed items, signed webhooks and orders, each often more than once."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from random import Random
from typing import Any

from sendtrail.provider_metadata import MessageIdentity, write_metadata
from tests.chaos.http import Answer, Connection, NoAnswer, NotSent
from tests.chaos.sent import Sent
from tests.line.running import SENDGRID, SITE, SITE_ORIGIN

FED, TOLD = 9001, 9002
_BATCH = 10
_AGAIN_S = 0.3
_GIVE_UP_S = 150.0
_REPEAT_CHANCE = 0.3


class Unanswered(Exception):
    """Nothing took it, however often it was tried."""


def feed_items(sent: Sent, port: int, every_s: float, stop: threading.Event, dice: Random) -> None:
    """Items about messages of delivery FED through the API, in batches, some of them twice."""
    connection, first = Connection(port), 1
    while not stop.wait(every_s):
        numbers = range(first, first + _BATCH)
        first += _BATCH
        now_ms = time.time_ns() // 1_000_000
        items = [{"delivery": FED, "message": number, "kind": "sent", "time": now_ms} for number in numbers]
        body = json.dumps(items).encode()
        try:
            for _ in range(1 + (dice.random() < _REPEAT_CHANCE)):
                answer = _taken(connection, "/v1/events", {"Content-Type": "application/json"}, body)
                results = json.loads(answer.body)["results"]
                if [result for result in results if result.get("reason")]:
                    sent.problems.append(f"fed items {numbers} were refused: {answer.body[:300]!r}")
                sent.repeats["items"] += _BATCH if numbers[0] in sent.items else 0
                sent.items.update(numbers)
        except Unanswered as error:
            sent.problems.append(f"fed items {numbers} were never taken: {error}")
            sent.silent_items.update(set(numbers) - sent.items)
    connection.close()


def tell_webhook(sent: Sent, port: int, every_s: float, stop: threading.Event, dice: Random) -> None:
    """A provider's signed webhook about messages of delivery TOLD; some calls come again, as providers do."""
    connection, first = Connection(port), 1
    while not stop.wait(every_s):
        numbers = range(first, first + _BATCH)
        first += _BATCH
        body = json.dumps([_told(number) for number in numbers]).encode()
        try:
            for _ in range(1 + (dice.random() < _REPEAT_CHANCE)):
                headers = SENDGRID.headers(body, time.time_ns() // 1_000_000)
                answer = _taken(connection, "/v1/webhooks/sendgrid", headers, body)
                if json.loads(answer.body) != {"accepted": _BATCH, "rejected": 0}:
                    sent.problems.append(f"a webhook with {numbers} was answered with {answer.body[:300]!r}")
                sent.repeats["webhook"] += _BATCH if numbers[0] in sent.told else 0
                sent.told.update(numbers)
        except Unanswered as error:
            sent.problems.append(f"a webhook with {numbers} was never taken: {error}")
            sent.silent_told.update(set(numbers) - sent.told)
    connection.close()


def _told(number: int) -> dict[str, Any]:
    identity = write_metadata(MessageIdentity(TOLD, number, number))
    fields = {"event": "delivered", "timestamp": int(time.time()), "email": f"{number}@mail.example"}
    return {**fields, "sg_event_id": f"chaos-{number}", **identity}


def _taken(connection: Connection, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
    """Tried until it is answered with 200. Raises Unanswered."""
    deadline, why = time.monotonic() + _GIVE_UP_S, ""
    while time.monotonic() < deadline:
        try:
            answer = connection.request("POST", path, headers, body)
        except (NotSent, NoAnswer) as error:
            why = str(error)
        else:
            if answer.status == 200:
                return answer
            why = f"{answer.status} {answer.body[:200]!r}"
        time.sleep(_AGAIN_S)
    raise Unanswered(why)


def order(sent: Sent, ports: Mapping[str, int], every_s: float, stop: threading.Event, dice: Random) -> None:
    """Thank-you pages of a shop that are loaded once, twice or three times, by the web tag."""
    connections = {edge: Connection(port) for edge, port in ports.items()}
    headers = {
        "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/145.0",
        "Origin": SITE_ORIGIN,
        "Host": "t.example",
    }
    number = 0
    while not stop.wait(every_s):
        number += 1
        name = f"order-{number}"
        fields = {"site": SITE, "page": f"{SITE_ORIGIN}/thanks", "order": name, "amount": 1999, "currency": "EUR"}
        body = json.dumps(fields).encode()
        for _ in range(dice.choice((1, 2, 3))):
            edge = dice.choice(list(ports))
            with sent.ordering(edge) as allowed:
                if allowed:
                    _order(
                        sent, connections[edge], name, {**headers, "X-Forwarded-For": f"203.0.{number % 250}.7"}, body
                    )
    for connection in connections.values():
        connection.close()


def _order(sent: Sent, connection: Connection, name: str, headers: Mapping[str, str], body: bytes) -> None:
    try:
        status = connection.request("POST", "/w", {**headers, "Content-Type": "text/plain"}, body).status
    except NotSent:
        return
    except NoAnswer:
        sent.silent_orders.add(name)
        return
    if status != 204:
        sent.problems.append(f"{name} was answered with {status}")
    sent.repeats["orders"] += name in sent.orders
    sent.orders.add(name)
