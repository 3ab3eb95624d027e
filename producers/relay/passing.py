"""mail -> journal -> next hop -> spool -> answer. The order is what keeps mails and counts whole.

1. The mail is instrumented, its event made; the journal has both before the next hop sees anything.
2. The next hop answers. Refused or put off: the mail leaves the journal, and its sender gets that answer.
3. Accepted: the journal knows, then the event goes into the spool, then the sender gets the next hop's answer. A spool
   that fails now does not turn the 2xx into a 4xx, which would send the mail twice: the event waits in the journal.
4. The sender has the answer: the mail leaves the journal.

A sender that comes again with a mail whose answer it never got: where the next hop had accepted it, it gets that answer
and nothing is sent; where the relay died before it knew (or the next hop gave no answer), the mail goes again, which is
counted and logged, and its event is the same event, so it counts once.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
from msgspec.structs import replace

from producers.relay.answer import IN_PROGRESS, NO_ROOM, Answer, Passed
from producers.relay.journal import Journal, Row
from producers.relay.next_hop import Envelope, NextHop
from producers.relay.spool import RelaySpool
from producers.relay.track import Outgoing, Tracker
from sendtrail.errors import Invalid
from sendtrail.events import Event, decode, encode
from sendtrail.metrics import counter, gauge

Clock = Callable[[], int]

_OUTCOMES = {"accepted": "passed", "refused": "refused", "deferred": "deferred", "unknown": "unknown"}


class Passing:
    """Passes mails on, one call each, in any number of threads. `clock` gives UTC milliseconds."""

    def __init__(self, tracker: Tracker, journal: Journal, next_hop: NextHop, spool: RelaySpool, clock: Clock) -> None:
        self._tracker = tracker
        self._journal = journal
        self._next_hop = next_hop
        self._spool = spool
        self._clock = clock
        self._lock = threading.Lock()
        self._busy: set[bytes] = set()
        self._owed: dict[bytes, bytes] = dict(journal.uncounted())
        self._log = structlog.stdlib.get_logger("relay")
        gauge("sendtrail_relay_owed_events").set_function(lambda: float(len(self._owed)))

    def take(self, envelope: Envelope, content: bytes, trace: bytes) -> tuple[Answer, bytes | None]:
        """Pass a mail on. Returns the answer, and the mail's identity where `answered` is to be told of it.

        `trace`: the Received field. Raises sqlite3.Error where the journal fails before the next hop saw the mail.
        """
        if self._owed and not self.settle():
            return self._end("no_room", NO_ROOM), None
        if not self._spool.has_room():
            return self._end("no_room", NO_ROOM), None
        mail = self._tracker.outgoing(envelope, content)
        if isinstance(mail, Invalid):
            return self._end("invalid", Answer(554, f"5.6.0 {mail.detail}")), None
        with self._alone(mail.identity) as alone:
            return self._take(mail, trace) if alone else (self._end("in_progress", IN_PROGRESS), None)

    def answered(self, identity: bytes) -> None:
        """The sender has the answer that its mail was accepted."""
        try:
            self._journal.answered(identity)
        except sqlite3.Error as error:  # a sender that comes again would be told the same once more: no harm
            self._log.error("journal_failed", error=str(error))

    def settle(self) -> bool:
        """Bring events into the spool that it could not take when their mails were accepted. True once all are in."""
        for identity, payload in list(self._owed.items()):
            event = decode(payload)
            if isinstance(event, Event) and not self._spool.add(event):
                return False
            self._counted(identity)
        return True

    def _take(self, mail: Outgoing, trace: bytes) -> tuple[Answer, bytes | None]:
        known = self._journal.find(mail.identity)
        if known is not None and known.state == "accepted" and mail.is_named:
            self._log.info("answered_again", answer=known.answer)
            return self._end("repeated", Answer(known.answer, known.text)), mail.identity
        time_ms = known.time_ms if known else self._clock()
        event = self._tracker.sent_event(mail, time_ms)
        if not self._register(mail):
            return self._end("no_room", NO_ROOM), None
        self._journal.begin(mail.identity, time_ms, encode(event) if event else b"")
        self._say(mail, known)
        passed = self._next_hop.send(mail.envelope, trace + mail.content)
        answer = self._end(_OUTCOMES[passed.outcome], passed.answer)
        if passed.outcome == "accepted":
            self._accepted(mail, event, passed)
            return answer, mail.identity
        if passed.outcome == "unknown":
            self._log.warning("no_answer_of_the_next_hop", text=passed.answer.text)
        else:
            self._journal.not_accepted(mail.identity)
        return answer, None

    def _accepted(self, mail: Outgoing, event: Event | None, passed: Passed) -> None:
        """Never raises: whatever fails here, the mail is on its way and its sender must be told so."""
        try:
            self._journal.accepted(mail.identity, passed.answer.code, passed.answer.text)
        except sqlite3.Error as error:
            self._log.error("journal_failed", error=str(error))
        if event is None or self._spool.add(event):
            self._counted(mail.identity)
        else:
            self._log.error("event_waits_in_the_journal", delivery=event.delivery, message=event.message)
            self._owed[mail.identity] = encode(event)

    def _counted(self, identity: bytes) -> None:
        self._owed.pop(identity, None)
        try:
            self._journal.counted(identity)
        except sqlite3.Error as error:  # it will be spooled again at the next start: the same event, a duplicate
            self._log.error("journal_failed", error=str(error))

    def _register(self, mail: Outgoing) -> bool:
        new = self._journal.unregistered(mail.urls)
        if new:
            now_ms = self._clock()
            if not self._spool.add_urls([replace(entry, updated_ms=now_ms) for entry in new]):
                return False
            self._journal.registered(new)
        return True

    def _say(self, mail: Outgoing, known: Row | None) -> None:
        for warning in mail.warnings:
            self._log.info("warning", text=warning)
        if known is not None:
            counter("sendtrail_relay_mails_total").labels("again").inc()
            self._log.warning("passed_on_again", why="its first answer is not known: a second copy is possible")

    def _end(self, outcome: str, answer: Answer) -> Answer:
        counter("sendtrail_relay_mails_total").labels(outcome).inc()
        return answer

    @contextmanager
    def _alone(self, identity: bytes) -> Iterator[bool]:
        """Whether nobody else is passing this mail on; then nobody does until the end."""
        with self._lock:
            alone = identity not in self._busy
            self._busy.add(identity)
        try:
            yield alone
        finally:
            if alone:
                with self._lock:
                    self._busy.discard(identity)
