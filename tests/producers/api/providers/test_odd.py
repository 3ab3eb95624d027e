"""Whatever a provider or a stranger sends, every reader gives findings, and every finding an event that can be kept."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from producers.api.body import Refusal
from producers.api.providers import kumomta, mailgun, mta, postmark, sendgrid, ses, sparkpost
from producers.api.providers.doors import Door
from producers.api.providers.events import EventMaker
from producers.api.providers.found import Found
from producers.api.providers.sns import Envelope, envelope
from sendtrail.events import Event, decode, encode
from tests.producers.api.providers import payloads
from tests.producers.api.providers.signing import NOW_MS, SendGrid, Sns, call
from tests.producers.api.providers.signing import mailgun as signed_by_mailgun

MAKER = EventMaker(bytes(32), "odd", "")
DOOR = Door("it", secret=SecretStr("s"))
SIGNER, TOPIC = SendGrid(), Sns()
ODD: list[Any] = [
    None, True, False, -1, 0, 1e300, 10**30, "", "\0", "x" * 70_000, "2026-99-99T99:99:99Z", [], [None], [[]], {},
    {"a": None}, "1789999990.5", "1e400", "nan", "9" * 400, -(10**18), "٣", {"sendtrail_delivery": {}}, ["a", "b"],
    "😀",
]  # fmt: skip
TOLD = {"kind": "bounced", "time_ms": NOW_MS, "id": "x", "metadata": {"sendtrail_delivery": "1"}, "reason": "spam"}


def _ses(item: Any) -> list[Found]:
    return ses.read(Envelope("Notification", {"Message": json.dumps(item), "MessageId": "m"}, ""))


READ: dict[str, tuple[list[Any], Callable[[Any], list[Found] | Refusal]]] = {
    "sendgrid": (payloads.sendgrid(), lambda item: sendgrid.parse(SIGNER.call([item]), SIGNER.key, 60)),
    "mailgun": (
        payloads.mailgun(),
        lambda item: mailgun.parse(call(signed_by_mailgun(item, "k")), "k", 60, mailgun.Tokens()),
    ),
    "ses": (payloads.ses(), _ses),
    "postmark": (payloads.postmark(), lambda item: postmark.parse(call(item, secret="s"), DOOR)),
    "sparkpost": (payloads.sparkpost(), lambda item: sparkpost.parse(call(item, secret="s"), DOOR)),
    "kumomta": (payloads.kumomta(), lambda item: kumomta.parse(call(item, secret="s"), DOOR)),
    "mta": ([TOLD], lambda item: mta.parse(call([item]))),
}


@pytest.mark.parametrize("provider", READ)
@given(chance=st.randoms(use_true_random=False))
def test_damaged_payloads(provider: str, chance: random.Random) -> None:
    items, read = READ[provider]
    item = deepcopy(chance.choice(items))
    for _ in range(chance.randint(1, 4)):
        item = _damaged(item, chance)
    found = read(item)
    if isinstance(found, Refusal):
        return
    for one in found:
        event = MAKER.event(one, NOW_MS)
        assert isinstance(decode(encode(event)), Event)


def _damaged(value: Any, chance: random.Random) -> Any:
    """One value somewhere inside is another, or gone."""
    if isinstance(value, dict) and value and chance.random() < 0.85:
        name = chance.choice(sorted(value))
        if chance.random() < 0.1:
            return {key: inner for key, inner in value.items() if key != name}
        return value | {name: _damaged(value[name], chance)}
    if isinstance(value, list) and value and chance.random() < 0.7:
        return [_damaged(value[0], chance), *value[1:]]
    return deepcopy(chance.choice(ODD))


@given(chance=st.randoms(use_true_random=False))
def test_damaged_messages_of_sns(chance: random.Random) -> None:
    message = _damaged(TOPIC.message(payloads.ses()[0]), chance)
    topic: Any = message.get("TopicArn") if isinstance(message, dict) else ""
    found = envelope(message, [topic])
    assert isinstance(found, Envelope | Refusal)
