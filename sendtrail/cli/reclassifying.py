"""One delivery judged again, from its lock to the last re-label in the tables."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from socket import gethostname

from clickhouse_driver import Client

from producers.spool import SpoolWriter
from sendtrail.cli import screen
from sendtrail.cli.spool import send
from sendtrail.clickhouse import connect
from sendtrail.errors import SendtrailError
from sendtrail.kafka_admin import physical_name, topic_id
from sendtrail.kafka_read import group_less, partitions_of
from sendtrail.process import StopSignal
from sendtrail.settings import ClickHouseSettings, Config, KafkaSettings, StreamSettings, TrackingSettings
from sendtrail.topics import EVENTS
from sinks import lease
from sinks.queries import query
from streams.reclassify import stored
from streams.reclassify.difference import Difference
from streams.reclassify.rejudge import Judge, Ruling
from streams.reclassify.run import Run, RunDirectory, begin, relabel, whoami
from streams.rules import Rules

#: Hits with a younger log time are the worker's (DESIGN §6): it re-labels up to half an hour, this from an hour on.
AGE_MS = 3_600_000
_POLL_S = 0.5
_PACK = 500  # re-labels in one write of the spool
_ONE_SEGMENT = 1 << 62  # re-labels are no events, so of several segments the second would miss those of the first


class InterruptedRun(SendtrailError):
    """Asked to stop while re-labels were on their way; nothing is lost."""


@dataclass(frozen=True)
class Job:
    """What to do with a delivery. `observe` is told the moments between which a crash must not matter."""

    config: Config
    delivery: int
    rules: Rules
    with_reasons: bool = False
    wait: bool = True
    observe: Callable[[str], None] = lambda moment: None

    @property
    def directory(self) -> RunDirectory:
        """Where its runs are kept."""
        return RunDirectory(self.config.section(StreamSettings).reclassify_dir / f"{self.delivery:016x}")


@dataclass(frozen=True)
class Judged:
    """What came of it. `missing`: why some hits could not be judged by all rules, and how many."""

    difference: Difference
    missing: dict[str, int]
    run: Run


def look(job: Job) -> Judged:
    """Judge, and change nothing."""
    if (job.directory.path / "run.json").exists():
        raise SendtrailError(
            "a run over this delivery is not over: the same command without --dry-run finishes it first"
        )
    with connect(job.config.section(ClickHouseSettings)) as client:
        return _judge(job, client, None)


@contextmanager
def alone(job: Job) -> Iterator[lease.Lease]:
    """Nobody else judges the delivery again meanwhile, here or on another machine. Raises SendtrailError saying who."""
    settings, place = job.config.section(ClickHouseSettings), f"{gethostname()}:{job.directory.path.resolve()}"
    with job.directory.locked(), lease.held(settings, "reclassify", str(job.delivery), place, whoami()) as held:
        yield held


def finish_earlier(job: Job) -> Run | None:
    """Send what a run that died has left, and wait until it is in the tables. Returns that run."""
    run = job.directory.unfinished()
    if run is not None:
        _publish(job, run)
    return run


def prepare(job: Job, held: lease.Lease) -> Judged:
    """Judge into the spool; with re-labels in it the run is ready, and finished whatever happens from here on."""
    directory = job.directory
    writer = SpoolWriter(
        directory.spool, "reclassify", fsync="interval", count_loss=False, segment_bytes=_ONE_SEGMENT
    )  # fmt: skip
    try:
        with connect(job.config.section(ClickHouseSettings)) as client:
            judged = _judge(job, client, writer)
    finally:
        writer.close()
    held.check()
    if judged.run.relabels:
        job.observe("judged")
        directory.ready(judged.run)
        job.observe("ready")
    else:
        directory.clear()
    return judged


def publish(job: Job, run: Run) -> None:
    """Send what was prepared."""
    if run.relabels:
        _publish(job, run)


def _publish(job: Job, run: Run) -> None:
    if not send(job.config, job.directory.spool, run.relabels):
        raise InterruptedRun("interrupted: the same command goes on, and what was sent counts once")
    job.observe("sent")
    if job.wait:
        _wait_until_loaded(job.config)
        job.observe("loaded")
        job.directory.clear()  # until then a next run would judge rows that are about to change


def _judge(job: Job, client: Client, writer: SpoolWriter | None) -> Judged:
    config, now_ms = job.config, time.time_ns() // 1_000_000
    run, difference = begin(now_ms, job.rules.version), Difference()
    judge = Judge(job.rules, config.section(TrackingSettings).open_repeat_s * 1000, now_ms - AGE_MS)
    waiting: list[Ruling] = []
    with screen.bars() as progress:
        bar = progress.add_task("judging hits again", total=stored.count(client, job.delivery) or None)
        for message in stored.messages(client, job.delivery):
            rulings = list(judge.judge(message))
            changed = [ruling for ruling in rulings if ruling.differs(job.with_reasons)]
            difference.add(rulings, changed)
            waiting += changed
            if len(waiting) >= _PACK:
                _write(writer, run, job.delivery, waiting)
            progress.advance(bar, len(rulings))
        _write(writer, run, job.delivery, waiting)
    return Judged(difference, dict(judge.missing), run._replace(relabels=difference.changes.total()))


def _write(writer: SpoolWriter | None, run: Run, delivery: int, waiting: list[Ruling]) -> None:
    events = [relabel(run, delivery, ruling) for ruling in waiting]
    waiting.clear()
    if writer is not None and writer.append(events) < len(events):
        raise SendtrailError(f"{writer.directory} can't be written (disk full?): nothing was sent, do it again")


def _wait_until_loaded(config: Config) -> None:
    """Until the tables hold everything that is in tracking.events now."""
    kafka = config.section(KafkaSettings)
    topic = physical_name(kafka, EVENTS)
    source, ends = topic_id(kafka.bootstrap, topic), _ends(kafka.bootstrap, topic)
    stop = StopSignal().install()
    with connect(config.section(ClickHouseSettings)) as client, screen.bars() as progress:
        bar = progress.add_task("waiting until the loader has them", total=None)
        while missing := _missing(client, source, ends):
            total = progress.tasks[0].total or missing
            progress.update(bar, total=max(total, missing), completed=max(total, missing) - missing)
            if stop.wait(_POLL_S):
                raise InterruptedRun("interrupted: the re-labels are in Kafka; the same command goes on waiting")


def _ends(bootstrap: str, topic: str) -> dict[int, int]:
    """The last offset of each partition that holds records."""
    consumer = group_less(bootstrap)
    try:
        partitions = partitions_of(consumer, topic)
        begins, ends = consumer.beginning_offsets(partitions), consumer.end_offsets(partitions)
    finally:
        consumer.close()
    return {place.partition: end - 1 for place, end in ends.items() if end > begins[place]}


def _missing(client: Client, source: str, ends: dict[int, int]) -> int:
    """Records that are not loaded yet."""
    loaded = dict(client.execute(query("audit_positions"), {"topic": source}))
    return sum(max(0, end - loaded.get(partition, -1)) for partition, end in ends.items())
