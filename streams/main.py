"""The worker's process: tracking.events -> tracking.enriched.

Exit codes: 0 asked to stop, 1 start me again, 3 settings, 4 an operator must decide.
"""

import asyncio
import logging
import os
import signal
import sys
import threading

from tenacity import RetryError, Retrying, retry_if_result, wait_fixed

from sendtrail.errors import SettingsError, TopicsError
from sendtrail.kafka_admin import ensure_topics, wait_for_kafka
from sendtrail.metrics import begin
from sendtrail.process import AdminServer, Log, StopSignal, collect_seldom, run_stage, setup_logging, watch_disk
from sendtrail.settings import EXIT_CODE, Config, KafkaSettings, StreamSettings, TrackingSettings
from sendtrail.topics import EVENTS
from streams.check_rules import load_checked
from streams.errors import EXIT_RESTART, EXIT_STOPPED, Damaged, Restart, Stopped
from streams.geo import geo_database
from streams.service import Knowledge, Service
from streams.state.directory import StateDirectory
from streams.state.recover import condemn
from streams.worker import Observe

_CHATTY = ("faust", "mode", "aiokafka", "kafka")
STOP_LIMIT_S = 25.0


def main(config: Config, observe: Observe = lambda moment: None) -> int:
    """Run until SIGTERM or SIGINT; returns the exit code. `observe` is told the moments of each batch."""
    log = setup_logging("worker")
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        return _main(config, observe, log)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return EXIT_CODE
    except (Stopped, TopicsError) as error:
        log.error("stopped: an operator must decide", why=str(error))
        return EXIT_STOPPED
    except Restart as error:
        if isinstance(error, Damaged):
            condemn(error.path)
        log.error("the worker ends, to be started again", why=str(error))
        return EXIT_RESTART
    except Exception:  # nothing is committed that was not done, so a new process goes on from there
        log.exception("the worker ends, to be started again")
        return EXIT_RESTART


def _main(config: Config, observe: Observe, log: Log) -> int:
    kafka, tracking = config.section(KafkaSettings), config.section(TrackingSettings)
    streams = config.section(StreamSettings)
    stop = StopSignal().install()
    directory = StateDirectory(streams.state_dir)
    knowledge = Knowledge(load_checked(streams.rules_dir), geo_database(streams.geo_databases))
    begin("streams")
    watch_disk("state", streams.state_dir)
    source_id = _wait_for_topics(kafka, tracking, stop, log)
    if source_id is None or stop.is_set():
        return 0
    collect_seldom()
    directory.claim_topic(kafka.topic_prefix + EVENTS.name, source_id)
    return asyncio.run(_run(kafka, tracking, streams, directory, source_id, knowledge, observe, stop, log))


def _wait_for_topics(kafka: KafkaSettings, tracking: TrackingSettings, stop: StopSignal, log: Log) -> str | None:
    """The id of tracking.events, once a broker answers and all topics are there; None if asked to stop before."""
    if not wait_for_kafka(kafka.bootstrap, log.warning, stop.is_set):
        return None
    waiting = Retrying(
        retry=retry_if_result(lambda found: found is None),
        wait=wait_fixed(1),
        stop=lambda _: stop.is_set(),
        before_sleep=lambda state: (
            log.warning("topics are missing; waiting") if state.attempt_number % 30 == 1 else None
        ),
    )
    try:
        return str(waiting(_source_id, kafka, tracking))
    except RetryError:
        return None


def _source_id(kafka: KafkaSettings, tracking: TrackingSettings) -> str | None:
    """Raises TopicsError where retention or the number of partitions would lose or misplace events."""
    states = ensure_topics(kafka, tracking, dry_run=True)
    if any(not state.topic_id for state in states):
        return None
    return next(state.topic_id for state in states if state.name == kafka.topic_prefix + EVENTS.name)


async def _run(
    kafka: KafkaSettings,
    tracking: TrackingSettings,
    streams: StreamSettings,
    directory: StateDirectory,
    source_id: str,
    knowledge: Knowledge,
    observe: Observe,
    stop: StopSignal,
    log: Log,
) -> int:
    service = Service(kafka, tracking, streams, directory, source_id, knowledge, _limit_stop, observe)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, service.ask_to_stop)
    stop.then(service.ask_to_stop)  # asked before the loop listened
    admin = AdminServer(streams.admin_host, streams.admin_port, service.health).start()
    log.info("the worker starts", admin=f"http://{streams.admin_host}:{admin.port}", rules=knowledge.rules.version)
    try:
        await service.run()
    finally:
        admin.stop()
    return 0


def _limit_stop(exit_code: int) -> None:
    """Faust's own stop can hang, and a broker that is gone answers nothing. To end hard is to start from the commit."""
    timer = threading.Timer(STOP_LIMIT_S, os._exit, [exit_code])
    timer.daemon = True
    timer.start()


if __name__ == "__main__":
    run_stage(main)
