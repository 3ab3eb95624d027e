"""One address that follows links of very many messages at once -> a machine, and so are its clicks just before.

A scanner may follow one link of each message only, so that no message shows a burst; what it does to many shows it.
Only what lies in this partition is seen, so the rule's number is shared out over the partitions.
"""

from collections.abc import Sequence

import msgspec

from streams.items import Item, Known
from streams.judge import FOLLOWS
from streams.judge_again import Message, judge
from streams.state.hits import Evidence, Hit, hits_value, read_hits
from streams.state.keys import DAY_MS, HOUR_MS, address_key, hits_key, hour_before

REASON = "many_messages"
_KEPT = 64  # clicks of an address and hour, at least


class Click(msgspec.Struct, array_like=True, gc=False):
    """A link followed from this address. `seen`: the place from which on it was taken for a machine's; empty = not."""

    place: bytes
    time_ms: int
    log_ms: int
    delivery: int
    message: int
    seen: bytes = b""


_decoder = msgspec.msgpack.Decoder(list[Click])
_encoder = msgspec.msgpack.Encoder()


def clicks_key(item: Item, known: Known) -> bytes | None:
    """What `watch_addresses` reads: the clicks from the address in the hour of log time."""
    event, found = item.event, item.found
    if known.rules.address is None or event.kind not in FOLLOWS or not event.address:
        return None
    network = known.rules.networks.of(event.address) if found.network else None
    if network is not None and network.shared:
        return None  # nobody's own address: a proxy that nobody trusts, for one
    if "confirmed" in found.class_reasons or "flood" in found.marks:
        return None
    return address_key(item.origin.time_ms // HOUR_MS, event.address)


def watch_addresses(item: Item, known: Known) -> None:
    """Remember the click; where the address went too far, take this and its earlier ones for a machine's.

    To be asked before the item is judged with its own message, and item by item: what one shows of earlier ones counts
    for the next.
    """
    rule, event, key = known.rules.address, item.event, clicks_key(item, known)
    if rule is None or key is None:
        return
    mine = Click(item.place, event.event_time_ms, item.origin.time_ms, event.delivery, event.message)
    value, earlier_value = known.state.get(key), None
    if item.origin.time_ms % HOUR_MS < rule.within_ms:
        earlier_value = known.state.get(hour_before(key))
    if value is None and earlier_value is None:  # the first from its address, as most are
        known.state.put(key, _encoder.encode([mine]))
        return
    limit, this, earlier = rule.limit(known.partitions), _decoded(value), _decoded(earlier_value)
    before = [click for click in (*earlier, *this) if click.place < item.place]
    near = [click for click in before if abs(click.time_ms - mine.time_ms) <= rule.within_ms]
    if len({(click.delivery, click.message) for click in (*near, mine)}) >= limit:
        mine.seen = item.place
        newly = [click for click in near if not click.seen or click.seen >= item.place]
        for click in newly:
            click.seen = item.place
        _tell(newly, item, known)
        item.found.class_, item.found.class_reasons = "machine", (REASON, *item.found.class_reasons)
    if all(click.place != mine.place for click in this):
        this = sorted([*this, mine], key=lambda click: click.place)
    known.state.put(key, _encoder.encode(this[-max(_KEPT, 2 * limit) :]))
    if earlier and mine.seen:
        known.state.put(hour_before(key), _encoder.encode(earlier))


def _tell(clicks: Sequence[Click], item: Item, known: Known) -> None:
    """Evidence against earlier clicks. Their messages are judged at once, but for this item's own: that comes next."""
    messages: dict[tuple[int, int], dict[bytes, list[Hit]]] = {}
    for click in clicks:
        key = hits_key(click.log_ms // DAY_MS, click.delivery, click.message)
        days = messages.setdefault((click.delivery, click.message), {})
        if key not in days:
            days[key] = read_hits(known.state.get(key))
        for hit in days[key]:
            if hit.place == click.place and all(one.place != item.place for one in hit.evidence):
                hit.evidence = (*hit.evidence, Evidence(item.place, REASON))
                known.state.put(key, hits_value(days[key]))
    for (delivery, message), days in messages.items():
        if (delivery, message) != (item.event.delivery, item.event.message):
            judge(Message(delivery, message, dict(sorted(days.items()))), item, known, None)


def _decoded(value: bytes | None) -> list[Click]:
    return [] if value is None else _decoder.decode(value)
