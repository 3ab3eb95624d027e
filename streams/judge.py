"""What hits of one message say about each other: bursts, honeypots, clicks before delivery. Pure.

METRICS and the rules' own file say what each means; all of them compare event times, since log time depends on spools.
"""

from collections.abc import Iterator, Sequence
from functools import cache

from sendtrail.events import Class
from streams.rules import BurstRule, Rules
from streams.state.hits import Hit

Verdict = tuple[Class, tuple[str, ...]]

DELIVERED = "delivered"
#: Hits that follow a link.
FOLLOWS = frozenset(("click", "optout", "mirror"))


def verdicts(hits: Sequence[Hit], rules: Rules, place: bytes) -> list[Verdict]:
    """Class and reasons of every hit, given all of them and the evidence from other messages up to a place."""
    marks = [[one.reason for one in hit.evidence if one.place <= place] for hit in hits]
    for reason, numbers in _fired(hits, rules):
        for number in numbers:
            if reason not in marks[number] and reason not in hits[number].reasons:
                marks[number].append(reason)
    found = [_verdict(hit, tuple(reasons)) for hit, reasons in zip(hits, marks, strict=True)]
    return _lifted(hits, found, rules)


def say_nothing(hits: Sequence[Hit], rules: Rules) -> bool:
    """True where no hit shows anything of another, and nothing was shown before: each is what its request says.

    A look that spares most messages the whole of `verdicts`. False is no promise.
    """
    links: set[int] = set()
    unknown = clicked = False
    arrived = followed = None
    for hit in hits:
        kind, time_ms = hit.kind, hit.time_ms
        if hit.judgements or hit.evidence or hit.honeypot:
            return False
        if kind == DELIVERED:
            arrived = time_ms if arrived is None or time_ms < arrived else arrived
        elif kind == "open":
            unknown = unknown or hit.class_ == "unknown"
        else:
            links.add(hit.link)
            clicked = clicked or hit.class_ == "human"
            followed = time_ms if followed is None or time_ms < followed else followed
    if len(links) >= _fewest_links(rules) or (unknown and clicked):
        return False
    return arrived is None or followed is None or followed >= arrived - rules.group.before_delivery_ms


@cache
def _fewest_links(rules: Rules) -> int:
    """Of a burst."""
    return min((rule.links for rule in rules.group.burst), default=1 << 30)


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
    clicks = sorted((hit.time_ms, number) for number, hit in enumerate(hits) if hit.kind in FOLLOWS and hit.link)
    if len(clicks) >= _fewest_links(rules):
        for rule in rules.group.burst:
            yield "burst", sorted(_burst(hits, clicks, rule))
    arrived = min((hit.time_ms for hit in hits if hit.kind == DELIVERED), default=None)
    if arrived is not None:
        early = arrived - rules.group.before_delivery_ms
        yield "before_delivery", [n for n, hit in enumerate(hits) if hit.kind in FOLLOWS and hit.time_ms < early]


def _burst(hits: Sequence[Hit], clicks: Sequence[tuple[int, int]], rule: BurstRule) -> set[int]:
    """Clicks on so many links within so short a time, whoever made them; and what their clients opened meanwhile.

    `clicks`: time and number of those on a link, in order.
    """
    found: set[int] = set()
    end = 0
    for at, (begin, _) in enumerate(clicks):
        until = begin + rule.within_ms
        while end < len(clicks) and clicks[end][0] <= until:
            end += 1
        if end - at < rule.links:
            continue
        window = [number for _, number in clicks[at:end]]
        if len({hits[number].link for number in window}) < rule.links:
            continue
        found.update(window)
        clients = {hits[number].client for number in window}
        found.update(
            number
            for number, hit in enumerate(hits)
            if number not in found and begin <= hit.time_ms <= until and hit.client in clients
        )
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
