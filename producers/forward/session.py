"""One life of a Kafka producer. After a failed send it is closed and a new one is made (FACTS §2).

kafka-python 3 has no memory bound of its own (the outbox is it), and a producer whose batch expired may be in a state
that only a new one leaves.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from kafka import KafkaProducer
from kafka.errors import KafkaError, MessageSizeTooLargeError, RecordListTooLargeError
from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_exponential

from producers.forward.outbox import GROUP_BYTES, Failure, Outcome
from producers.forward.parcel import Parcel
from sendtrail.errors import TopicsError
from sendtrail.settings import KafkaSettings
from sendtrail.topics import CONTENTS

_TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)
_CONNECT_TIMEOUT_MS = 3_000
_CLOSE_TIMEOUT_S = 5.0

Say = Callable[[str], None]


class Session:
    """Sends parcels. `results` fills from the producer's thread, which sets `wake`."""

    def __init__(self, bootstrap: str, delivery_timeout_ms: int) -> None:
        """Raises KafkaError where no broker answers in three seconds."""
        self.results: deque[tuple[Parcel, Outcome]] = deque()
        self.wake = threading.Event()
        self._producer = KafkaProducer(
            bootstrap_servers=bootstrap.split(","),
            acks="all",
            enable_idempotence=True,
            compression_type="lz4",
            batch_size=GROUP_BYTES,
            linger_ms=1,
            max_request_size=CONTENTS.max_bytes,
            delivery_timeout_ms=delivery_timeout_ms,
            request_timeout_ms=min(30_000, delivery_timeout_ms // 2),
            reconnect_backoff_max_ms=1_000,
            max_block_ms=_CONNECT_TIMEOUT_MS,
            bootstrap_timeout_ms=_CONNECT_TIMEOUT_MS,
            allow_auto_create_topics=False,
            metrics_enabled=False,
        )

    def partitions(self, topic: str) -> int:
        """How many partitions a topic has. Raises KafkaError where it does not exist."""
        return len(self._producer.partitions_for(topic))

    def send(self, parcel: Parcel) -> None:
        """Hand a parcel over; its outcome appears in `results`, once."""
        try:
            future = self._producer.send(
                parcel.topic, parcel.value, parcel.key, parcel.headers, parcel.partition
            )  # fmt: skip
        except KafkaError as error:
            self._note(parcel, _failure(error))
            return
        future.add_callback(lambda metadata: self._note(parcel, metadata.timestamp))
        future.add_errback(lambda error: self._note(parcel, _failure(error)))

    def close(self, timeout_s: float = _CLOSE_TIMEOUT_S) -> None:
        """End the producer, whatever it still holds."""
        try:
            self._producer.close(timeout_s)
        except KafkaError:
            # close() gives up in its flush when no broker answers and leaves the thread running.
            self._producer._sender.force_close()
            with suppress(KafkaError):
                self._producer.close(timeout_s)

    def _note(self, parcel: Parcel, outcome: Outcome) -> None:
        self.results.append((parcel, outcome))
        self.wake.set()


def _failure(error: Exception) -> Failure:
    return Failure(f"{type(error).__name__}: {error}"[:300], isinstance(error, _TOO_LARGE))


def open_session(
    settings: KafkaSettings, topics: dict[str, int], delivery_timeout_ms: int, stopping: Callable[[], bool], say: Say
) -> Session | None:
    """A session, once a broker answers and has the topics with these partition counts. None if `stopping` came first.

    `say` is told after every try that failed.

    Raises TopicsError for another count than the configured one: events would go to wrong partitions.
    """
    retrying = Retrying(
        retry=retry_if_exception_type(KafkaError),
        wait=wait_exponential(0.2, max=2),
        stop=lambda _: stopping(),
        before_sleep=lambda state: _say_why(state, say),
        retry_error_callback=lambda _: None,
    )
    session: Session | None = retrying(_connect, settings.bootstrap, topics, delivery_timeout_ms)
    return session


def _connect(bootstrap: str, topics: dict[str, int], delivery_timeout_ms: int) -> Session:
    session = Session(bootstrap, delivery_timeout_ms)
    try:
        for topic, wanted in topics.items():
            found = session.partitions(topic)
            if found != wanted:
                raise TopicsError(f"topic {topic} has {found} partitions, the settings say {wanted}: correct them")
    except (KafkaError, TopicsError):
        session.close()
        raise
    return session


def _say_why(state: RetryCallState, say: Say) -> None:
    error: Any = state.outcome.exception() if state.outcome is not None else None
    say(f"{type(error).__name__}: {error}")


def quiet_client() -> None:
    """The client library logs every refused connection; the forwarder says once in a while that it waits."""
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
