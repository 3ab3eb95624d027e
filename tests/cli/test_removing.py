"""sendtrail deliveries, erase and export on the real engine, as a person types them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from clickhouse_driver import Client
from typer.testing import CliRunner, Result

from sendtrail import keyring
from sendtrail.cli.main import app
from sendtrail.naming import key
from sendtrail.removal.deletions import RemovalError
from tests.dashboards.happenings import Happening, Judgement, Numbered, Registered, insert, register
from tests.support.line import migrated
from tests.support.stack import ClickHouse
from tests.support.tracked import NOW_MS

pytestmark = pytest.mark.stack

RING = keyring.new_keyring()
ANNA = key(RING.naming_key, "", "recipient", "anna")
JUNE, JULY = key(RING.naming_key, "", "delivery", "june"), key(RING.naming_key, "", "delivery", "july")


@pytest.fixture
def client(clickhouse: ClickHouse, database: str) -> Iterator[Client]:
    """Two deliveries with a click each."""
    numbered = Numbered()
    with migrated(clickhouse, database) as made:
        register(made, [Registered(JUNE, "june", contact_ms=NOW_MS), Registered(JULY, "july", contact_ms=NOW_MS)])
        clicks = [
            Happening(
                one, 1, "click", NOW_MS, destination="https://shop.example/", person=1, judgements=(Judgement(),),
                recipient=ANNA,
            )
            for one in (JUNE, JULY)
        ]  # fmt: skip
        insert(made, [numbered(one) for one in clicks])
        yield made


@pytest.fixture
def environment(client: Client, clickhouse: ClickHouse, database: str, tmp_path: Path) -> dict[str, str]:
    keyring.save(tmp_path / "keys.toml", RING)
    return {
        "SENDTRAIL_CLICKHOUSE_ADDRESS": clickhouse.address,
        "SENDTRAIL_CLICKHOUSE_HTTP_URL": clickhouse.http,
        "SENDTRAIL_CLICKHOUSE_USER": clickhouse.user,
        "SENDTRAIL_CLICKHOUSE_PASSWORD": clickhouse.password,
        "SENDTRAIL_CLICKHOUSE_DATABASE": database,
        "SENDTRAIL_KEYS_FILE": str(tmp_path / "keys.toml"),
    }


def run(environment: dict[str, str], *arguments: str) -> Result:
    return CliRunner(env=environment).invoke(app, arguments)


def deleted(environment: dict[str, str]) -> list[tuple[str, str]]:
    """What is deleted: name and state."""
    told: list[dict[str, Any]] = [
        json.loads(line) for line in run(environment, "deliveries", "list", "--json").stdout.splitlines()
    ]
    return sorted((one["name"], one["state"]) for one in told)


def test_deliveries_go_by_name_and_key_and_one_comes_back(environment: dict[str, str]) -> None:
    gone = run(environment, "deliveries", "delete", "june", str(JULY), "june", "--yes")
    assert gone.exit_code == 0, gone.output
    assert deleted(environment) == [("july", "deleted"), ("june", "deleted")]
    back = run(environment, "deliveries", "restore", "june")
    assert (back.exit_code, back.stdout) == (0, "june: is back\n")
    assert deleted(environment) == [("july", "deleted")]
    assert "july" in run(environment, "deliveries", "list").stdout


def test_what_is_not_there_or_not_deleted_is_named(environment: dict[str, str]) -> None:
    unknown = run(environment, "deliveries", "delete", "june", "may", "--yes")
    assert isinstance(unknown.exception, RemovalError)
    assert "'may'" in str(unknown.exception)
    assert deleted(environment) == []
    run(environment, "deliveries", "delete", "july", "--yes")
    kept = run(environment, "deliveries", "purge", "july", "july", "june", "--yes")
    assert isinstance(kept.exception, RemovalError)
    assert "'june' is not deleted" in str(kept.exception)
    assert deleted(environment) == [("july", "deleted")]


def test_nothing_goes_where_nobody_can_be_asked(environment: dict[str, str]) -> None:
    assert run(environment, "deliveries", "delete", "june").exit_code == 2
    assert run(environment, "erase", "--recipient", "anna").exit_code == 2
    assert deleted(environment) == []


def test_a_recipient_is_looked_for_and_exported_and_nothing_changes(
    client: Client, environment: dict[str, str], tmp_path: Path
) -> None:
    looked = run(environment, "erase", "--recipient", "anna", "--dry-run")
    assert looked.exit_code == 0, looked.output
    assert "rows tell of the recipient" in looked.stdout
    assert client.execute("SELECT count() FROM erasures") == [(0,)]
    file = tmp_path / "anna.json"
    exported = run(environment, "export", "--recipient", "anna", "-o", str(file))
    assert exported.exit_code == 0, exported.output
    text = file.read_text()
    assert (str(ANNA) in text, "https://shop.example/" in text) == (True, True)
    assert run(environment, "export", "--recipient", "anna", "-o", str(tmp_path / "anna.txt")).exit_code == 2
    nobody = run(environment, "export", "--recipient", "ben", "-o", str(tmp_path / "ben.json"))
    assert (nobody.exit_code, nobody.stdout) == (1, "nothing is stored about 'ben'\n")
