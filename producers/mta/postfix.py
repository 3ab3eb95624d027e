"""Lines of Postfix's log -> what happened to our messages. Pure.

Whose a message is stands on lines of `cleanup`, under its queue id: headers that header_checks logs (INFO or WARN), or
a Message-ID of a known pattern. Outcomes stand on later lines under the same id, until `qmgr` has removed it.
"""

import re
from collections import OrderedDict
from datetime import datetime, timedelta, tzinfo

from producers.mta.match import verp_metadata
from producers.mta.told import Told
from producers.smtp_reasons import reason_of
from sendtrail.events import FeedKind
from sendtrail.provider_metadata import MessageIdentity, read_metadata

_LINE = re.compile(
    r"(?P<time>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)) "
    r"(?:\S+ )?postfix[\w.-]*/(?:\S+/)?(?P<service>\w+)\[\d+\]: (?P<queue>[A-Za-z0-9]{5,20}): (?P<rest>.*)"
)
_HEADER = re.compile(r"(?:info|warning): header (X-Sendtrail-\w+): +([A-Za-z0-9_-]{1,80})(?= |$)", re.IGNORECASE)
_MESSAGE_ID = re.compile(r"message-id=<?([^>\s]{1,998})")
_TO = re.compile(r"to=<([^>]*)>")
_RELAY = re.compile(r"relay=([^,\s]+)")
_DSN = re.compile(r"dsn=([245]\.\d{1,3}\.\d{1,3})")
_STATUS = re.compile(r"status=(sent|bounced|deferred|expired)(?:, | )?(?:\((.*)\))?")
_KINDS: dict[str, FeedKind] = {
    "sent": "delivered", "bounced": "bounced", "deferred": "deferred", "expired": "bounced",
}  # fmt: skip
#: A relay on this machine is a content filter: the mail comes back under another queue id.
_FILTER = re.compile(r"(?:127\.\d+\.\d+\.\d+|localhost|::1)\b|.*\[(?:127\.\d+\.\d+\.\d+|::1)\]")
MOST_QUEUED = 200_000

Queue = OrderedDict[str, dict[str, str]]


class PostfixLog:
    """Reads lines in their order. `queue`: whose the messages are that are under way, to be kept over restarts."""

    def __init__(self, zone: tzinfo, message_id: re.Pattern[str] | None, naming_key: bytes, queue: Queue) -> None:
        """`zone`: of times without an offset. `message_id`: groups `delivery` and `message`, as of `verp_regex`."""
        self._zone = zone
        self._message_id = message_id
        self._naming_key = naming_key
        self.queue = queue
        self.unmatched = 0

    def read(self, line: str, now: datetime) -> Told | None:
        """The outcome a line tells of a message of ours; None for all others. `now`: gives a year to times without."""
        found = _LINE.match(line)
        if found is None:
            return None
        queue, rest, service = found["queue"], found["rest"], found["service"]
        if service == "cleanup":
            self._learn(queue, rest)
            return None
        if rest == "removed":
            self.queue.pop(queue, None)
            return None
        status = _STATUS.search(rest)
        if status is None or _is_filter(service, rest):
            return None
        metadata = self.queue.get(queue, {})
        if not isinstance(read_metadata(metadata), MessageIdentity):
            self.unmatched += 1
            return None
        return _told(found["time"], queue, rest, status, metadata, _time_ms(found["time"], now, self._zone))

    def _learn(self, queue: str, rest: str) -> None:
        header = _HEADER.match(rest)
        if header is not None and "; from=<> " in rest:
            return  # a bounce: the header is that of the message which comes back in it
        if header is not None:
            self._known(queue)[header[1]] = header[2]
            return
        given = _MESSAGE_ID.match(rest)
        fits = self._message_id.search(given[1]) if given is not None and self._message_id is not None else None
        if fits is not None:
            for name, value in (verp_metadata(fits, self._naming_key) or {}).items():
                self._known(queue).setdefault(name, value)

    def _known(self, queue: str) -> dict[str, str]:
        while len(self.queue) >= MOST_QUEUED and queue not in self.queue:
            self.queue.popitem(last=False)
        return self.queue.setdefault(queue, {})


def _told(
    time: str, queue: str, rest: str, status: re.Match[str], metadata: dict[str, str], time_ms: int | None
) -> Told:
    kind, answer = _KINDS[status[1]], status[2] or ""
    to, dsn = _TO.search(rest), _DSN.search(rest)
    email = to[1] if to else ""
    reason = reason_of(answer, dsn[1] if dsn else "") if kind != "delivered" else None
    if status[1] == "expired":
        reason, answer = "unreachable", "expired in the queue, returned to sender"
    return Told(
        kind=kind, time_ms=time_ms, id=f"{queue} {time} {status[1]} {email}"[:256], metadata=dict(metadata),
        email=email, reason=reason, diagnostic=answer if kind != "delivered" else "",
    )  # fmt: skip


def _is_filter(service: str, rest: str) -> bool:
    relay = _RELAY.search(rest)
    return service == "smtp" and relay is not None and _FILTER.match(relay[1]) is not None


def _time_ms(text: str, now: datetime, zone: tzinfo) -> int | None:
    """Of either form. One without a year is of the last year in which it is not ahead of `now` by more than a day."""
    try:
        if text[0].isdigit():
            return round(datetime.fromisoformat(text).timestamp() * 1000)
        for year in (now.year + 1, now.year, now.year - 1):
            try:
                found = datetime.strptime(f"{year} {text}", "%Y %b %d %H:%M:%S").replace(tzinfo=zone)
            except ValueError:  # the 29th of February of another year
                continue
            if found <= now + timedelta(days=1):
                return round(found.timestamp() * 1000)
    except (ValueError, OverflowError):
        return None
    return None
