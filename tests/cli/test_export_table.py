"""sendtrail export-table on the real engine: what a file holds is what the table holds."""

import csv
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from clickhouse_driver import Client
from typer.testing import CliRunner, Result

from sendtrail.cli.main import app
from sendtrail.settings import Config
from sinks.export import FORMATS, ExportError, Statement, pieces
from tests.dashboards.happenings import Happening, Judgement, Numbered, Registered, insert, register
from tests.support.line import clickhouse_settings, migrated
from tests.support.stack import ClickHouse
from tests.support.tracked import NOW_MS

pytestmark = pytest.mark.stack

DAY_MS = 86_400_000
COLUMNS = "event_id,event_time,kind,class,hit,message_id,destination,attributes"


@pytest.fixture
def client(clickhouse: ClickHouse, database: str) -> Iterator[Client]:
    """Two deliveries on three days; one click is re-labelled, one URL needs quoting."""
    numbered = Numbered()
    url = 'https://shop.example/?q="a,b"&\nc=ñ'
    judged = (Judgement(), Judgement("machine", reasons="known_bot"))
    happenings = [
        Happening(delivery, message, "click", NOW_MS + message * DAY_MS, destination=url, person=message,
                  judgements=judged if message == 1 else (Judgement(),), url_id=3)
        for delivery in (1, 1 << 63)
        for message in range(3)
    ]  # fmt: skip
    with migrated(clickhouse, database) as made:
        register(made, [Registered(1, "june", contact_ms=NOW_MS), Registered(1 << 63, "july", contact_ms=NOW_MS)])
        insert(made, [numbered(one) for one in happenings])
        yield made


@pytest.fixture
def environment(clickhouse: ClickHouse, database: str, tmp_path: Path) -> dict[str, str]:
    return {
        "SENDTRAIL_CLICKHOUSE_ADDRESS": clickhouse.address,
        "SENDTRAIL_CLICKHOUSE_HTTP_URL": clickhouse.http,
        "SENDTRAIL_CLICKHOUSE_USER": clickhouse.user,
        "SENDTRAIL_CLICKHOUSE_PASSWORD": clickhouse.password,
        "SENDTRAIL_CLICKHOUSE_DATABASE": database,
        "SENDTRAIL_KEYS_FILE": str(tmp_path / "none.toml"),
    }


def run(environment: dict[str, str], *arguments: object) -> Result:
    return CliRunner(env=environment).invoke(app, ["export-table", *map(str, arguments)])


