"""sendtrail loader: tracking.enriched -> ClickHouse."""

import logging
import sys
from collections.abc import Callable
from contextlib import ExitStack

from clickhouse_driver.errors import Error
from kafka.errors import KafkaError

from sendtrail.clickhouse import connect
from sendtrail.errors import SendtrailError, SettingsError, TopicsError
from sendtrail.kafka_admin import wait_for_kafka
from sendtrail.process import AdminServer, StopSignal, setup_logging
from sendtrail.settings import EXIT_CODE, ClickHouseSettings, Config, KafkaSettings, LoaderSettings, load
from sinks.consume import Source, enriched_id
from sinks.loader import Loader
from sinks.member import Member
from sinks.migrate import pending
from sinks.outage import Outage
from sinks.owned import Owned
from sinks.planner import Planner
from sinks.server import Server
from sinks.worker import Observe, Step, Worker
from sinks.write import CONNECTION_ERRORS

_WAIT_S = 0.5


def unobserved(step: Step) -> None:
    """Nobody looks."""


def main(config: Config, observe: Observe = unobserved) -> int:
    """Run until SIGTERM or SIGINT; 0 after a drain, 1 if another process is in the way."""
    kafka, clickhouse = config.section(KafkaSettings), config.section(ClickHouseSettings)
    settings = config.section(LoaderSettings)
    log = setup_logging("loader")
    logging.getLogger("kafka").setLevel(logging.ERROR)
    stop = StopSignal().install()
    try:
        member = Member(settings.data_dir)
        if _wait_for(kafka, clickhouse, stop):
            _load(kafka, clickhouse, settings, member, stop, observe)
    except SendtrailError as error:
        log.error(str(error))
        return 1
    return 0


def _load(
    kafka: KafkaSettings,
    clickhouse: ClickHouseSettings,
    settings: LoaderSettings,
    member: Member,
    stop: StopSignal,
    observe: Observe,
) -> None:
    with ExitStack() as closing:
        worker = Worker(clickhouse, member.id, observe)
        closing.callback(worker.close)
        server = Server(clickhouse, member.id)
        closing.callback(server.close)
        source = Source(kafka, member.id, settings.session_timeout_s, one_owner=not clickhouse.replicated)
        closing.callback(source.close)
        owned = Owned(source, server, settings)
        planner = Planner(kafka, settings, source, server, owned, worker, observe, replicated=clickhouse.replicated)
        loader = Loader(owned, planner, server, worker)
        admin = AdminServer(settings.admin_host, settings.admin_port, loader.health).start()
        closing.callback(admin.stop)
        loader.run(stop)


def _wait_for(kafka: KafkaSettings, clickhouse: ClickHouseSettings, stop: StopSignal) -> bool:
    """Wait for Kafka, the topic, ClickHouse and the tables; False if the stop was asked for meanwhile."""
    log = setup_logging("loader")
    return (
        wait_for_kafka(kafka.bootstrap, log.warning, stop.is_set)
        and _until(lambda: bool(enriched_id(kafka)), Outage("tracking.enriched"), stop)
        and _until(lambda: _tables_there(clickhouse), Outage("ClickHouse"), stop)
    )


def _tables_there(settings: ClickHouseSettings) -> bool:
    with connect(settings, database="default") as client:
        missing = pending(client, settings)
    if missing:
        raise SendtrailError(f"{len(missing)} migrations are not applied yet; run: sendtrail migrate")
    return True


def _until(there: Callable[[], bool], outage: Outage, stop: StopSignal) -> bool:
    """Try until it is there, saying so now and then."""
    while not stop.is_set():
        try:
            if there():
                outage.over()
                return True
        except (KafkaError, TopicsError, SendtrailError, Error, *CONNECTION_ERRORS) as error:
            outage.failed(error)
        while outage.waiting and not stop.is_set():
            stop.wait(_WAIT_S)
    return False


if __name__ == "__main__":
    try:
        sys.exit(main(load()))
    except SettingsError as error:
        print(error, file=sys.stderr)
        sys.exit(EXIT_CODE)
