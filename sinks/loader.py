"""tracking.enriched -> ClickHouse, every event exactly once: the loader's loop (DESIGN §7).

1. read records, keep those that extend their chain;
2. cut a plan and commit where it begins, with the plan as metadata: the intent;
3. one insert per table, with a token made of the plan;
4. commit where the plan ends.
"""

import gc
import time
from collections.abc import Callable
from typing import Any

import structlog
from clickhouse_driver.errors import Error
from kafka.errors import (
    CommitFailedError,
    FencedInstanceIdError,
    IllegalGenerationError,
    InconsistentGroupProtocolError,
    KafkaError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)

from sendtrail.errors import SendtrailError, TopicsError
from sendtrail.process import Health, StopSignal
from sinks.consume import NotOwner
from sinks.outage import Outage
from sinks.owned import Owned
from sinks.planner import Planner
from sinks.server import Server
from sinks.worker import Worker
from sinks.write import CONNECTION_ERRORS

_DRAIN_S = 20.0
_BUSY_POLL_MS = 10
_IDLE_POLL_MS = 100
_MEASURE_EVERY_S = 1.0
_COLLECT_EVERY_S = 60.0
_DISAGREE = "another loader of the group has another value of clickhouse.replicated, or had until a moment ago"
_REBALANCED = (
    NotOwner, CommitFailedError, IllegalGenerationError, RebalanceInProgressError, UnknownMemberIdError
)  # fmt: skip


class Fenced(SendtrailError):
    """Another process runs with this loader's member id."""


class Loader:
    """Turns the loop, and meets the errors of Kafka and ClickHouse in one place."""

    def __init__(
        self,
        owned: Owned,
        planner: Planner,
        server: Server,
        worker: Worker,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._owned, self._planner, self._server, self._worker = owned, planner, server, worker
        self._clock = clock
        self._log = structlog.get_logger("loader")
        self._kafka, self._clickhouse = Outage("Kafka", clock), Outage("ClickHouse", clock)
        self._measured = self._collected = float("-inf")

    def run(self, stop: StopSignal) -> None:
        """Until the stop is asked for; then the open plan is finished, for a while at most. Raises Fenced."""
        # Rows are many small lists without cycles, freed with their plan: looking for cycles each time some hundred
        # are made costs half a core.
        gc.freeze()
        gc.disable()
        while not stop.is_set():
            self.turn()
        deadline = self._clock() + _DRAIN_S
        while self._planner.job is not None and self._clock() < deadline:
            self.turn(draining=True)
        if self._planner.job is not None:
            self._planner.cancel()
            self._log.warning("ends with a plan open, which the next start redoes", trouble=self._worker.trouble)

    def turn(self, draining: bool = False) -> None:
        """Once around: nothing that Kafka or ClickHouse do makes it raise, a member id used twice apart."""
        try:
            self._read()
            self._planner.end()
            if not (self._clickhouse.waiting or self._kafka.waiting):
                self._work(draining)
            self._owned.watch()
            self._owned.flow(closed=self._kafka.waiting)
            self._measure()
        except FencedInstanceIdError as error:
            raise Fenced("another process runs with this loader's member id: was its data directory copied?") from error
        except _REBALANCED as error:
            self._log.info("the group was rebalanced; going on from what is committed", error=str(error))
            self._start_again()
        except InconsistentGroupProtocolError:
            self._kafka.failed(SendtrailError(_DISAGREE))
            self._start_again()
        except (KafkaError, TopicsError) as error:
            self._kafka.failed(error)
            self._start_again()
        except (Error, *CONNECTION_ERRORS) as error:
            self._clickhouse.failed(error)
            self._start_again()

    def _read(self) -> None:
        if self._kafka.waiting:
            time.sleep(_IDLE_POLL_MS / 1000)
            return
        busy = self._planner.job is not None or self._owned.rows_waiting() > 0
        if self._owned.poll(_BUSY_POLL_MS if busy else _IDLE_POLL_MS):
            self._planner.cancel()

    def _work(self, draining: bool) -> None:
        self._server.say_present()
        if self._owned.resume_unknown():
            self._kafka.over()
        if self._planner.job is not None:
            self._planner.ahead()
        elif not draining:
            self._planner.begin()
        self._clickhouse.over()

    def _start_again(self) -> None:
        """After an error nothing in memory is certain: start from what is committed (FACTS B 6)."""
        self._owned.forget()
        self._planner.cancel()
        self._server.unsure()

    def _measure(self) -> None:
        if self._clock() - self._measured >= _MEASURE_EVERY_S:
            self._owned.measure_lag()
            self._owned.say_if_idle()
            self._measured = self._clock()
        if self._clock() - self._collected >= _COLLECT_EVERY_S:
            gc.collect()
            self._collected = self._clock()

    def health(self) -> Health:
        """Ready unless something is stopped or away. Called from the admin listener's thread."""
        stopped, trouble = dict(self._owned.stopped), self._worker.trouble or self._clickhouse.text
        facts: dict[str, Any] = {
            "owned": sorted([*self._owned.partitions, *self._owned.opens]),
            "stopped": stopped,
            "held_by": list(self._server.held_by),
            "clickhouse": trouble or "ok",
            "kafka": self._kafka.text or "ok",
        }
        return Health(not (stopped or trouble or self._kafka.text), facts)