def lines(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def stored(client: Client, text: str) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = client.execute(text)
    return sorted(found)


def test_parquet_holds_the_rows(client: Client, environment: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "events.parquet"
    assert run(environment, "v_events", "--columns", COLUMNS, "--output", file).exit_code == 0
    types, rows = read_parquet(file)
    wanted = stored(client, f"SELECT {COLUMNS} FROM v_events")
    assert len(wanted) == 6
    assert sorted(tuple(row) for row in rows) == [
        (id_, at.isoformat(sep=" ", timespec="milliseconds")[:23], *rest) for id_, at, *rest in wanted
    ]
    assert types == {"event_id": "String", "event_time": "DateTime64(3, 'UTC')", "message_id": "UInt64"} | {
        name: types[name] for name in ("kind", "class", "hit", "destination", "attributes")
    }


def read_parquet(file: Path) -> tuple[dict[str, str], list[list[Any]]]:
    """Types and rows, read by an engine of its own."""
    code = "import sys, chdb; sys.stdout.write(str(chdb.query(sys.argv[1], 'JSONCompactEachRowWithNamesAndTypes')))"
    query = f"SELECT * FROM file('{file}', Parquet) SETTINGS schema_inference_make_columns_nullable = 0"
    query += ", output_format_json_quote_64bit_integers = 0"
    shown = subprocess.run([sys.executable, "-c", code, query], capture_output=True, text=True, check=True)
    names, types, *rows = [json.loads(line) for line in shown.stdout.splitlines()]
    return dict(zip(names, types, strict=True)), rows


def test_ndjson_and_csv_hold_the_rows(client: Client, environment: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "events.csv"
    chosen = "delivery_id,message_id,class,destination"
    assert run(environment, "v_events", "--columns", chosen, "--format", "csv", "--output", file).exit_code == 0
    with file.open(newline="") as opened:
        rows = list(csv.DictReader(opened))
    as_json = lines(run(environment, "v_events", "--columns", chosen, "--format", "ndjson", "--output", "-"))
    wanted = stored(client, f"SELECT {chosen} FROM v_events")
    assert sorted(tuple(row.values()) for row in as_json) == wanted
    assert sorted((int(d), int(m), c, u) for d, m, c, u in (row.values() for row in rows)) == wanted
    assert {row["class"] for row in rows} == {"human", "machine"}


def test_a_delivery_is_named_or_given_by_key(client: Client, environment: dict[str, str]) -> None:
    for name, key in (("june", 1), (str(1 << 63), 1 << 63)):
        asked = ["v_events", "-d", name, "--format", "ndjson", "--columns", "delivery_id", "--output", "-"]
        assert lines(run(environment, *asked)) == [{"delivery_id": key}] * 3
    result = run(environment, "v_events", "-d", "1) OR 1 = 1 --", "--output", "-")
    assert result.exit_code == 1
    assert "is registered" in str(result.exception)


@pytest.mark.parametrize(("table", "column"), [("v_events", "event_time"), ("v_hits_by_minute", "minute"),
                                                ("v_breakdown", "day"), ("v_deliveries", "contact_date")])  # fmt: skip
def test_from_is_included_and_to_is_not(client: Client, environment: dict[str, str], table: str, column: str) -> None:
    moment = datetime.fromtimestamp(NOW_MS / 1000, UTC)
    day = moment.replace(hour=0, minute=0, second=0)
    asked = [table, "--format", "ndjson", "--columns", column, "--output", "-"]
    whole = lines(run(environment, *asked))
    later = lines(run(environment, *asked, "--from", day.replace(day=day.day + 1).isoformat()))
    sooner = lines(run(environment, *asked, "--to", f"{day.replace(day=day.day + 1):%Y-%m-%d}"))
    assert sooner
    assert sorted(map(str, later + sooner)) == sorted(map(str, whole))
    assert not {str(row) for row in later} & {str(row) for row in sooner}
    exact = lines(run(environment, *asked, "--to", whole[0][column]))
    assert whole[0] not in exact


def test_tables_are_merged_unless_parts_are_asked_for(client: Client, environment: dict[str, str]) -> None:
    asked = ["events", "-d", "june", "--format", "ndjson", "--columns", "message_id,sign,rev", "--output", "-"]
    client.execute("SYSTEM STOP MERGES events")
    client.execute(
        "INSERT INTO events (delivery_id, event_id, rev, sign, kind, message_id, event_time) "
        "SELECT delivery_id, event_id, rev, -1, kind, message_id, event_time FROM events WHERE message_id = 2"
    )
    merged = lines(run(environment, *asked))
    assert sorted((row["message_id"], row["rev"]) for row in merged) == [(0, 0), (1, 1)]
    assert len(lines(run(environment, *asked, "--parts"))) > len(merged)


def test_a_limit(client: Client, environment: dict[str, str]) -> None:
    asked = ["v_events", "--format", "ndjson", "--columns", "kind", "--limit", 2, "--output", "-"]
    assert lines(run(environment, *asked)) == [{"kind": "click"}] * 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["v_events;DROP"], "no table or view"),
        (["system.users"], "no table or view"),
        (["v_events", "--columns", "kind, now()"], "has no column"),
        (["v_rejects", "-d", "june"], "has no column delivery_id"),
        (["v_indicators", "--from", "2026-01-01"], "no column with a time"),
        (["v_events", "--to", "yesterday"], "is no time"),
    ],
)
def test_what_is_not_there_is_wrong_usage(
    client: Client, environment: dict[str, str], arguments: list[str], said: str
) -> None:
    result = run(environment, *arguments, "--output", "-")
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in " ".join(result.stderr.replace("│", " ").split())


@pytest.mark.parametrize("form", FORMATS)
def test_an_answer_that_breaks_off_leaves_no_file(
    client: Client, environment: dict[str, str], tmp_path: Path, form: str
) -> None:
    client.execute(
        "CREATE VIEW broken AS SELECT number, throwIf(number = 3000000, 'no more') AS x FROM numbers(5000000)"
    )
    file = tmp_path / "broken"
    file.write_text("of before")
    result = run(environment, "broken", "--format", form, "--output", file)
    assert result.exit_code == 1
    assert isinstance(result.exception, ExportError)
    assert "no more" in str(result.exception)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("broken", "of before")]


def test_clickhouse_away_and_a_wrong_password(client: Client, environment: dict[str, str]) -> None:
    away = run(environment | {"SENDTRAIL_CLICKHOUSE_HTTP_URL": "http://127.0.0.1:9"}, "v_events", "--output", "-")
    assert away.exit_code == 4
    assert "does not answer at http://127.0.0.1:9" in away.stderr


def test_a_wrong_password_is_said(clickhouse: ClickHouse, client: Client, database: str) -> None:
    settings = clickhouse_settings(clickhouse, database).model_copy(update={"http_url": clickhouse.http})
    stranger = settings.model_copy(update={"password": type(settings.password)("wrong")})
    with pytest.raises(ExportError, match="refuses the user or password"):
        list(pieces(stranger, Statement("SELECT 1"), "csv"))


def test_nothing_can_be_changed(clickhouse: ClickHouse, client: Client, database: str) -> None:
    settings = clickhouse_settings(clickhouse, database).model_copy(update={"http_url": clickhouse.http})
    with pytest.raises(ExportError, match="refused the export"):
        list(pieces(settings, Statement("INSERT INTO touched (delivery_id) SELECT 1"), "csv"))


def test_a_running_stack_leads_to_its_http_interface(tmp_path: Path) -> None:
    from sendtrail.local.datadir import DataDir
    from sendtrail.local.ports import free_ports
    from sendtrail.local.stack import Stack

    directory = DataDir(tmp_path)
    ports = free_ports(tmp_path / "ports.json")
    tables = Stack(directory, ports, Config({}), print).tables
    directory.release()
    assert tables["clickhouse"]["http_url"] == f"http://127.0.0.1:{ports.http}"
