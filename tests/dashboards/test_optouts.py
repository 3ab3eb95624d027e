"""`sendtrail optouts` as typed, on real tables."""

import csv
import io
import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from clickhouse_driver import Client

from sendtrail import keyring
from sendtrail.cli import optouts as module
from sendtrail.cli.main import main
from tests.dashboards.test_cli import Outcome
from tests.producers.api.loaders import event, insert
from tests.support.stack import ClickHouse

Run = Callable[..., Outcome]
START = datetime(2026, 6, 1, 12, tzinfo=UTC)


def optout(number: int, how: str = "form", **fields: Any) -> dict[str, Any]:
    """The nth event, a minute after the one before."""
    at = START + timedelta(minutes=number)
    event_id = int(at.timestamp() * 1000).to_bytes(6, "big") + number.to_bytes(10, "big")
    made: dict[str, Any] = {"kind": "optout", "how": how, "event_time": at, "message_id": number, "recipient_key": None}
    return event(event_id, (0, number, 0), **(made | fields))


ROWS = [
    optout(1),
    optout(2, "one_click"),
    optout(3, "view"),
    optout(4, message_id=1),  # pressed again
    optout(5, seed=1),
    optout(6, "", kind="unsubscribed", source="sendgrid", recipient_key=66, recipient_name="f", message_name="m6"),
    optout(7, delivery_id=9, marks=2),  # one of a flood is a wish too
    optout(8, delivery_id=9),
    optout(8, delivery_id=9, sign=-1, src_offset=90),  # judged again: the machine that pressed is no less a wish
    optout(8, delivery_id=9, rev=1, src_offset=90) | {"class": "machine"},
]


@pytest.fixture
def run(
    client: Client, clickhouse: ClickHouse, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], tmp_path: Path,
) -> Run:  # fmt: skip
    """Runs the command on tables with ROWS in them."""
    monkeypatch.chdir(tmp_path)
    for name in ("address", "user", "password"):
        monkeypatch.setenv(f"SENDTRAIL_CLICKHOUSE_{name.upper()}", getattr(clickhouse, name))
    ((database,),) = client.execute("SELECT currentDatabase()")
    monkeypatch.setenv("SENDTRAIL_CLICKHOUSE_DATABASE", database)
    keyring.save(tmp_path / ".sendtrail" / "keys.toml", keyring.new_keyring())
    insert(client, "deliveries", [{"delivery_id": 7, "name": "june"}])
    insert(client, "events", [{"marks": 0, "source": "edge"} | row for row in ROWS])
    insert(client, "message_state", [
        {"delivery_id": 7, "message_id": 2, "recipient_key": 2**63 + 5, "recipient_name": "ana@example.com",
         "message_name": "m-2"}
    ])  # fmt: skip

    def run(*arguments: str) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["sendtrail", "optouts", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return Outcome(int(ended.value.code or 0), said.out, said.err)

    return run


def listed(outcome: Outcome) -> list[dict[str, Any]]:
    assert outcome.code == 0, outcome.err
    return [json.loads(line) for line in outcome.out.splitlines()]


def test_the_list(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BATCH", 2)
    rows = listed(run("--format", "ndjson"))
    assert [(row["delivery"], row["message"], row["how"]) for row in rows] == [
        ("7", "1", "form"), ("7", "2", "one_click"), ("7", "6", "fed"), ("9", "7", "form"), ("9", "8", "form"),
    ]  # fmt: skip
    assert rows[1] == {
        "time": "2026-06-01T12:02:00.000+00:00", "delivery": "7", "delivery_name": "june", "message": "2",
        "message_name": "m-2", "recipient": str(2**63 + 5), "recipient_name": "ana@example.com", "how": "one_click",
        "source": "edge",
    }  # fmt: skip
    assert (rows[2]["recipient"], rows[2]["recipient_name"], rows[2]["source"]) == ("66", "f", "sendgrid")
    assert (rows[0]["recipient"], rows[0]["recipient_name"]) == (None, "")
    as_csv = list(csv.DictReader(io.StringIO(run("--format", "csv").out)))
    assert [(row["message"], row["recipient"]) for row in as_csv] == [
        (row["message"], row["recipient"] or "") for row in rows
    ]


def test_filters_and_the_table_for_people(run: Run) -> None:
    assert [row["message"] for row in listed(run("-d", "june", "--format", "ndjson"))] == ["1", "2", "6"]
    assert [row["message"] for row in listed(run("-d", "june", "-d", "9", "--how", "form", "--format", "ndjson"))] == [
        "1", "7", "8"
    ]  # fmt: skip
    since = run("--since", "2026-06-01T12:06", "--format", "ndjson")
    assert [row["message"] for row in listed(since)] == ["6", "7", "8"]
    assert listed(run("--since", "2026-06-02T00:00+02:00", "--format", "ndjson")) == []
    table = run("-d", "june").out.splitlines()
    assert [line.split() for line in table] == [
        ["time", "(UTC)", "delivery", "recipient", "message", "how"],
        ["2026-06-01", "12:01:00", "june", "–", "1", "form"],
        ["2026-06-01", "12:02:00", "june", "ana@example.com", "m-2", "one_click"],
        ["2026-06-01", "12:06:00", "june", "f", "m6", "fed"],
    ]
    assert run("--since", "2027-01-01").out.splitlines()[1] == "no opt-outs"
    assert (run("-d", "nobody").code, run("--since", "soon").code, run("--how", "mail").code) == (1, 2, 2)
