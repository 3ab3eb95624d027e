"""The list of erasures, applied to what arrives: links in mail that is out keep the key of a recipient who was erased.

A block is looked at right before it is inserted, so an erasure that begins while the loaders hold misses nothing. Only
what names a person is changed: which rows there are, and what counts, is as without it.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec
from clickhouse_driver import Client

from sendtrail.errors import BadName, SendtrailError
from sendtrail.naming import key
from sendtrail.removal.erasures import fingerprints, pseudonym_of
from sinks.blocks import Block, Blocks
from sinks.queries import query

#: Columns of `events` that are emptied. Class, client, network and country stay: reports count by them.
EMPTIED: Mapping[str, Any] = {
    "recipient_name": "", "message_name": "", "address": "", "user_agent": "", "destination": "", "diagnostic": "",
    "provider_event_id": "", "order_id": "", "client_id": 0, "attributes": {},
}  # fmt: skip
_RECIPIENT = re.compile(rb'"r"\s*:\s*([0-9]{1,20})\s*[,}]')


class ErasedError(SendtrailError):
    """There are erasures to apply, and no key file to know recipients by."""


class _Names(msgspec.Struct):
    """What in a reject's bytes may name a recipient: an event's fields, or an item's of the API."""

    a: str = ""
    account: str = ""
    rn: str | int | None = None
    recipient: str | int | None = None


class Erased:
    """The list as last read. `naming_key`: b"" where there is no key file."""

    def __init__(self, naming_key: bytes) -> None:
        self._naming_key = naming_key
        self._fingerprint = fingerprints(naming_key)
        self._prints: frozenset[int] = frozenset()
        self._pseudonyms: frozenset[int] = frozenset()

    def refresh(self, client: Client) -> None:
        """Read the list. Raises ErasedError, and lets the driver's errors through."""
        rows = client.execute(query("erased"))
        if rows and not self._naming_key:
            raise ErasedError("recipients were erased: to know them among what arrives takes the key file (keys.file)")
        self._pseudonyms = frozenset(pseudonym for pseudonym, _ in rows)
        self._prints = frozenset(fingerprint for _, fingerprint in rows)

    def pseudonym(self, recipient: int | None) -> int | None:
        """What stands for a recipient who was erased; None for everybody else."""
        if recipient is None or self._fingerprint(recipient) not in self._prints:
            return None
        found = pseudonym_of(self._naming_key, recipient)
        return found if found in self._pseudonyms else None

    def blocks(self, blocks: Blocks) -> Blocks:
        """The inserts of a plan as they are to be."""
        return blocks._replace(events=self.of(blocks.events), rejects=self.of(blocks.rejects))

    def of(self, block: Block) -> Block:
        """A block as it is to be inserted."""
        if not self._prints or not block.rows:
            return block
        if block.table == "events":
            return self._events(block)
        return self._rejects(block) if block.table == "rejects" else block

    def _events(self, block: Block) -> Block:
        if "recipient_key" not in block.columns:
            return block
        keys = block.data[block.columns.index("recipient_key")]
        there, fingerprint = self._prints, self._fingerprint
        near = [number for number, one in enumerate(keys) if one is not None and fingerprint(one) in there]
        found = {number: made for number in near if (made := self.pseudonym(keys[number])) is not None}
        if not found:
            return block
        return block._replace(data=[_replaced(name, values, found) for name, values in _columns(block)])

    def _rejects(self, block: Block) -> Block:
        if "original" not in block.columns:
            return block
        originals = block.data[block.columns.index("original")]
        found = {number: 0 for number, original in enumerate(originals) if self.names(original)}
        if not found:
            return block
        emptied = {"original": b"", "detail": ""}
        data = [
            [emptied[name] if number in found else value for number, value in enumerate(values)]
            if name in emptied else values
            for name, values in _columns(block)
        ]  # fmt: skip
        return block._replace(data=data)

    def names(self, original: bytes | str) -> bool:
        """Whether bytes that could not be an event tell of a recipient who was erased."""
        raw = original.encode("utf-8", "surrogateescape") if isinstance(original, str) else original
        if any(self.pseudonym(int(number)) is not None for number in _RECIPIENT.findall(raw) if int(number) >> 64 == 0):
            return True
        try:
            told = msgspec.json.decode(raw, type=_Names)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return False
        account = told.a or told.account
        for name in (told.rn, told.recipient):
            if name is not None:
                try:
                    if self.pseudonym(key(self._naming_key, account, "recipient", name)) is not None:
                        return True
                except BadName:
                    continue
        return False


#: For tests and tools: nobody was erased.
NOBODY_ERASED = Erased(b"")


def origin_of(referrer: str) -> str:
    """A referrer without what is behind its host: reports tell sources by the host."""
    if not referrer:
        return ""
    try:
        host = urlsplit(referrer).hostname
    except ValueError:
        host = None
    return f"https://{host}/" if host else "-"


def _columns(block: Block) -> Sequence[tuple[str, list[Any]]]:
    return list(zip(block.columns, block.data, strict=True))


def _replaced(name: str, values: list[Any], found: Mapping[int, int]) -> list[Any]:
    """A column with the rows of erased recipients changed; others' lists stay whose they are."""
    if name not in {"recipient_key", "referrer", *EMPTIED}:
        return values
    made = list(values)
    for number, pseudonym in found.items():
        if name == "recipient_key":
            made[number] = pseudonym
        elif name == "referrer":
            made[number] = origin_of(made[number])
        else:
            made[number] = EMPTIED[name]
    return made
