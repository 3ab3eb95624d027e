"""A gap in the chain of a running line: shown, repaired by the workers themselves, and everything adds up again."""

from __future__ import annotations

import os
import signal
from contextlib import closing

from kafka import KafkaConsumer, OffsetAndMetadata, TopicPartition
from kafka.admin import MemberToRemove
from kafka.errors import NoError

from sendtrail.kafka_admin import admin_client
from sendtrail.kafka_read import partitions_of
from sendtrail.topics import EVENTS, STREAMS_GROUP
from tests.line.running import Line, until
from tests.line.traffic import Mailing, Traffic


def pass_over(bootstrap: str) -> bool:
    """Commit the end of the log for workers that are frozen, as if they had enriched all of it; False if they had."""
    with closing(KafkaConsumer(bootstrap_servers=bootstrap)) as consumer:
        ends = consumer.end_offsets(partitions_of(consumer, EVENTS.name))
    with closing(admin_client(bootstrap)) as admin:
        committed = admin.list_group_offsets(STREAMS_GROUP)[STREAMS_GROUP]
        behind: dict[TopicPartition, int] = {
            at: end for at, end in ends.items() if at not in committed or committed[at].offset < end - 1
        }
        if not behind:
            return False
        members = admin.describe_groups([STREAMS_GROUP])[STREAMS_GROUP]["members"]
        admin.remove_group_members(
            STREAMS_GROUP, [MemberToRemove(group_instance_id=member["group_instance_id"]) for member in members]
        )
        wanted = {at: OffsetAndMetadata(end, "", -1) for at, end in behind.items()}
        return all(answer is NoError for answer in admin.alter_group_offsets(STREAMS_GROUP, wanted).values())


def test_records_that_workers_passed_over_are_enriched_after_all(line: Line) -> None:
    traffic = Traffic(Mailing(line))
    assert {one["gap"] for one in line.lines("chain", "show", "--format", "json")} == {None}
    with traffic.going_on():
        traffic.wait_for_more(30)
        worker = line.services()["worker"]
        os.kill(worker.pid, signal.SIGSTOP)
        try:
            traffic.wait_for_more(100)
            until(lambda: pass_over(line.endpoints["kafka"]), "records are passed over")
        finally:
            os.kill(worker.pid, signal.SIGCONT)
        traffic.wait_for_more(60)
        shown = line.lines("chain", "show", "--format", "json", code=1)
        missing = {one["partition"]: one["gap"] for one in shown if one["gap"]}
        assert missing
        assert [one["readable"] for one in shown if one["gap"]] == list(missing.values())
        first = next(iter(missing))
        refused = line.refused("chain", "accept-gap", "--partition", str(first), "--reason", "no patience", "--yes")
        assert f"sendtrail chain repair --partition {first}" in refused
        told = line.run("chain", "repair", "--dry-run")
        assert all(f"partition {number}: source offsets" in told.stdout for number in missing)
        done = line.run("chain", "repair")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "1 workers join it again" in done.stdout
    traffic.check()
    line.audit()
    assert "nothing is missing" in line.run("chain", "repair").stdout
    assert "the chain is whole" in line.run("chain", "show").stdout
