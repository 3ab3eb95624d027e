"""A running loader erases and purges by itself, killed in between too, and what comes later is alike."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sendtrail import keyring
from sendtrail.removal.deletions import delete, deletions
from sendtrail.removal.erasures import ask, erasures, pseudonym_of
from sinks import purge
from sinks.recount import aggregates, differing
from tests.support.line import clickhouse_settings
from tests.support.loading import Line
from tests.support.stack import ClickHouse

RECIPIENT, GONE = 21, 3  # Emitter: recipients are multiples of 7, deliveries 1 to 3


@pytest.fixture
def line(kafka: str, topic_prefix: str, clickhouse: ClickHouse, database: str, tmp_path: Path) -> Iterator[Line]:
    made = Line.make(kafka, topic_prefix, clickhouse_settings(clickhouse, database), tmp_path)
    yield made
    made.close()


def emit_some(line: Line) -> None:
    for number in range(4):
        line.emitter.emit(number % 2, 40, relabels=5)
    line.emitter.flush()


def test_what_was_asked_for_is_carried_out(line: Line, tmp_path: Path) -> None:
    keys = keyring.new_keyring()
    keyring.save(tmp_path / "keys.toml", keys)
    environment = {"SENDTRAIL_KEYS_FILE": str(tmp_path / "keys.toml")}
    loader = line.loader(environment=environment)
    emit_some(line)
    line.wait_loaded()
    with line.client() as client:
        ask(client, RECIPIENT, "", "", "pages")
        delete(client, GONE, "pages", 0)
        emit_some(line)
        line.wait(lambda: any(one.began for one in erasures(client)), "the erasure begins", 90)
        loader.kill()
        loader = line.loader(environment=environment)
        emit_some(line)
        line.wait(lambda: all(one.done for one in erasures(client)), "the recipient is erased", 150)
        line.wait(lambda: [one.state for one in deletions(client)] == ["purged"], "the delivery is purged", 150)
        emit_some(line)
        line.wait_loaded(90)
        assert loader.running

        pseudonym = pseudonym_of(keys.naming_key, RECIPIENT)
        for table in ("events", "message_activity", "message_state", "recipient_activity"):
            asked = (
                f"SELECT countIf(recipient_key = {RECIPIENT}), countIf(recipient_key = {pseudonym}) > 0 FROM {table}"
            )
            assert client.execute(asked) == [(0, 1)], table
        named = f"recipient_key = {pseudonym} AND (address != '' OR user_agent != '')"
        assert client.execute(f"SELECT count() FROM events WHERE {named}") == [(0,)]

        expected = sum(delivery != GONE for delivery, _ in line.emitter.events.values())
        assert client.execute(f"SELECT sum(sign) FROM events WHERE delivery_id != {GONE}") == [(expected,)]
        assert client.execute(f"SELECT count() FROM v_events WHERE delivery_id = {GONE}") == [(0,)]
        # Hits that came late, and what an open plan put back, go with the next round, each counted once.
        purge.purge(client, line.clickhouse, purge.come_back(client), lambda gone: None)
        assert client.execute(f"SELECT count() FROM events WHERE delivery_id = {GONE}") == [(0,)]
        gone = len(line.emitter.events) - expected
        assert client.execute("SELECT sum(events) FROM purged_events FINAL") == [(gone,)]
        assert {one.target: differing(client, one, [1, 2, GONE]) for one in aggregates(client)} == {
            one.target: 0 for one in aggregates(client)
        }
