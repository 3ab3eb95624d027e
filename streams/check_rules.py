"""Does every rule do what its examples say? Each example goes through the real steps, as a log of its own."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from sendtrail.enriched import EventRow, RelabelRow, decode_rows
from sendtrail.errors import Invalid, SettingsError
from sendtrail.events import FLAG_HONEYPOT, HITS, VERSION, Event, encode
from sendtrail.packs import PackHeader, headers_of
from streams.app import STEPS
from streams.consents import ConsentBook
from streams.deliveries import DeliveryBook
from streams.items import Covering, Known, SourceRecord
from streams.pipeline import Timing, enrich
from streams.rules import Rules, Tested, load_rules
from streams.rules.tables import Example, ExampleEvent
from streams.state.keys import DAY_MS
from streams.state.overlay import Overlay

_NOON_MS = 1_790_035_200_000  # of some day, so that no example crosses midnight unawares
_SPOOL = "00" * 16
_OPEN_REPEAT_MS = 60_000


def load_checked(folder: Path | None) -> Rules:
    """The rules of `load_rules`; those of a folder only if all their examples hold. Raises SettingsError."""
    rules = load_rules(folder)
    failed = failures(rules) if folder is not None else []
    if failed:
        more = f" ({len(failed)} examples in all)" if len(failed) > 1 else ""
        raise SettingsError(f"rules file {failed[0]}{more}; `sendtrail rules check` says more")
    return rules


def failures(rules: Rules) -> list[str]:
    """What does not hold, one text each."""
    return [text for tested in rules.tested for text in _failures(tested, rules)]


def _failures(tested: Tested, rules: Rules) -> Iterator[str]:
    what = f"network {tested.network!r}" if tested.network else f"reason {tested.reason}"
    for name in ("fires", "spares"):
        for number, example in enumerate(getattr(tested.examples, name)):
            where = f"{tested.where}.{name}[{number}]"
            events = events_of(example)
            if not any(event.kind in HITS and (wanted or name == "spares") for event, wanted in events):
                yield f"{where}: none of its events is a hit that the rule could fire on"
                continue
            outcome = judged(example, rules)
            for event, wanted in events:
                if event.kind not in HITS:
                    continue
                class_, reasons, network = outcome[event.event_id]
                fired = network == tested.network if tested.network else tested.reason in reasons
                if fired != (wanted and name == "fires"):
                    found = f"class {class_}, reasons {', '.join(reasons) or 'none'}, network {network or 'none'}"
                    verb = "not found" if not fired else "found, and should not be"
                    yield f"{where}: {what} {verb} on event {event.index} ({event.kind}): {found}"
                    break


def judged(example: Example, rules: Rules) -> dict[str, tuple[str, Sequence[str], str]]:
    """Class, reasons and network of each event of an example in the end, by event id."""
    state: dict[bytes, bytes] = {}
    overlay = Overlay(lambda keys: [state.get(key) for key in keys])
    known = Known(
        "", 0, 1, DAY_MS, _OPEN_REPEAT_MS, False, rules, DeliveryBook(), ConsentBook(1), overlay,
    )  # fmt: skip
    found: dict[str, tuple[str, Sequence[str], str]] = {}
    for enriched in enrich(list(_log(example)), known, STEPS, Timing()):
        rows = decode_rows(enriched.value)
        for row in [] if isinstance(rows, Invalid) else rows:
            if isinstance(row, EventRow):
                found[row.event_id] = row.class_, row.class_reasons, row.network
            elif isinstance(row, RelabelRow) and row.target_id in found and row.new_class:
                found[row.target_id] = row.new_class, row.reasons, found[row.target_id][2]
    return found


def events_of(example: Example) -> list[tuple[Event, bool]]:
    """The events of an example, and which of them its rule is to fire on."""
    made: list[tuple[Event, bool]] = []
    for one in [example] if isinstance(example, ExampleEvent) else example:
        for copy in range(one.times):
            made.append((_event(one, copy, len(made)), one.kind in HITS and not one.apart))
    return made


def _event(one: ExampleEvent, copy: int, number: int) -> Event:
    at = _NOON_MS + one.at + copy * one.every_ms
    link = one.link + (copy if one.each == "link" else 0)
    return Event(
        version=VERSION, event_id=f"{at:012x}{number:020x}", kind=one.kind, event_time_ms=at, index=number,
        source="edge", delivery=1, message=one.message + (copy if one.each == "message" else 0),
        url_id=link + 1 if one.kind in ("click", "optout", "mirror") else None, how=one.how,
        flags=FLAG_HONEYPOT if one.honeypot else 0, user_agent=one.user_agent, address=one.address,
        hints=list(one.hints), provider_hints=list(one.provider_hints), site="example" if one.kind == "web" else "",
    )  # fmt: skip


def _log(example: Example) -> Iterator[Covering]:
    """One record of each event, in the order they are written; log time follows event time."""
    latest = 0
    for offset, (event, _) in enumerate(events_of(example)):
        latest = max(latest, event.event_time_ms)
        header = PackHeader(_SPOOL, 0, event.index, event.index, 1)
        yield Covering(SourceRecord(offset, latest, encode(event), headers_of(header)), offset)
