"""Comments of tables and columns: once in the migrations, everywhere in the database, never part of a checksum."""

import hashlib
from collections.abc import Iterator
from importlib.resources import files

import pytest
from clickhouse_driver import Client

from sendtrail.clickhouse import connect
from sendtrail.settings import ClickHouseSettings, Config
from sinks.comments import column_words, statements, without_comments, words
from sinks.migrate import Migration, applied, migrate, migrations, pending, render
from tests.support.line import clickhouse_settings
from tests.support.stack import ClickHouse

TOLD = words([step.text for step in migrations()])
REPLICATED = Config({}).section(ClickHouseSettings, database="tracking", replicated=True, cluster="main")
TABLE = """CREATE TABLE IF NOT EXISTS {database}.t{on_cluster}
(
    a Int8 COMMENT '%s',
    b Int8
)
ENGINE = Memory
COMMENT '%s'"""


def test_words_are_read_from_declarations_expressions_and_other_tables() -> None:
    view = """-- Columns as in: t.
CREATE VIEW IF NOT EXISTS {database}.v{on_cluster}
(
    a Int8,
    c Enum8('x' = 1,
            'y' = 2)
      COMMENT 'the view''s own'
)
AS SELECT a, b > 1 AS d,   -- 1 = more than one
    e
FROM {database}.t
COMMENT 'A view; it''s one.'"""
    told = words([TABLE % ("first", "A table."), view])
    assert told["v"].table == "A view; it's one."
    assert {name: column_words(told, "v", name) for name in "abcde"} == {
        "a": "first", "b": "", "c": "the view's own", "d": "1 = more than one", "e": "",
    }  # fmt: skip


def test_a_checksum_is_of_what_is_not_a_comment() -> None:
    one, other = TABLE % ("a", "b"), "-- why\n" + TABLE % ("it''s another; word", "c")
    assert without_comments(one) == without_comments(other)
    assert without_comments(one) != without_comments(one.replace("Int8", "Int16"))


def test_every_table_and_view_says_its_grain_and_every_view_that_feeds_what_it_feeds() -> None:
    for step in migrations():
        (told,) = words([step.text]).values()
        if "ADD COLUMN" in step.text:
            assert not told.table, step.name
            assert told.columns, step.name
            continue
        assert ("Grain: " in told.table) is ("MATERIALIZED VIEW" not in step.text), step.name


@pytest.mark.stack
class TestOnTheEngine:
    """With the real engine."""

    @pytest.fixture
    def settings(self, clickhouse: ClickHouse, database: str) -> ClickHouseSettings:
        return clickhouse_settings(clickhouse, database)

    @pytest.fixture
    def client(self, settings: ClickHouseSettings) -> Iterator[Client]:
        with connect(settings) as client:
            yield client

    def test_nothing_is_without_a_comment(self, client: Client, settings: ClickHouseSettings) -> None:
        migrate(client, settings)
        bare = """SELECT t.name, c.name FROM system.tables AS t
            INNER JOIN system.columns AS c ON c.database = t.database AND c.table = t.name
            WHERE t.database = currentDatabase()
                AND (t.comment = '' OR (c.comment = '' AND t.engine != 'MaterializedView'))"""
        assert client.execute(bare) == []
        shown = dict(client.execute("SELECT name, comment FROM system.tables WHERE database = currentDatabase()"))
        assert shown == {name: told.table for name, told in TOLD.items()}

    def test_new_words_reach_an_old_database(self, client: Client, settings: ClickHouseSettings) -> None:
        steps = migrations()[:1]
        changed = [*steps, _step("0002_t.sql", TABLE % ("old", "Old."))]
        migrate(client, settings, steps=changed)
        changed[1] = _step("0002_t.sql", TABLE % ("it''s \\new", "New."))
        (shown,) = migrate(client, settings, steps=changed, dry_run=True)
        assert shown.name == "comments of t"
        assert [each.name for each in migrate(client, settings, steps=changed)] == ["comments of t"]
        told = "SELECT comment FROM system.columns WHERE database = currentDatabase() AND table = 't' AND name = 'a'"
        assert client.execute(told) == [("it's \\new",)]
        assert migrate(client, settings, steps=changed) == []

    def test_a_database_with_earlier_checksums_is_the_same(self, client: Client, settings: ClickHouseSettings) -> None:
        migrate(client, settings)
        listed = (files("sinks") / "migrations" / "earlier_checksums.tsv").read_text().splitlines()
        rows = [(name, checksum) for name, _, checksum in (line.partition("\t") for line in listed)]
        client.execute("TRUNCATE TABLE migrations")
        client.execute("INSERT INTO migrations (name, checksum, applied) VALUES", [(*row, 0) for row in rows])
        assert applied(client, settings) == dict(rows)
        assert pending(client, settings) == [each.name for each in migrations() if each.name not in dict(rows)]

    def test_the_statements_fit_replicated_tables(self, client: Client, settings: ClickHouseSettings) -> None:
        """No Keeper here: they are parsed."""
        for step in migrations():
            client.execute(render(without_comments(step.text), settings))
        changes = list(statements(client, settings.database, " ON CLUSTER 'main'", TOLD))
        assert {table for table, _ in changes} == TOLD.keys()
        for _, statement in changes:
            assert client.execute("EXPLAIN AST " + statement)


def _step(name: str, text: str) -> Migration:
    return Migration(name, text, hashlib.sha256(without_comments(text).encode()).hexdigest())
