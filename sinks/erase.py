"""A recipient who asked for it -> a pseudonym in every table, and nothing that names a person. Counts stay.

1. Nulls go to tracking.consents.
2. While the loaders hold: the pseudonym goes onto the list, by which they know what arrives later (sinks/erased.py),
   and the mutations begin. Tables whose key has the recipient get rows anew.
3. When the mutations are done, key and name leave the list too.

Killed anywhere, it is done again; done twice, it finds nothing the second time.
"""

import json
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from clickhouse_driver import Client

from sendtrail.consents import Consent, consent_key
from sendtrail.removal.erasures import Erasure, fingerprints, pseudonym_of
from sendtrail.settings import ClickHouseSettings
from sinks import mutations
from sinks.control import PRESENCE_LEASE_S, paused
from sinks.erased import EMPTIED
from sinks.purge import literal
from sinks.queries import query

#: Messages in one mutation: a statement may be 256 KiB.
MESSAGES_AT_ONCE = 2_000
#: A name as long as this is looked for anywhere in a reject's bytes, a shorter one only as a whole value.
_LONG_NAME = 6
_MAP = "CAST(map(), 'Map(String, String)')"
_HOST_ONLY = "if(referrer = '', '', if(domain(referrer) = '', '-', concat('https://', domain(referrer), '/')))"
_ANEW = {"insert_deduplicate": 0, "deduplicate_insert": "disable", "async_insert": 0}

#: Has keys of tracking.consents forgotten.
Forget = Callable[[Sequence[str]], None]


class Person(NamedTuple):
    """What is stored about a recipient: key, names, messages, and attributes that nobody else has."""

    key: int
    account: str
    names: tuple[str, ...]
    messages: tuple[tuple[int, int], ...]
    rare: tuple[tuple[int, str, str], ...]


def person(client: Client, recipient: int, account: str = "", name: str = "", pseudonym: int = 0) -> Person:
    """Look up a recipient by key; `account`, `name` as asked for, `pseudonym` of an erasure that may have begun.

    Lets the driver's errors through.
    """
    asked = {"recipients": [recipient, pseudonym] if pseudonym else [recipient]}
    names = {name, *(one for (one,) in client.execute(query("erase_names"), asked))} - {""}
    messages = tuple(sorted(client.execute(query("erase_messages"), asked)))
    rare = [
        row for some in _pieces(messages) for row in client.execute(query("erase_rare"), {"messages": list(some)})
    ]  # fmt: skip
    return Person(recipient, account, tuple(sorted(names)), messages, tuple(rare))


def _consents(client: Client, recipient: int) -> list[str]:
    """The keys of a recipient's records in tracking.consents."""
    return [
        consent_key(Consent(recipient=recipient, purpose=purpose, state=state, time_ms=time_ms))
        for purpose, state, time_ms in client.execute(query("erase_consents"), {"recipient": recipient})
    ]


def erase(
    client: Client,
    settings: ClickHouseSettings,
    naming_key: bytes,
    request: Erasure,
    forget: Forget,
    progress: mutations.Progress = lambda parts: None,
) -> int:
    """Carry out a request; returns the pseudonym.

    Raises PauseError if the loaders don't come to rest, MutationError and KafkaError, and lets the driver's errors
    through.
    """
    recipient = request.recipient
    pseudonym = pseudonym_of(naming_key, recipient)
    listed = {"erasure_id": str(request.erasure_id), "pseudonym": pseudonym}
    listed |= {"fingerprint": fingerprints(naming_key)(recipient)}
    mutations.wait(client, progress)
    if consents := _consents(client, recipient):
        forget(consents)
    with paused(settings, "erase", lease_s=PRESENCE_LEASE_S) as pause:  # a loader that dies at it holds nobody longer
        client.execute(query("erase_begin"), listed)
        found = person(client, recipient, request.account, request.name, pseudonym)
        moved = {"recipient": recipient, "pseudonym": pseudonym}
        client.execute(query("erase_move_hits"), moved, settings=_ANEW)
        client.execute(query("erase_move_consents"), moved, settings=_ANEW)
        pause.check()
        mutations.begin(client, settings, changes(found, pseudonym))
    mutations.wait(client, progress)
    detail = json.dumps({"messages": len(found.messages), "deliveries": len({one for one, _ in found.messages})})
    client.execute(query("erase_done"), {"erasure_id": str(request.erasure_id), "detail": detail})
    client.execute(f"OPTIMIZE TABLE erasures{mutations.on_cluster(settings)} FINAL")  # earlier rows have key and name
    return pseudonym


