"""sendtrail migrate on the real engine."""

import json

import pytest
from typer.testing import CliRunner

from sendtrail.cli.main import app
from sinks.migrate import migrations
from tests.support.stack import ClickHouse

pytestmark = pytest.mark.stack


@pytest.fixture
def environment(clickhouse: ClickHouse, database: str) -> dict[str, str]:
    return {
        "SENDTRAIL_CLICKHOUSE_ADDRESS": clickhouse.address,
        "SENDTRAIL_CLICKHOUSE_USER": clickhouse.user,
        "SENDTRAIL_CLICKHOUSE_PASSWORD": clickhouse.password,
        "SENDTRAIL_CLICKHOUSE_DATABASE": database,
    }


def run(environment: dict[str, str], *arguments: str) -> str:
    result = CliRunner(env=environment).invoke(app, ["migrate", *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def test_a_dry_run_prints_the_sql_and_a_run_applies_it(environment: dict[str, str]) -> None:
    shown = run(environment, "--dry-run")
    assert shown.count("-- 0") == len(migrations())
    database = environment["SENDTRAIL_CLICKHOUSE_DATABASE"]
    assert run(environment).splitlines()[-1] == f"{database}: {len(migrations())} applied, nothing is pending"
    assert run(environment).splitlines() == [f"{database}: 0 applied, nothing is pending"]


def test_json_lines_for_machines(environment: dict[str, str]) -> None:
    steps = [json.loads(line) for line in run(environment, "--dry-run", "--json").splitlines()]
    assert [step["name"] for step in steps] == [each.name for each in migrations()]
    assert steps[0]["statement"].startswith("-- Written by")
