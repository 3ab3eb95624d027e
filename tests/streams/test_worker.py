"""A real worker on a real Kafka: packs in, enriched records out, whatever is among them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
from kafka.admin import ConfigResource, ConfigResourceType

from sendtrail.deliveries import Delivery, key_of
from sendtrail.enriched import EventRow
from sendtrail.events import encode
from sendtrail.kafka_admin import admin_client
from sendtrail.kafka_read import read_to_end
from sendtrail.local.kafka import KafkaBroker
from sendtrail.local.process import free_port
from sendtrail.packs import PackHeader, Totals, headers_of
from sendtrail.partitions import partition_of
from sendtrail.topics import DELIVERIES, ENRICHED, REJECTS
from streams.errors import EXIT_RESTART
from tests.streams.running import PARTITIONS, Line, WorkerProcess, wait_for


def test_packs_in_records_out(line: Line) -> None:
    spring = Delivery(delivery=7, label="Spring")
    line.producer.send(line.topic(DELIVERIES.name), msgspec.json.encode(spring), key=key_of(spring).encode())
    some = line.send_some(20, packs=3)
    again = some[0]
    line.send([again], remember=False)
    totals = Totals("edge", 61, 0, {"0": {"1": 61}})
    line.send_raw(0, b"", headers_of(PackHeader(line.spool, 0, 0, 0, 0), totals))
    line.send_raw(1, None, key=b"a tombstone")
    line.send_raw(1, b"\x00 no pack \xff")
    wrong = line.open(1)
    line.send_pack((partition_of(wrong, PARTITIONS) + 1) % PARTITIONS, [wrong])
    line.send_raw(0, b"not json\n" + encode(some[1]), headers_of(PackHeader(line.spool, 0, 0, 1, 2)))
    line.producer.flush()
    worker = line.worker()
    line.assert_ledger()
    chain = line.chain()
    rows = {row.event_id: row for read in chain for row in read.rows if isinstance(row, EventRow)}
    row = rows[some[0].event_id]
    assert (row.delivery_label, row.client, row.class_, row.network) == ("Spring", "Chrome", "human", "documentation")
    reasons = sorted(row.reason for row in line.rejects(chain))
    assert reasons[:2] == ["bad_pack", "bad_pack"]
    assert "wrong_partition" in reasons
    assert "undecodable" in reasons
    counts = [minute for read in chain for minute in read.header.counts.values()]
    assert sum(minute.events_in for minute in counts) == sum(
        minute.out + minute.duplicate + minute.resent + minute.rejected for minute in counts
    )
    assert sum(minute.resent + minute.duplicate for minute in counts) >= 1
    assert [read.header.totals for read in chain if read.header.totals] == [totals]
    rejects = {row.key for row in line.rejects(chain)}
    wait_for(lambda: _copied(line) >= rejects, explain=lambda: "copies of the rejects")
    _drains(line, worker)


def _copied(line: Line) -> set[str]:
    """Keys of tracking.rejects."""
    records = read_to_end(line.kafka.bootstrap, line.topic(REJECTS.name), lambda _consumer, _partitions: {})
    return {record.key.decode() for record in records}


def _drains(line: Line, worker: WorkerProcess) -> None:
    health = worker.health()
    assert health["ready"]
    assert {number: part["done"] for number, part in health["partitions"].items()} == {
        str(number): end for number, end in line.ends().items()
    }
    assert worker.stop() == 0
    assert line.committed() == line.ends()


def test_a_second_worker_on_the_same_directory_ends_with_a_message(line: Line) -> None:
    first = line.worker()
    wait_for((line.directory / "worker" / "member").exists)
    second = line.worker()
    assert second.wait() == 4
    assert second.said("another worker uses")
    assert first.process.poll() is None


def test_sigterm_ends_a_worker_whose_broker_is_gone(make_broker: Callable[[], KafkaBroker], tmp_path: Path) -> None:
    """Though a batch waits for an answer."""
    broker = make_broker()
    line = Line.make(broker.bootstrap, "t.", tmp_path)
    try:
        line.send_some(20)
        worker = line.worker()
        line.wait_enriched()
        line.send_some(300, packs=100)
        line.producer.close(10)
        broker.kill()
        assert worker.stop() == 0
    finally:
        line.close()


def test_an_output_the_broker_refuses_ends_the_worker_before_anything_is_committed(line: Line) -> None:
    limit(line, "2000")
    line.send_some(4)
    line.send_some(200)  # more than fits
    worker = line.worker()
    assert worker.wait() == EXIT_RESTART
    assert worker.said("was not acknowledged: ")
    assert line.committed() == dict.fromkeys(range(PARTITIONS), 0)
    limit(line, str(ENRICHED.max_bytes))
    line.worker()
    line.assert_ledger()


def limit(line: Line, size: str) -> None:
    """Bytes of a record that tracking.enriched takes."""
    admin = admin_client(line.kafka.bootstrap)
    admin.alter_configs(
        [ConfigResource(ConfigResourceType.TOPIC, line.topic(ENRICHED.name), configs={"max.message.bytes": size})]
    )
    admin.close()


def test_a_worker_without_a_broker_waits_for_one(tmp_path: Path) -> None:
    """Faust would end at once, again and again."""
    log = tmp_path / "worker.log"
    environment = {
        "SENDTRAIL_KAFKA_BOOTSTRAP": f"127.0.0.1:{free_port()}",
        "SENDTRAIL_STREAMS_STATE_DIR": str(tmp_path / "state"),
    }
    worker = WorkerProcess(environment, log, [])
    wait_for(lambda: worker.said("no Kafka broker answers"), explain=log.read_text)
    assert worker.stop() == 0
