"""The hits of a message, as stored -> what other rules make of them. Pure.

Judged by the steps' own functions, over all stored hits of the message: what the worker had to leave because a hit was
older than half an hour is put right here. A rule whose inputs are not stored keeps its say: what it said of a hit
stays a reason, where the new rules still have that rule.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import NamedTuple

from sendtrail.events import FLAG_HONEYPOT, HITS, VERSION, Class, Event
from streams.judge import DELIVERED, FOLLOWS, repeats, verdicts
from streams.reclassify.stored import Stored
from streams.rules import NetworkRule, Rules
from streams.rules.networks import is_cut, pack
from streams.state.hits import Evidence, Hit
from streams.state.keys import places
from streams.steps.classify import CONFIRMED, verdict
from streams.steps.judge_message import JUDGED
from streams.watch_addresses import REASON as MANY_MESSAGES

#: Hits judged together at most; a message with more is judged in parts, in the order of the log.
GROUP_MOST = 1_000

#: What could not be judged by all rules, and how it was judged then.
REQUEST = "request not stored (consent withdrawn, or the recipient erased): left as they are"
NETWORKS = "rules [[network]]: address not stored whole (loader.addresses), judged by the network's name as stored"
ADDRESS = "rule [address]: needs addresses over many messages, what it said (many_messages) stays"
CLIENT = "client not stored (loaded by an early release): told apart by user agent and address as kept"
PARTS = f"messages of more than {GROUP_MOST:,} hits: judged in parts"


class Ruling(NamedTuple):
    """A hit and what is made of it. `young`: too young to be touched; `left`: its request is not stored."""

    hit: Stored
    class_: Class
    reasons: tuple[str, ...]
    repeat: bool
    young: bool = False
    left: bool = False

    def differs(self, with_reasons: bool) -> bool:
        """True if it has to be re-labelled. `with_reasons`: also where only the reasons are others."""
        hit = self.hit
        if self.young or self.left:
            return False
        return (hit.class_, hit.repeat) != (self.class_, self.repeat) or (with_reasons and hit.reasons != self.reasons)


class Judge:
    """Judges message by message. `before_ms`: hits with a log time from there on stay as they are.

    `missing`: what could not be judged by all rules -> hits (of PARTS: messages).
    """

    def __init__(self, rules: Rules, open_repeat_ms: int, before_ms: int) -> None:
        self._rules, self._repeat_ms, self._before_ms = rules, open_repeat_ms, before_ms
        self.missing: Counter[str] = Counter()

    def judge(self, message: Sequence[Stored]) -> Iterator[Ruling]:
        """`message`: its hits, and its deliveries, in the order of the log."""
        if len(message) > GROUP_MOST:
            self.missing[PARTS] += 1
        for start in range(0, len(message), GROUP_MOST):
            yield from self._together(message[start : start + GROUP_MOST])

    def _together(self, stored: Sequence[Stored]) -> Iterator[Ruling]:
        own = [self._alone(hit) for hit in stored]
        grouped = [number for number, hit in enumerate(stored) if self._is_grouped(hit)]
        place = places(0, len(stored) + 1)
        hits = [self._hit(own[number], place[number]) for number in grouped]
        judged = [
            (stays.class_, stays.reasons) if (stays := own[number]).young or stays.left else new
            for number, new in zip(grouped, verdicts(hits, self._rules, place[-1]), strict=True)
        ]
        known = [own[n].hit.repeat if own[n].young or own[n].left else None for n in grouped]
        marks = repeats(hits, [class_ for class_, _ in judged], known, self._repeat_ms)
        for number, (class_, reasons), repeat in zip(grouped, judged, marks, strict=True):
            own[number] = own[number]._replace(class_=class_, reasons=reasons, repeat=repeat)
        return (ruling for ruling in own if ruling.hit.kind in HITS)

    def _is_grouped(self, hit: Stored) -> bool:
        if hit.kind == DELIVERED:
            return self._rules.group.before_delivery
        return hit.kind in JUDGED and not hit.flood

    def _alone(self, hit: Stored) -> Ruling:
        """By its request alone, or as it stands where that is not to be touched."""
        if hit.kind not in HITS:
            return Ruling(hit, "unknown", (), False)
        stands = Ruling(hit, hit.class_, hit.reasons, hit.repeat)
        if hit.log_ms >= self._before_ms:
            return stands._replace(young=True)
        if not _request_is_stored(hit):
            self.missing[REQUEST] += 1
            return stands._replace(left=True)
        event = Event(
            version=VERSION, event_id=hit.event_id, kind=hit.kind, event_time_ms=hit.time_ms, how=hit.how,
            flags=hit.flags, user_agent=hit.user_agent, address=hit.address, hints=hit.hints,
            provider_hints=hit.provider_hints,
        )  # fmt: skip
        class_, reasons = verdict(event, self._rules, self._network(hit))
        return Ruling(hit, class_, reasons, False)

    def _network(self, hit: Stored) -> NetworkRule | None:
        networks = self._rules.networks
        if not networks.judging:
            return None
        if pack(hit.address) is not None:
            if not is_cut(hit.address):
                return networks.of(hit.address)
            block = networks.of_block(hit.address)
            if block.whole:
                return block.rule
        if hit.address or hit.network:
            self.missing[NETWORKS] += 1
        return networks.by_name.get(hit.network)

    def _hit(self, alone: Ruling, place: bytes) -> Hit:
        """As the steps keep it. What must stay is fixed, and stands among the others as it is stored."""
        hit = alone.hit
        if hit.kind == DELIVERED:
            return Hit(place, b"", DELIVERED, hit.time_ms, hit.log_ms, "unknown", (), fixed=True)
        evidence: tuple[Evidence, ...] = ()
        if self._rules.address is not None and hit.kind in FOLLOWS and not (alone.young or alone.left):
            self.missing[ADDRESS] += 1
        if MANY_MESSAGES in hit.reasons and self._rules.address is not None:
            evidence = (Evidence(place, MANY_MESSAGES),)
        return Hit(
            place, b"", hit.kind, hit.time_ms, hit.log_ms, alone.class_, alone.reasons, self._client(hit), hit.url_id,
            bool(hit.flags & FLAG_HONEYPOT), fixed=alone.young or alone.left or "confirmed" in alone.reasons,
            evidence=evidence,
        )  # fmt: skip

    def _client(self, hit: Stored) -> bytes:
        if hit.client_id:
            return hit.client_id.to_bytes(8, "big")
        self.missing[CLIENT] += 1
        return blake2b(f"{hit.user_agent}\0{hit.address}\0{hit.visitor}".encode(), digest_size=8).digest()


def _request_is_stored(hit: Stored) -> bool:
    """An empty user agent that nobody called one was taken away later: consent is looked at behind the judgement."""
    if hit.user_agent or (hit.kind == "optout" and hit.how in CONFIRMED):
        return True
    return "no_agent" in hit.reasons or "no_agent" in hit.past_reasons
