"""Recipients that are erased: a pseudonym takes the place of their key, and what names them goes.

The list of erasures is keyed: it holds pseudonyms, which are hashes under the naming key, and 16 bits of another hash.
With the naming key it is told of any recipient whether it is on the list; from the list no recipient is to be had.
"""

from collections.abc import Callable
from datetime import datetime
from hashlib import blake2b
from typing import NamedTuple
from uuid import UUID, uuid4

from clickhouse_driver import Client

from sendtrail.naming import HASHED
from sendtrail.removal.queries import run

#: How `asked_by` begins where a command asks, which carries it out itself.
BY_COMMAND = "command, "
_WORD = (1 << 64) - 1
_PRINT_BITS = 16


class Erasure(NamedTuple):
    """One request. `recipient` is 0 and `name` empty once it is `done`, `pseudonym` 0 until it `began`. Times: UTC."""

    erasure_id: UUID
    recipient: int
    account: str
    name: str
    pseudonym: int
    fingerprint: int
    asked: datetime
    began: datetime | None
    done: datetime | None
    asked_by: str
    detail: str


def pseudonym_of(naming_key: bytes, recipient: int) -> int:
    """What stands in a recipient's place: looks like the key of a name that nobody knows."""
    digest = blake2b(recipient.to_bytes(8, "big"), key=naming_key, person=b"erased").digest()
    return HASHED + (int.from_bytes(digest[:8], "big") >> 1)


def fingerprints(naming_key: bytes) -> Callable[[int], int]:
    """A recipient's 16 bits: a hash so cheap that loaders can make it of every row."""
    digest = blake2b(b"fingerprint", key=naming_key, person=b"erased").digest()
    factor, shift = int.from_bytes(digest[:8], "big") | 1, int.from_bytes(digest[8:16], "big")
    down = 64 - _PRINT_BITS

    def fingerprint(recipient: int) -> int:
        return ((recipient * factor + shift) & _WORD) >> down

    return fingerprint


def erasures(client: Client) -> list[Erasure]:
    """Everything that was asked for, the latest first. Lets the driver's errors through."""
    return [Erasure(*row) for row in run(client, "erasures")]


def ask(client: Client, recipient: int, account: str, name: str, asked_by: str) -> Erasure:
    """Ask that a recipient be erased; the loader does it within seconds. Twice while one waits is as once.

    Lets the driver's errors through.
    """
    run(client, "erase_recipient", {
        "erasure_id": str(uuid4()), "recipient": recipient, "account": account, "name": name, "asked_by": asked_by,
    })  # fmt: skip
    return next(one for one in erasures(client) if one.recipient == recipient and one.done is None)
