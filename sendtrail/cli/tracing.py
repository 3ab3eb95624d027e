"""Finds an event, or every event of a message, in spools, topics and tables."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from clickhouse_driver import Client
from kafka import TopicPartition

from sendtrail import packs
from sendtrail.errors import Invalid, SendtrailError
from sendtrail.events import Event, decode
from sendtrail.gateways import resolve
from sendtrail.ids import id_time_ms, is_event_id
from sendtrail.kafka_admin import physical_name
from sendtrail.kafka_read import read_to_end
from sendtrail.keyring import Keyring
from sendtrail.links import ReadLink, read_token
from sendtrail.naming import key
from sendtrail.settings import KafkaSettings
from sendtrail.spool_files import read_segments
from sendtrail.topics import EVENTS

_EARLIER_MS = 5 * 60_000  # clocks of edges may be ahead of the broker's by this much

_ROWS = """
SELECT lower(hex(event_id)), toString(kind), toUnixTimestamp64Milli(event_time), delivery_id, message_id, rev, sign,
       toString(class), reasons, ruleset, run, repeat, hit, history, src_partition, src_offset, src_index
FROM events FINAL
WHERE {condition}
ORDER BY event_time, event_id, rev
LIMIT 1000
"""
_REJECTS = """
SELECT reject_key, reason, detail, src_partition, src_offset, src_index, toUnixTimestamp64Milli(record_time)
FROM rejects
WHERE reject_key = {event:String} OR position(original, {event:String}) > 0
LIMIT 100
"""


@dataclass(frozen=True)
class Wanted:
    """What is looked for: one event, or all events of a message (of a delivery, where it is known)."""

    event_id: str | None = None
    message: int | None = None
    delivery: int | None = None

    def matches(self, event: Event) -> bool:
        """True for the event, or an event of the message."""
        if self.event_id is not None:
            return self.event_id in (event.event_id, event.target_id)
        return event.message == self.message and self.delivery in (None, event.delivery)

    def starts(self, consumer: Any, partitions: list[TopicPartition]) -> Mapping[TopicPartition, int]:
        """Where to begin in tracking.events: shortly before an event's time, else at the beginning."""
        if self.event_id is None or not id_time_ms(self.event_id):
            return {}
        since_ms = id_time_ms(self.event_id) - _EARLIER_MS
        found = consumer.offsets_for_times(dict.fromkeys(partitions, since_ms))
        ends = consumer.end_offsets(partitions)
        return {each: found[each].offset if found[each] else ends[each] for each in partitions}


class Finding(NamedTuple):
    """One place where it is: `where` names the place, `what` what stands there."""

    event_id: str
    when: str
    where: str
    what: str


def understand(text: str, keys: Keyring) -> Wanted:
    """What a person typed: an event id, a link or token, or a message as NAME or DELIVERY/NAME.

    Raises SendtrailError for a link that does not prove.
    """
    if is_event_id(text):
        return Wanted(event_id=text)
    if "://" in text or text.startswith("/"):
        target = "/" + text.split("/", 3)[3] if "://" in text and text.count("/") > 2 else text
        return _of_link(resolve(keys, target))
    found = read_token(keys, text)
    if isinstance(found, ReadLink):
        return _of_link(found)
    delivery, _, message = text.rpartition("/")
    wanted = key(keys.naming_key, "", "message", message)
    return Wanted(message=wanted, delivery=key(keys.naming_key, "", "delivery", delivery) if delivery else None)


def _of_link(found: ReadLink | Invalid) -> Wanted:
    if isinstance(found, Invalid):
        raise SendtrailError(f"this link was not made with the keys here, or is damaged: {found.reason}")
    return Wanted(message=found.link.message, delivery=found.link.delivery)


def in_spools(directories: Sequence[Path], wanted: Wanted) -> Iterator[Finding]:
    """Events still in segments on this machine."""
    for directory in directories:
        for path, _, payloads in read_segments(directory):
            for event in map(decode, payloads):
                if isinstance(event, Event) and wanted.matches(event):
                    yield Finding(event.event_id, _at(event.event_time_ms), f"spool {path}", _describe(event))


def in_topic(kafka: KafkaSettings, wanted: Wanted) -> Iterator[Finding]:
    """Copies in tracking.events: all of them, so that a duplicate shows. Reads from shortly before the event's time."""
    seen: set[str] = set()
    for record in read_to_end(kafka.bootstrap, physical_name(kafka, EVENTS), wanted.starts):
        header = packs.read_headers(record.headers)
        for index, line in enumerate(packs.split(record.value or b"")):
            event = decode(line)
            if isinstance(event, Event) and wanted.matches(event):
                again = "a further copy, " if event.event_id in seen else ""
                seen.add(event.event_id)
                yield _in_record(event, record, index, header, again)


def _in_record(event: Event, record: Any, index: int, header: packs.PackHeader | Invalid, again: str) -> Finding:
    pack = f"spool {header.spool} segment {header.segment}" if isinstance(header, packs.PackHeader) else "no pack"
    where = f"tracking.events[{record.partition}] offset {record.offset} line {index}"
    return Finding(event.event_id, _at(record.timestamp), where, f"{again}{_describe(event)}, from {pack}")


def in_tables(client: Client, wanted: Wanted) -> Iterator[Finding]:
    """Rows of events with the history of their class, and rejects."""
    conditions: dict[str, Any] = {}
    if wanted.event_id is not None:
        conditions["event_id = unhex({event:String})"] = {"event": wanted.event_id}
    else:
        conditions["message_id = {message:UInt64}"] = {"message": wanted.message}
    if wanted.delivery is not None:
        conditions["delivery_id = {delivery:UInt64}"] = {"delivery": wanted.delivery}
    parameters = {name: value for given in conditions.values() for name, value in given.items()}
    for row in client.execute(_ROWS.replace("{condition}", " AND ".join(conditions)), parameters):
        yield from _row(row)
    if wanted.event_id is not None:
        for key_, reason, detail, partition, offset, index, at in client.execute(_REJECTS, {"event": wanted.event_id}):
            where = f"rejects (source [{partition}] offset {offset} line {index})"
            yield Finding(key_, _at(at), where, f"{reason}: {detail}")


def _row(row: Sequence[Any]) -> Iterator[Finding]:
    (event_id, kind, time_ms, delivery, message, rev, _, class_, reasons, ruleset, run, repeat, hit, history,
     partition, offset, index) = row  # fmt: skip
    for number, (_, past_offset, _, past, _, past_repeat, past_reasons, past_rules, past_run) in enumerate(history):
        name = {1: "human", 2: "machine", 3: "unknown"}.get(past, str(past))
        why = f"{past_reasons or 'no reason'}; {_by(past_rules, past_run)}"
        what = f"was {name}{' repeat' if past_repeat else ''} ({why})"
        yield Finding(event_id, _at(time_ms), f"events rev {number}, source offset {past_offset}", what)
    marks = "".join(text for text, given in ((", repeat", repeat), (", not counted", not hit)) if given)
    why = f"{reasons or 'no reason'}; {_by(ruleset, run)}"
    judged = f": {class_} ({why}){marks}" if ruleset else ""  # the feed is not judged
    what = f"{kind} of delivery {delivery}, message {message}{judged}"
    yield Finding(event_id, _at(time_ms), f"events rev {rev}, source [{partition}] offset {offset} line {index}", what)


def _by(ruleset: str, run: str) -> str:
    """Which rules judged, and whose re-label it was."""
    return f"{ruleset}, run {run}" if run else ruleset


def _describe(event: Event) -> str:
    return f"{event.kind} of delivery {event.delivery}, message {event.message}"


def _at(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
