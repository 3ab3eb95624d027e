"""Migrations: rendering, the record of what is applied, and runs that meet or are killed."""

import re
import threading
from collections.abc import Iterator, Sequence

import pytest
from clickhouse_driver import Client

from sendtrail.clickhouse import connect
from sendtrail.settings import ClickHouseSettings, Config
from sinks.comments import without_comments
from sinks.migrate import Applied, Migration, MigrationError, applied, migrate, migrations, pending, render
from tests.support.line import clickhouse_settings
from tests.support.stack import ClickHouse, random_name

PLAIN = Config({}).section(ClickHouseSettings, database="tracking")
REPLICATED = Config({}).section(ClickHouseSettings, database="tracking", replicated=True, cluster="main")


def step(name: str, text: str) -> Migration:
    return Migration(name, text, f"{hash(text):064x}"[-64:].replace("-", "0"))


def files(ran: Sequence[Applied]) -> list[str]:
    """Names of the files among what was run; the rest are comments of views."""
    return [each.name for each in ran if not each.name.startswith("comments of ")]


def test_files_are_numbered_and_hold_one_statement_each() -> None:
    steps = migrations()
    numbers = [int(each.name[:4]) for each in steps]
    assert len(numbers) == len(set(numbers))
    for each in steps:
        body = without_comments(each.text)
        assert ";" not in body
        assert " IF NOT EXISTS " in body or body.startswith("CREATE OR REPLACE VIEW ")


def test_nothing_is_left_of_the_placeholders() -> None:
    for settings in (PLAIN, REPLICATED):
        for each in migrations():
            assert "{" not in render(each.text, settings)


def test_plain_and_replicated_tables_come_from_one_text() -> None:
    text = "CREATE TABLE {database}.t{on_cluster} ENGINE = {engine:SummingMergeTree(n)} SETTINGS {dedup}"
    assert render(text, PLAIN, 500) == (
        "CREATE TABLE tracking.t ENGINE = SummingMergeTree(n) SETTINGS non_replicated_deduplication_window = 500"
    )
    assert render(text, REPLICATED, 500) == (
        "CREATE TABLE tracking.t ON CLUSTER 'main' ENGINE = ReplicatedSummingMergeTree(n) "
        "SETTINGS replicated_deduplication_window = 500, replicated_deduplication_window_seconds = 604800"
    )
    assert render("{no_dedup}", REPLICATED) == "replicated_deduplication_window = 0"


def test_every_table_of_the_replicated_variant_is_replicated() -> None:
    for each in migrations():
        text = render(each.text, REPLICATED)
        assert " ON CLUSTER 'main'" in text
        assert text.count("ENGINE = Replicated") == ("CREATE TABLE" in text)


def test_views_that_inserts_feed_ask_for_a_pause() -> None:
    feeding = {each.name for each in migrations() if each.changes_views}
    assert feeding == {each.name for each in migrations() if each.name.endswith("_mv.sql")}


