"""Gaps in the chain: what is missing, whether it can be read again, and going on where it can't."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from kafka import KafkaConsumer, KafkaProducer, OffsetAndMetadata, TopicPartition

from sendtrail.enriched import EnrichedHeader
from sendtrail.kafka_admin import admin_client, physical_name, topic_id
from sendtrail.topics import EVENTS, STREAMS_GROUP
from sinks.gaps import Held, Span, Walk, gone, readable, remedy
from sinks.mend import MendError, accept, set_back
from sinks.standing import Standing, standings
from tests.streams.running import wait_for
from tests.support.line import clickhouse_settings
from tests.support.loading import Line
from tests.support.stack import ClickHouse

TOPIC = "4f1c2a3e-0000-4000-8000-000000000001"


class TestOnPaper:
    @pytest.mark.parametrize(
        ("held", "lost", "there"),
        [
            (Held(0, 100), None, Span(5, 9)),
            (Held(5, 10), None, Span(5, 9)),
            (Held(7, 100), Span(5, 6), Span(7, 9)),
            (Held(10, 100), Span(5, 9), None),
            (Held(50, 100), Span(5, 9), None),
            (Held(0, 8), Span(8, 9), Span(5, 7)),
        ],
    )
    def test_what_of_a_gap_is_gone_and_what_is_there(self, held: Held, lost: Span | None, there: Span | None) -> None:
        assert gone(Span(5, 9), held) == lost
        assert readable(Span(5, 9), held) == there
        said = remedy(3, 5, 9, held)
        assert ("chain repair --partition 3" in said) is (there is not None)
        assert ("chain accept-gap --partition 3" in said) is (lost is not None)

    def test_a_walk_finds_what_is_missing(self) -> None:
        walk = Walk(TOPIC, 4)
        for first, last in ((3, 4), (5, 6), (9, 9), (8, 8), (10, 10)):
            walk.take(EnrichedHeader(TOPIC, first, last, {}))
        assert walk.last == 6
        assert walk.gap(processed=11) == Span(7, 7)
        for source in (7, 8, 9, 10):
            walk.take(EnrichedHeader(TOPIC, source, source, {}))
        assert walk.gap(processed=11) is None

    def test_what_workers_passed_without_a_record_is_missing_too(self) -> None:
        walk = Walk(TOPIC, 4)
        assert walk.gap(processed=5) is None
        assert walk.gap(processed=8) == Span(5, 7)


@pytest.fixture
def line(kafka: str, topic_prefix: str, clickhouse: ClickHouse, database: str, tmp_path: Path) -> Iterator[Line]:
    """A line whose emitter is the worker of a real tracking.events with ten records in partition 0."""
    made = Line.make(kafka, topic_prefix, clickhouse_settings(clickhouse, database), tmp_path)
    name = physical_name(made.kafka, EVENTS)
    made.emitter.topic_id = topic_id(kafka, name)
    with closing(KafkaProducer(bootstrap_servers=kafka)) as producer:
        for _ in range(10):
            producer.send(name, b"", partition=0).get(10)
    yield made
    made.close()


def standing(line: Line) -> Standing:
    with line.client() as client:
        return standings(line.kafka, client)[0]


def commit_of_workers(line: Line, offset: int) -> None:
    line.committed()  # a new broker makes the topic of offsets when it is first asked
    key = TopicPartition(physical_name(line.kafka, EVENTS), 0)
    with closing(admin_client(line.kafka.bootstrap)) as admin:
        admin.alter_group_offsets(
            line.kafka.topic_prefix + STREAMS_GROUP, {key: OffsetAndMetadata(offset, "", -1)}
        )  # fmt: skip


def forget_source(line: Line, before: int) -> None:
    key = TopicPartition(physical_name(line.kafka, EVENTS), 0)
    with closing(admin_client(line.kafka.bootstrap)) as admin:
        admin.delete_records({key: before})


def with_a_gap(line: Line) -> None:
    """Source offsets 2 to 4 of partition 0 are in no enriched record."""
    line.emitter.emit(0, 5)
    line.emitter.emit(0, 5)
    line.emitter.ahead(0, 5)
    line.emitter.ahead(0, 6)
    line.emitter.flush()
    commit_of_workers(line, 7)


def test_a_stopped_partition_goes_on_when_what_is_missing_comes(line: Line) -> None:
    with_a_gap(line)
    loader = line.loader(gap_timeout_s=0.3)
    line.wait(lambda: "partition stopped" in loader.log_text(), "partition 0 stops")
    assert "source offsets 2 to 4 of partition 0 are missing" in loader.log_text()
    assert "sendtrail chain repair --partition 0" in loader.log_text()
    line.wait(lambda: standing(line).loaded == 1, "what came before is loaded")
    found = standing(line)
    assert (found.loaded, found.processed, found.held) == (1, 7, Held(0, 10))
    assert (found.gap, found.gone, found.readable) == (Span(2, 4), None, Span(2, 4))
    for _ in range(6):
        line.emitter.emit(0, 5)
    line.emitter.flush()
    line.wait_loaded(120)
    line.assert_ledger()
    line.wait(lambda: "partition goes on" in loader.log_text(), "it says so")
    assert standing(line).gap is None


def test_what_is_gone_can_be_accepted_and_the_partition_goes_on(line: Line) -> None:
    with_a_gap(line)
    forget_source(line, 4)
    loader = line.loader(gap_timeout_s=0.3)
    line.wait(lambda: "partition stopped" in loader.log_text(), "partition 0 stops")
    assert "tracking.events has 4 still and 2 to 3 no more" in loader.log_text()
    found = standing(line)
    assert (found.gone, found.readable) == (Span(2, 3), Span(4, 4))
    with line.client() as client:
        accept(line.clickhouse, client, found, Span(2, 3), "a broker's disk died")
        with pytest.raises(MendError, match="loaded up to source offset 3"):
            accept(line.clickhouse, client, found, Span(2, 3), "twice")
        rows = client.execute("SELECT src_from, src_offset, accepted FROM audit WHERE accepted != ''")
    assert [row[:2] for row in rows] == [(2, 3)]
    assert rows[0][2].startswith("a broker's disk died (")
    line.wait(lambda: "partition goes on" in loader.log_text(), "it goes on behind what is gone")
    assert standing(line).gap == Span(4, 4)
    line.emitter.next_offset[0] = 4
    for _ in range(4):
        line.emitter.emit(0, 5)
    line.emitter.flush()
    line.wait_loaded(120)
    line.assert_ledger(records=7)  # six records, and the row that says what was accepted
    assert standing(line).gap is None


def test_workers_that_passed_records_without_a_trace_are_found(line: Line) -> None:
    line.emitter.emit(0, 5)
    line.emitter.flush()
    commit_of_workers(line, 4)
    assert standing(line).gap == Span(1, 3)


def test_the_workers_group_is_set_back_while_members_run(line: Line) -> None:
    """Members come back by themselves, and read from where the group was set back to."""
    commit_of_workers(line, 7)
    name, group = physical_name(line.kafka, EVENTS), line.kafka.topic_prefix + STREAMS_GROUP
    made: Callable[[], KafkaConsumer] = lambda: KafkaConsumer(  # noqa: E731
        name, bootstrap_servers=line.kafka.bootstrap, group_id=group, group_instance_id="worker-1",
        enable_auto_commit=False, auto_offset_reset="earliest",
    )  # fmt: skip
    with closing(made()) as member:
        seen: list[int] = []

        def read(offset: int) -> bool:
            seen.extend(r.offset for records in member.poll(timeout_ms=100).values() for r in records)
            return offset in seen

        wait_for(lambda: read(7))
        assert min(seen) == 7
        assert set_back(line.kafka, {0: 2}) == 1
        assert standing(line).processed == 2
        wait_for(lambda: read(2))
        assert min(seen) == 2
        assert set_back(line.kafka, {0: 2}) == 0  # it is there already
        assert set_back(line.kafka, {0: 5}) == 0  # never forward
    assert standing(line).processed == 2
