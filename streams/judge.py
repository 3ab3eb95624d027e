"""What hits of one message say about each other: bursts, honeypots, clicks before delivery. Pure.

METRICS and the rules' own file say what each means; all of them compare event times, since log time depends on spools.
"""

from collections.abc import Iterator, Sequence

from sendtrail.events import Class
from streams.rules import BurstRule, Rules
from streams.state.hits import Hit

Verdict = tuple[Class, tuple[str, ...]]

DELIVERED = "delivered"
#: Hits that follow a link.
_FOLLOWS = frozenset(("click", "optout", "mirror"))


def verdicts(hits: Sequence[Hit], rules: Rules, place: bytes) -> list[Verdict]:
    """Class and reasons of every hit, given all of them and the evidence from other messages up to a place."""
    marks = [[one.reason for one in hit.evidence if one.place <= place] for hit in hits]
    for reason, numbers in _fired(hits, rules):
        for number in numbers:
            if reason not in marks[number] and reason not in hits[number].reasons:
                marks[number].append(reason)
    found = [_verdict(hit, tuple(reasons)) for hit, reasons in zip(hits, marks, strict=True)]
    return _lifted(hits, found, rules)


def repeats(hits: Sequence[Hit], classes: Sequence[Class], known: Sequence[bool | None], repeat_ms: int) -> list[bool]:
    """Which opens are repeats, in the order of the log. `known`: marks that stay as they are, None = to be judged."""
    counted: dict[tuple[bytes, Class], int] = {}
    marks = []
    for hit, class_, stays in zip(hits, classes, known, strict=True):
        if hit.kind != "open" or not repeat_ms:
            marks.append(False)
            continue
        last = counted.get((hit.client, class_))
        repeat = stays if stays is not None else last is not None and abs(last - hit.time_ms) <= repeat_ms
        if not repeat:
            counted[hit.client, class_] = hit.time_ms
        marks.append(repeat)
    return marks


def _verdict(hit: Hit, reasons: tuple[str, ...]) -> Verdict:
    if hit.fixed or not reasons:
        return hit.class_, hit.reasons
    return "machine", reasons + hit.reasons


def _fired(hits: Sequence[Hit], rules: Rules) -> Iterator[tuple[str, Sequence[int]]]:
    """Reasons, and the numbers of the hits each is a reason for."""
    traps = [hit.time_ms for hit in hits if hit.honeypot]
    if traps:
        near = rules.group.honeypot_ms
        yield "honeypot", [n for n, hit in enumerate(hits) if any(abs(hit.time_ms - at) <= near for at in traps)]
    for rule in rules.group.burst:
        yield "burst", sorted(_burst(hits, rule))
    arrived = min((hit.time_ms for hit in hits if hit.kind == DELIVERED), default=None)
    if arrived is not None:
        early = arrived - rules.group.before_delivery_ms
        yield "before_delivery", [n for n, hit in enumerate(hits) if hit.kind in _FOLLOWS and hit.time_ms < early]


def _burst(hits: Sequence[Hit], rule: BurstRule) -> set[int]:
    """Clicks on so many links within so short a time, whoever made them; and what their clients opened meanwhile."""
    clicks = sorted((hit.time_ms, number) for number, hit in enumerate(hits) if hit.kind in _FOLLOWS and hit.link)
    found: set[int] = set()
    for at, (begin, _) in enumerate(clicks):
        window = [number for time_ms, number in clicks[at:] if time_ms - begin <= rule.within_ms]
        if len({hits[number].link for number in window}) < rule.links:
            continue
        found.update(window)
        clients = {hits[number].client for number in window}
        end = begin + rule.within_ms
        found.update(number for number, hit in enumerate(hits) if hit.client in clients and begin <= hit.time_ms <= end)
    return found


def _lifted(hits: Sequence[Hit], found: list[Verdict], rules: Rules) -> list[Verdict]:
    """An open of unknown class is a person's once a person has clicked after it."""
    clicks = [
        hit.place for hit, (class_, _) in zip(hits, found, strict=True) if hit.kind == "click" and class_ == "human"
    ]
    if not clicks or not rules.group.lift:
        return found
    last = max(clicks)
    return [
        ("human", ("clicked_later", *reasons))
        if hit.kind == "open" and class_ == "unknown" and hit.place < last
        else (class_, reasons)
        for hit, (class_, reasons) in zip(hits, found, strict=True)
    ]
