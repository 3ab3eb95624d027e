"""Each provider's documented payloads become these events: golden files."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from pydantic import SecretStr

from producers.api.body import Refusal
from producers.api.providers import kumomta, mailgun, postmark, sendgrid, ses, sparkpost
from producers.api.providers.doors import Door
from producers.api.providers.events import EventMaker
from producers.api.providers.found import Found
from producers.api.providers.sns import Envelope
from sendtrail.events import Event, decode, encode
from sendtrail.provider_metadata import MessageIdentity, write_metadata
from tests.producers.api.providers import payloads

from tests.producers.api.providers.signing import METADATA, NOW_MS, SendGrid, call, mailgun as signed_by_mailgun  # isort: skip
from tests.support.golden import Golden

NAMING_KEY = bytes(range(32))
SECRET = "a-secret"
DOOR = Door("it", secret=SecretStr(SECRET))


def _sendgrid() -> list[Found]:
    signer = SendGrid()
    return taken(sendgrid.parse(signer.call(payloads.sendgrid()), signer.key, 60))


def _mailgun() -> list[Found]:
    bodies = [signed_by_mailgun(event, SECRET) for event in payloads.mailgun()]
    return [one for body in bodies for one in taken(mailgun.parse(call(body), SECRET, 60, mailgun.Tokens()))]


def _ses() -> list[Found]:
    contents = [item if isinstance(item, str) else json.dumps(item) for item in payloads.ses()]
    messages = [{"Message": content, "MessageId": f"id-{number}"} for number, content in enumerate(contents)]
    return [one for message in messages for one in ses.read(Envelope("Notification", message, ""))]


def _behind_a_door(parse: Callable[..., Any], items: list[Any]) -> list[Found]:
    return [one for item in items for one in taken(parse(call(item, secret=SECRET), DOOR))]


def taken(found: list[Found] | Refusal) -> list[Found]:
    assert not isinstance(found, Refusal), found
    return found


READ: dict[str, Callable[[], list[Found]]] = {
    "sendgrid": _sendgrid,
    "mailgun": _mailgun,
    "ses": _ses,
    "postmark": lambda: _behind_a_door(postmark.parse, payloads.postmark()),
    "sparkpost": lambda: _behind_a_door(sparkpost.parse, payloads.sparkpost()),
    "kumomta": lambda: _behind_a_door(kumomta.parse, payloads.kumomta()),
}


@pytest.mark.parametrize("provider", READ)
def test_documented_payloads_become_these_events(provider: str, golden: Golden) -> None:
    maker = EventMaker(NAMING_KEY, provider, "")
    events = [maker.event(one, NOW_MS) for one in READ[provider]()]
    assert [decode(encode(event)) for event in events] == events
    golden.check(f"providers/{provider}.jsonl", [json.loads(encode(event)) for event in events])


@pytest.mark.parametrize("provider", READ)
def test_a_repeated_request_gives_the_same_ids(provider: str) -> None:
    maker = EventMaker(NAMING_KEY, provider, "")
    first, second = (
        [maker.event(one, NOW_MS) for one in READ[provider]() if isinstance(one.time_ms, int)] for _ in range(2)
    )
    assert first == second
    assert len({event.event_id for event in first}) == len(first)


def test_the_metadata_of_these_payloads_is_what_messages_carry() -> None:
    assert write_metadata(MessageIdentity(7, 8, 9)) == METADATA


def test_nothing_raises_whatever_a_field_holds() -> None:
    odd: list[Any] = [None, True, -1, 1e400, 10**400, "", "\ud800", [], [None], {}, {"a": {}}, "x" * 5000]
    for name, item in (("sendgrid", payloads.sendgrid()[3]), ("postmark", payloads.postmark()[1])):
        for field in item:
            for value in odd:
                found = _parse(name, item | {field: value})
                event = EventMaker(NAMING_KEY, name, "").event(found, NOW_MS)
                assert isinstance(decode(encode(event)), Event)


def _parse(name: str, item: Any) -> Found:
    module: Any = {"sendgrid": sendgrid, "postmark": postmark}[name]
    found: Found = module.finding(item)
    return found


def test_large_items_are_kept_as_far_as_an_event_holds_them() -> None:
    maker = EventMaker(NAMING_KEY, "sendgrid", "")
    for character in ("x", "\0", "é", "😀", '"'):
        event = maker.event(sendgrid.finding({"event": "new", "x": character * 100_000}), NOW_MS)
        assert isinstance(decode(encode(event)), Event)
        assert len(msgspec.json.encode(event.original)) > 10_000