def changes(found: Person, pseudonym: int) -> list[tuple[str, str]]:
    """Table and change of every mutation. Only numbers and our own literals are written into the texts.

    Killed in between, what comes first is found again by what comes after.
    """
    key = found.key
    renamed = f"recipient_key = if(recipient_key = {key}, {pseudonym}, recipient_key)"
    rare = ", ".join(literal(f"{delivery}\0{name}\0{value}") for delivery, name, value in found.rare)
    kept = f"mapFilter((k, v) -> NOT has([{rare}], concat(toString(delivery_id), '\\0', k, '\\0', v)), attributes)"
    attributes = kept if rare else "attributes"
    emptied = ", ".join(f"{name} = {_empty(value)}" for name, value in EMPTIED.items() if name != "attributes")
    made = []
    for some in _pieces(found.messages):
        deliveries = ", ".join(str(one) for one in sorted({one for one, _ in some}))
        messages = ", ".join(f"({delivery}, {message})" for delivery, message in some)
        own = f"delivery_id IN ({deliveries}) AND (recipient_key = {key} OR (delivery_id, message_id) IN ({messages}))"
        made += [
            ("events", f"UPDATE {renamed}, {emptied}, referrer = {_HOST_ONLY}, "
                       f"attributes = if(kind IN ('web', 'transaction'), {_MAP}, {attributes}) WHERE {own}"),
            ("message_state", f"UPDATE {renamed}, recipient_name = '', message_name = '', attributes = {attributes} "
                              f"WHERE {own}"),
        ]  # fmt: skip
    return [
        *made,
        ("message_activity", f"UPDATE recipient_key = {pseudonym} WHERE recipient_key = {key}"),
        ("recipient_activity", f"DELETE WHERE recipient_key = {key}"),
        ("consents", f"DELETE WHERE recipient_key = {key}"),
        ("rejects", f"UPDATE original = '', detail = '' WHERE {told_of(found)}"),
    ]


def told_of(found: Person) -> str:
    """Whether the bytes of a reject tell of a person: by key, or by name as a whole value or anywhere.

    A name in bytes that say another account is somebody else's.
    """
    patterns = []
    for name in found.names:
        spelt = {json.dumps(name), json.dumps(name, ensure_ascii=False)}
        patterns += [rf'"(rn|recipient|email|to)"\s*:\s*{re.escape(one)}' for one in sorted(spelt)]
        if len(name) >= _LONG_NAME and not name.isdecimal():
            patterns += ["(?i)" + re.escape(one[1:-1]) for one in sorted(spelt)]
    by_key = _matches(rf'"r"\s*:\s*{found.key}\s*[,}}]')
    if not patterns:
        return by_key
    own = "NOT " + _matches(r'"(a|account)"\s*:\s*"[^"]')
    if found.account:
        own += " OR " + _matches(rf'"(a|account)"\s*:\s*{re.escape(json.dumps(found.account, ensure_ascii=False))}')
    return f"{by_key} OR (({own}) AND ({' OR '.join(map(_matches, patterns))}))"


def _matches(pattern: str) -> str:
    return f"match(original, {literal(pattern)})"


def _empty(value: object) -> str:
    return "0" if value == 0 else "''"


def _pieces(messages: Sequence[tuple[int, int]]) -> list[tuple[tuple[int, int], ...]]:
    return [tuple(messages[at : at + MESSAGES_AT_ONCE]) for at in range(0, len(messages), MESSAGES_AT_ONCE)]