@pytest.mark.stack
class TestOnTheEngine:
    """With the real engine."""

    @pytest.fixture
    def settings(self, clickhouse: ClickHouse, database: str) -> ClickHouseSettings:
        return clickhouse_settings(clickhouse, database)

    @pytest.fixture
    def client(self, settings: ClickHouseSettings) -> Iterator[Client]:
        with connect(settings, database="default") as client:
            yield client

    def test_a_database_is_made_on_demand_and_a_second_run_does_nothing(self, clickhouse: ClickHouse) -> None:
        settings = clickhouse_settings(clickhouse, random_name("test"))
        with connect(settings, database="default") as client:
            assert len(pending(client, settings)) == len(migrations())
            assert files(migrate(client, settings)) == [each.name for each in migrations()]
            assert (migrate(client, settings), pending(client, settings)) == ([], [])
            client.execute(f"DROP DATABASE {settings.database} SYNC")

    def test_a_dry_run_shows_what_would_be_run_and_runs_nothing(
        self, client: Client, settings: ClickHouseSettings
    ) -> None:
        shown = migrate(client, settings, dry_run=True)
        assert "ENGINE = MergeTree" in dict(shown)["0014_audit.sql"]
        assert client.execute(f"SHOW TABLES FROM {settings.database}") == []

    def test_loaders_are_held_while_a_view_that_inserts_feed_is_added(
        self, client: Client, settings: ClickHouseSettings
    ) -> None:
        migrate(client, settings)
        view = "CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.v TO {database}.touched AS "
        view += "SELECT delivery_id, now64(3) AS at FROM {database}.events"
        look = (
            "CREATE TABLE IF NOT EXISTS {database}.seen ENGINE = Log AS SELECT member, value FROM {database}.control "
        )
        look += "FINAL WHERE name = 'pause'"
        steps = [step("9000_v_mv.sql", view), step("9001_seen.sql", look)]
        migrate(client, settings, steps=[*migrations(), *steps])
        [(tool, value)] = client.execute(f"SELECT member, value FROM {settings.database}.seen")
        assert (tool[:8], value) == ("migrate-", "on")
        assert client.execute(f"SELECT value FROM {settings.database}.control FINAL WHERE name = 'pause'") == [("off",)]

    def test_a_changed_file_is_an_error_that_names_it(self, client: Client, settings: ClickHouseSettings) -> None:
        steps = [*migrations()[:1], step("0002_a.sql", "CREATE TABLE IF NOT EXISTS {database}.a (x Int8) ENGINE = Log")]
        migrate(client, settings, steps=steps)
        with pytest.raises(MigrationError, match=r"0002_a.sql was changed after it was applied"):
            migrate(client, settings, steps=[steps[0], step("0002_a.sql", "SELECT 1")])

    def test_a_database_of_a_newer_release_is_an_error(self, client: Client, settings: ClickHouseSettings) -> None:
        steps = [*migrations()[:1], step("0999_new.sql", "SELECT 1")]
        migrate(client, settings, steps=steps)
        with pytest.raises(MigrationError, match=r"0999_new.sql.*older than the database"):
            migrate(client, settings)

    def test_a_run_goes_on_where_a_killed_one_ended(self, client: Client, settings: ClickHouseSettings) -> None:
        """Also where the statement was done and its record was not written."""
        steps = migrations()
        migrate(client, settings, steps=steps[:6])
        client.execute(render(steps[6].text, settings))
        assert files(migrate(client, settings)) == [each.name for each in steps[6:]]
        assert applied(client, settings) == {each.name: each.checksum for each in steps}

    def test_two_runs_at_once(self, settings: ClickHouseSettings) -> None:
        failures: list[BaseException] = []

        def run() -> None:
            try:
                with connect(settings, database="default") as client:
                    migrate(client, settings)
            except Exception as error:
                failures.append(error)

        threads = [threading.Thread(target=run) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        with connect(settings) as client:
            tables: Sequence[tuple[str]] = client.execute("SHOW TABLES")
            created = {re.search(r"\{database\}\.(\w+)", each.text)[1] for each in migrations()}  # type: ignore[index]
            assert {name for (name,) in tables} == created

    def test_the_replicated_variant_is_sql(self, client: Client) -> None:
        """It can't be run here, the embedded engine having no Keeper; it can be parsed."""
        for each in migrations():
            assert client.execute("EXPLAIN AST " + render(each.text, REPLICATED)), each.name

    def test_every_target_of_a_view_remembers_blocks_but_touched(
        self, client: Client, settings: ClickHouseSettings
    ) -> None:
        migrate(client, settings, dedup_window=777)
        tables = dict(
            client.execute(
                "SELECT name, create_table_query FROM system.tables WHERE database = {database:String}",
                {"database": settings.database},
            )
        )
        views = [name for name in tables if name.endswith("_mv")]
        assert len(views) == 9
        for name in ("events", "rejects", "audit", *(view.removesuffix("_mv") for view in views)):
            window = 0 if name == "touched" else 777
            assert f"non_replicated_deduplication_window = {window}" in tables[name], name
