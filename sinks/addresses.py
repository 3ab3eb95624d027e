"""What becomes of clients' addresses before ClickHouse: setting loader.addresses. In Kafka they stay whole.

What is made of the whole address stays: its network and country are columns of their own by then, and here the client
(METRICS, Vocabulary) gets an id before the address is cut, so that rules can judge a stored hit again. With a guess at
the address anybody could find it in a plain hash, so hashes are keyed with the naming key. For the same reason the
person of a visit that belongs to no message and no visitor, made of agent and address in streams, is hashed once more.
"""

from array import array
from collections.abc import Callable, MutableMapping, Sequence
from functools import lru_cache
from hashlib import blake2b, blake2s
from operator import add
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton
from typing import Any, Literal

from sendtrail.events import HITS
from sinks.transpose import CLIENT_ID

Policy = Literal["truncated", "full", "hashed", "dropped"]
Columns = MutableMapping[str, list[Any]]
#: Changes columns of EventRow fields in place, and adds CLIENT_ID.
Keep = Callable[[Columns], None]

_CACHED = 65_536
_ON_A_SITE = frozenset(("web", "transaction"))
_IPV6_KEPT = 6  # bytes: /48
_HASH_BYTES = 8


def keeping(policy: Policy, naming_key: bytes) -> Keep:
    """What the setting asks for. `naming_key`: of the key file; may be empty where addresses are kept in full."""
    keyed = blake2s(key=naming_key, person=b"client", digest_size=_HASH_BYTES)  # begun once, copied for each row
    kept_as = kept(policy, naming_key)

    def keep(fields: Columns) -> None:
        fields[CLIENT_ID] = _client_ids(fields, keyed)
        if kept_as is None:
            return
        if any(fields["address"]):
            fields["address"] = list(map(kept_as, fields["address"]))
        if not _ON_A_SITE.isdisjoint(fields["kind"]):
            _hide_persons(fields, naming_key)

    return keep


def _client_ids(fields: Columns, keyed: blake2s) -> list[int]:
    """64 bits for every hit, 0 for what is none."""
    kinds = fields["kind"]
    if HITS.isdisjoint(kinds):
        return [0] * len(kinds)
    clients = list(map(add, map(_agent_hashes.__getitem__, fields["user_agent"]), _encoded(fields["address"])))
    if any(fields["visitor"]):
        for number, (visitor, is_new) in enumerate(zip(fields["visitor"], fields["visitor_is_new"], strict=True)):
            if visitor and not is_new:
                clients[number] = visitor.encode()
    digests, copy = [], keyed.copy
    for client in clients:
        state = copy()
        state.update(client)
        digests.append(state.digest())
    words = array("Q", b"".join(digests))
    words.byteswap()
    if HITS.issuperset(kinds):
        return words.tolist()
    return [word if kind in HITS else 0 for kind, word in zip(kinds, words, strict=True)]


class _AgentHashes(dict[str, bytes]):
    """A hash of every user agent seen lately."""

    def __missing__(self, agent: str) -> bytes:
        if len(self) >= _CACHED:
            self.clear()
        made = self[agent] = blake2s(agent.encode(), digest_size=_HASH_BYTES).digest()
        return made


_agent_hashes = _AgentHashes()


def _encoded(texts: Sequence[str]) -> Sequence[bytes]:
    """Each text in UTF-8: all at once, unless one holds what they are told apart by."""
    together = "\n".join(texts).encode().split(b"\n")
    return together if len(together) == len(texts) else [text.encode() for text in texts]


def kept(policy: Policy, naming_key: bytes) -> Callable[[str], str] | None:
    """What an address becomes; None: it stays."""

    @lru_cache(_CACHED)
    def hashed(address: str) -> str:
        digest = blake2b(address.encode(), key=naming_key, person=b"address", digest_size=_HASH_BYTES)
        return digest.hexdigest() if address else ""

    made: dict[Policy, Callable[[str], str] | None] = {
        "truncated": truncated, "full": None, "hashed": hashed, "dropped": _dropped,
    }  # fmt: skip
    return made[policy]


def truncated(address: str) -> str:
    """The /24 of an IPv4 address, the /48 of an IPv6 one, as its first address; empty for what is no address."""
    try:
        if ":" not in address:
            inet_pton(AF_INET, address)
            return address[: address.rindex(".")] + ".0"
        packed = inet_pton(AF_INET6, address)
    except (OSError, ValueError):
        return ""
    return inet_ntop(AF_INET6, packed[:_IPV6_KEPT].ljust(len(packed), b"\0"))


def _dropped(_: str) -> str:
    return ""


def _hide_persons(fields: Columns, naming_key: bytes) -> None:
    """Persons made of an address, by which nobody else is ever named, get names of the same kind."""
    persons = fields["person"]
    rows = zip(fields["kind"], fields["delivery"], fields["message"], fields["visitor"], strict=True)
    for number, (kind, delivery, message, visitor) in enumerate(rows):
        if kind in _ON_A_SITE and not delivery and not message and visitor is None and persons[number]:
            persons[number] = blake2b(
                persons[number].encode(), key=naming_key, person=b"client", digest_size=16
            ).hexdigest()


IN_FULL: Keep = keeping("full", b"")
