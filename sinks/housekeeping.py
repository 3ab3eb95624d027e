"""What is to go goes by itself: recipients who were erased, deliveries whose time is over, rows that are too old.

A thread of every loader looks every few seconds. Several loaders may see the same; the pause lets one after the other
do it, and done twice it is as done once. Every mutation leaves loading on; only to begin them the loaders hold.
"""

import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog
from clickhouse_driver import Client
from clickhouse_driver.errors import Error
from kafka.errors import KafkaError

from sendtrail.clickhouse import connect
from sendtrail.errors import SendtrailError
from sendtrail.removal.erasures import BY_COMMAND, Erasure, erasures
from sendtrail.settings import ClickHouseSettings, KafkaSettings, RetentionSettings
from sendtrail.topics import CONSENTS
from sinks import purge, retention
from sinks.erase import erase
from sinks.forget import Forgetting, nulls
from sinks.outage import Outage
from sinks.write import CONNECTION_ERRORS

EVERY_S = 3.0
#: How often it is looked whether a purged delivery has rows again; soon after a purge, when a plan that was open may
#: have put some back, more often.
SLOWLY_EVERY_S = 3_600.0
SOON_EVERY_S = 30.0
_SOON_FOR_S = 600.0
_SWEEP_EVERY_S = 86_400.0
_COMMAND_MINUTES = 10
_END_S = 5.0


class Housekeeping:
    """Works in a thread of its own until it is stopped. Kafka and ClickHouse may come and go.

    `naming_key`: b"" where there is no key file, which erasures take. `contents_dir`: of the API, where it is here.
    """

    def __init__(
        self,
        kafka: KafkaSettings,
        clickhouse: ClickHouseSettings,
        kept: RetentionSettings,
        naming_key: bytes,
        contents_dir: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._kafka, self._clickhouse, self._kept = kafka, clickhouse, kept
        self._naming_key, self._clock = naming_key, clock
        self._forget = Forgetting(kafka, contents_dir)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="housekeeping", daemon=True)
        self._outage = Outage("housekeeping", clock)
        self._log = structlog.get_logger("loader")
        self._looked = self._swept = self._purged = float("-inf")
        self._told = False

    def start(self) -> "Housekeeping":
        """Begin; returns at once."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """End soon: mutations that run go on in ClickHouse, and the next start waits for them."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(_END_S)  # so that no pause is left behind for its lease

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with connect(self._clickhouse) as client:
                    self._begin(client)
                    while not self._stop.wait(EVERY_S):
                        self.work(client)
                        self._outage.over()
            except (KafkaError, SendtrailError, Error, *CONNECTION_ERRORS) as error:
                self._outage.failed(error)
            while self._outage.waiting and not self._stop.is_set():
                self._stop.wait(EVERY_S / 10)

    def _begin(self, client: Client) -> None:
        for change in retention.apply(client, self._clickhouse, self._kept):
            self._log.info(change.said)

    def work(self, client: Client) -> None:
        """Do what is to be done now. Raises SendtrailError, KafkaError, and the driver's errors."""
        self._erase(client)
        if due := purge.due(client):
            self._purge(client, due, "purged")
            self._purged = self._looked = self._clock()
        soon = self._clock() - self._purged < _SOON_FOR_S
        if self._clock() - self._looked >= (SOON_EVERY_S if soon else SLOWLY_EVERY_S):
            if back := purge.come_back(client):
                self._purge(client, back, "purged again: hits came late")
            self._looked = self._clock()
        if self._clock() - self._swept >= _SWEEP_EVERY_S:
            for table, rows in retention.sweep(client, self._clickhouse, self._kept).items():
                self._log.info("rows were too old", table=table, rows=rows)
            self._swept = self._clock()

    def _erase(self, client: Client) -> None:
        for request in [one for one in erasures(client) if one.done is None and not _others(one)]:
            if not self._naming_key:
                if not self._told:
                    self._log.error("recipients are to be erased, which takes the key file (keys.file)")
                    self._told = True
                return
            erase(client, self._clickhouse, self._naming_key, request, self._forget_consents)
            self._log.info("a recipient was erased", erasure=str(request.erasure_id), asked_by=request.asked_by)

    def _forget_consents(self, keys: Sequence[str]) -> None:
        nulls(self._kafka, [(CONSENTS, key) for key in keys])

    def _purge(self, client: Client, deliveries: list[int], said: str) -> None:
        count = purge.purge(client, self._clickhouse, deliveries, self._forget)
        self._log.info(f"deliveries were {said}", deliveries=count)


def _others(request: Erasure) -> bool:
    """Whether the command that asked for it is at it, as it was a while ago."""
    age = datetime.now(UTC) - request.asked
    return request.asked_by.startswith(BY_COMMAND) and age < timedelta(minutes=_COMMAND_MINUTES)
