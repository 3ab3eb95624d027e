"""spool segments -> tracking.events | tracking.deliveries | tracking.contents | tracking.consents."""

import time
from collections.abc import Callable
from pathlib import Path

import structlog

from producers.forward.outbox import Outbox
from producers.forward.parcel import Parcel
from producers.forward.route import router
from producers.forward.session import Session, open_session
from producers.forward.source import SpoolDirectory
from producers.forward.transit import Target, Transit
from sendtrail.kafka_admin import partitions_of, physical_name
from sendtrail.metrics import counter, gauge
from sendtrail.process import Health
from sendtrail.settings import ForwardSettings, KafkaSettings
from sendtrail.topics import CONSENTS, CONTENTS, DELIVERIES, EVENTS

#: Directories below a spool of events, whose records have keys: order matters there.
KEYED_DIRECTORIES = ("registry", "contents", "consents")
MAX_TRANSITS = 64  # segments begun and not done: each holds open files
DRAIN_S = 10.0
STALL_S = 15.0
SAY_EVERY_S = 30.0
_BACKLOG_SCAN_S = 1.0

Clock = Callable[[], float]


class Forwarder:
    """Forwards the spools of some directories until it is told to stop. Never loses, repeats what it is not sure of."""

    def __init__(
        self,
        kafka: KafkaSettings,
        forward: ForwardSettings,
        stopping: Callable[[], bool],
        clock: Clock = time.monotonic,
    ) -> None:
        self._kafka = kafka
        self._forward = forward
        self._stopping = stopping
        self._clock = clock
        events, deliveries, contents, consents = (
            physical_name(kafka, topic) for topic in (EVENTS, DELIVERIES, CONTENTS, CONSENTS)
        )
        self._topics = {
            events: kafka.partitions,
            deliveries: partitions_of(kafka, DELIVERIES),
            contents: partitions_of(kafka, CONTENTS),
            consents: partitions_of(kafka, CONSENTS),
        }
        target = Target(events, deliveries, contents, consents, kafka.partitions, router(kafka.partitions))
        self._directories = _directories(forward.spool_dirs, target, clock)
        self._outbox = Outbox(forward.in_flight_bytes)
        self._session: Session | None = None
        self._scanned_s = float("-inf")
        self._said_s: dict[str, float] = {}
        self._progress_s = clock()
        self._last_ack_ms = 0
        self._log = structlog.stdlib.get_logger("forward")
        self._in_flight = gauge("sendtrail_forward_in_flight_bytes")

    def run(self) -> None:
        """Forward until stopping; then send what was read, wait for it a while, and let go.

        Raises TopicsError where the topics are not as configured.
        """
        try:
            while not self._stopping():
                self._turn()
            self._drain()
        finally:
            for directory in self._directories:
                directory.abandon()
            if self._session is not None:
                self._session.close()

    def health(self) -> Health:
        """Ready while a broker is connected and acknowledges what it is sent."""
        waited_s = self._clock() - self._progress_s
        stalled = not self._outbox.empty and waited_s > STALL_S
        facts = {
            "kafka": "waiting" if self._session is None or stalled else "connected",
            "backlog_segments": sum(directory.backlog_segments for directory in self._directories),
            "backlog_bytes": sum(directory.backlog_bytes for directory in self._directories),
            "unacknowledged_bytes": self._outbox.held_bytes,
            "last_ack_ms": self._last_ack_ms or None,
        }
        return Health(self._session is not None and not stalled, facts)

    def _turn(self) -> None:
        session = self._session
        if session is None:
            self._session = open_session(
                self._kafka, self._topics, self._forward.delivery_timeout_ms, self._stopping, self._without_kafka
            )
            return
        worked = self._collect(session)
        if self._outbox.failures:
            self._renew(session)
            return
        worked = self._read() or worked
        for parcel in self._outbox.due():
            session.send(parcel)
        if not worked:
            self._say_if_stalled()
            session.wake.wait(self._forward.poll_ms / 1000)
            session.wake.clear()

    def _collect(self, session: Session) -> bool:
        """Take in how sends ended."""
        worked = False
        while session.results:
            parcel, outcome = session.results.popleft()
            for sent, log_time_ms in self._outbox.settle(parcel, outcome):
                self._count(sent, log_time_ms)
                sent.owner.acked(sent, log_time_ms)
            worked = True
        if worked:
            self._progress_s = self._clock()
            self._in_flight.set(self._outbox.held_bytes)
            self._put_closing()
        while self._outbox.given_up:
            self._give_up(self._outbox.given_up.pop())
        return worked

    def _put_closing(self) -> None:
        for directory in self._directories:
            for spool in directory.spools.values():
                for parcel in spool.close_acked():
                    self._outbox.put(parcel)

    def _read(self) -> bool:
        """Read on while there is room; look for new segments when it is time."""
        worked = False
        for directory in self._directories:
            for parcel in directory.read(self._room):
                self._outbox.put(parcel)
                worked = True
        self._scan(backlog=worked)
        return worked

    def _room(self) -> bool:
        return self._outbox.room and self._transits() < MAX_TRANSITS

    def _transits(self) -> int:
        return sum(len(spool.transits) for directory in self._directories for spool in directory.spools.values())

    def _scan(self, *, backlog: bool) -> None:
        """List the directories: at every poll when there is nothing to do, once a second while there is."""
        now = self._clock()
        if now - self._scanned_s < (_BACKLOG_SCAN_S if backlog else self._forward.poll_ms / 1000):
            return
        self._scanned_s = now
        for directory in self._directories:
            try:
                directory.scan()
            except OSError as error:
                self._log.error("spool_unreadable", directory=str(directory.path), error=str(error))
            gauge("sendtrail_forward_backlog_segments").labels(directory.label).set(directory.backlog_segments)

    def _renew(self, session: Session) -> None:
        """After a failure: end the producer, take back what is not acknowledged, go on with a new one."""
        reason = self._outbox.failures[-1].error
        counter("sendtrail_forward_errors_total").labels(reason.partition(":")[0]).inc(len(self._outbox.failures))
        self._say("send_repeated", reason)
        self._session = None
        session.close()
        self._collect(session)
        self._outbox.recall()

    def _drain(self) -> None:
        session, end = self._session, self._clock() + DRAIN_S
        while session is not None and not self._outbox.empty and self._clock() < end and not self._outbox.failures:
            self._collect(session)
            for parcel in self._outbox.due():
                session.send(parcel)
            session.wake.wait(self._forward.poll_ms / 1000)
            session.wake.clear()
        self._log.info("stopped", unacknowledged_bytes=self._outbox.held_bytes)

    def _count(self, parcel: Parcel, log_time_ms: int) -> None:
        self._last_ack_ms = max(self._last_ack_ms, log_time_ms)
        owner = parcel.owner
        if isinstance(owner, Transit):
            counter("sendtrail_forward_packs_total").labels(owner.label).inc()
            counter("sendtrail_forward_events_total").labels(owner.label).inc(parcel.events)

    def _give_up(self, parcel: Parcel) -> None:
        """Only keyed records and totals of absurd brokers come here: an event is cut down to a reject instead."""
        counter("sendtrail_forward_errors_total").labels("given_up").inc()
        self._log.error("record_too_large_for_broker", topic=parcel.topic, key=str(parcel.key), bytes=parcel.size)

    def _without_kafka(self, detail: str) -> None:
        """Before each new try to connect: the backlog grows and is shown."""
        self._scan(backlog=False)
        self._say("kafka_waiting", detail)

    def _say_if_stalled(self) -> None:
        waited_s = self._clock() - self._progress_s
        if not self._outbox.empty and waited_s > STALL_S:
            self._say("kafka_stalled", f"nothing was acknowledged for {waited_s:.0f} s; the spool waits")

    def _say(self, event: str, detail: str) -> None:
        """Log once in a while: what lasts is said again only every half minute."""
        if self._clock() - self._said_s.get(event, float("-inf")) >= SAY_EVERY_S:
            self._said_s[event] = self._clock()
            self._log.warning(event, detail=detail, unacknowledged_bytes=self._outbox.held_bytes)


def _directories(paths: list[Path], target: Target, clock: Clock) -> list[SpoolDirectory]:
    """Each spool directory, its registry and its contents."""
    directories = []
    for path in paths:
        directories.append(SpoolDirectory(path, path.name, target, clock))
        for name in KEYED_DIRECTORIES:
            directories.append(SpoolDirectory(path / name, f"{path.name}-{name}", target, clock, ordered=True))
    return directories
