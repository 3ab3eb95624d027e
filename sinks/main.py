"""sendtrail loader: tracking.enriched -> ClickHouse."""

import logging
from collections.abc import Callable
from contextlib import ExitStack
from typing import TypeVar

import structlog
from clickhouse_driver.errors import Error
from kafka.errors import KafkaError

from sendtrail.clickhouse import connect
from sendtrail.errors import SendtrailError, SettingsError
from sendtrail.metrics import begin
from sendtrail.process import AdminServer, Health, StopSignal, run_stage, setup_logging, watch_disk
from sendtrail.settings import (
    AnswerSettings,
    ClickHouseSettings,
    Config,
    KafkaSettings,
    LoaderSettings,
    RetentionSettings,
)
from sinks import keys
from sinks.consume import Source, enriched_id
from sinks.erased import Erased
from sinks.housekeeping import Housekeeping
from sinks.loader import Loader
from sinks.member import Member
from sinks.migrate import pending
from sinks.outage import Outage
from sinks.owned import Owned
from sinks.planner import Planner
from sinks.registry import Registry
from sinks.server import Server
from sinks.watch import Watch
from sinks.windows import check_replicated, check_windows
from sinks.worker import Observe, Step, Worker
from sinks.write import CONNECTION_ERRORS

_WAIT_S = 0.5
T = TypeVar("T")


def unobserved(step: Step) -> None:
    """Nobody looks."""


class Vitals:
    """What the admin listener tells, from the process's first moment on."""

    def __init__(self) -> None:
        self.waiting_for = "start"
        self.loader: Loader | None = None
        self.registry: Registry | None = None

    def health(self) -> Health:
        """Ready when the loader is; before that, what it waits for."""
        if self.loader is None or self.registry is None:
            return Health(False, {"waiting_for": self.waiting_for})
        ready, facts = self.loader.health()
        return Health(ready, {**facts, "registry": self.registry.facts()})


def main(config: Config, observe: Observe = unobserved) -> int:
    """Run until SIGTERM or SIGINT; 0 after a drain, 1 if another process is in the way."""
    log = setup_logging("loader")
    for library in ("kafka", "clickhouse_driver"):  # each failed attempt with its traceback; the loop says it once
        logging.getLogger(library).setLevel(logging.ERROR)
    try:
        with ExitStack() as closing:
            _run(config, observe, closing, StopSignal().install())
    except (SendtrailError, OSError) as error:
        if isinstance(error, SettingsError):
            raise
        log.error(str(error))
        return 1
    return 0


def _run(config: Config, observe: Observe, closing: ExitStack, stop: StopSignal) -> None:
    kafka, clickhouse = config.section(KafkaSettings), config.section(ClickHouseSettings)
    settings = config.section(LoaderSettings)
    keep_addresses, naming_key = keys.keep_addresses(config), keys.naming_key(config)
    member, vitals = Member(settings.data_dir), Vitals()
    begin("loader", "registry", "audit")
    watch_disk("loader", settings.data_dir)
    admin = AdminServer(settings.admin_host, settings.admin_port, vitals.health).start()
    closing.callback(admin.stop)
    source = _wait_for(kafka, clickhouse, settings, member, stop, vitals)
    if source is None:
        return
    closing.callback(source.close)
    worker = Worker(clickhouse, member.id, observe, Erased(naming_key))
    closing.callback(worker.close)
    server = Server(clickhouse, member.id)
    closing.callback(server.close)
    owned = Owned(source, server, settings)
    planner = Planner(
        kafka, settings, source, server, owned, worker, observe,
        replicated=clickhouse.replicated, keep_addresses=keep_addresses,
    )  # fmt: skip
    vitals.loader = Loader(owned, planner, server, worker)
    vitals.registry = Registry(kafka, clickhouse, Erased(naming_key)).start()
    closing.callback(vitals.registry.stop)
    closing.callback(Watch(clickhouse).start().stop)
    kept, contents_dir = config.section(RetentionSettings), config.section(AnswerSettings).contents_dir
    closing.callback(Housekeeping(kafka, clickhouse, kept, naming_key, contents_dir).start().stop)
    structlog.get_logger("loader").info("loader started", member=member.id, admin_port=admin.port)
    vitals.loader.run(stop)


def _wait_for(
    kafka: KafkaSettings,
    clickhouse: ClickHouseSettings,
    settings: LoaderSettings,
    member: Member,
    stop: StopSignal,
    vitals: Vitals,
) -> Source | None:
    """Wait for the topic, for the tables, and for Kafka to join the group; None if the stop came first."""

    def until(attempt: Callable[[], T], what: str) -> T | None:
        vitals.waiting_for = what
        return _until(attempt, Outage(what), stop)

    def join() -> Source:
        return Source(kafka, member.id, settings.session_timeout_s, one_owner=not clickhouse.replicated)

    there = until(lambda: enriched_id(kafka), "Kafka") and until(
        lambda: _tables(clickhouse, settings.dedup_window), "ClickHouse"
    )
    return until(join, "Kafka") if there else None


def _tables(settings: ClickHouseSettings, window: int) -> bool:
    with connect(settings, database="default") as client:
        missing = pending(client, settings)
    if missing:
        raise SendtrailError(f"{len(missing)} migrations are not applied yet; run: sendtrail migrate")
    with connect(settings) as client:
        check_replicated(client, settings)
        check_windows(client, settings, window)
    return True


def _until(attempt: Callable[[], T], outage: Outage, stop: StopSignal) -> T | None:
    """What `attempt` returns, once it does not fail any more, saying so now and then; None if the stop came first."""
    while not stop.is_set():
        try:
            made = attempt()
        except (KafkaError, SendtrailError, Error, *CONNECTION_ERRORS) as error:
            outage.failed(error)
        else:
            outage.over()
            return made
        while outage.waiting and not stop.is_set():
            stop.wait(_WAIT_S)
    return None


if __name__ == "__main__":
    run_stage(main)
