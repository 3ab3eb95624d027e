"""The SQL files: every value a parameter, every file explained, every failure one line."""

import re
import socket
from typing import get_args

import pytest
from clickhouse_driver import Client

from dashboards import queries as module
from dashboards.queries import Queries, QueryName, ReportError, Unreachable, load
from sendtrail.clickhouse import connect
from sendtrail.settings import ClickHouseSettings, Config, ReportSettings
from tests.support.line import clickhouse_settings
from tests.support.stack import ClickHouse

TEXTS = load()


def test_files_and_names_are_the_same() -> None:
    assert sorted(TEXTS) == sorted(get_args(QueryName))


@pytest.mark.parametrize("name", TEXTS)
def test_every_query_says_what_it_answers(name: str) -> None:
    lines = TEXTS[name].splitlines()
    header = [line for line in lines if line.startswith("--")]
    assert header[0].startswith(f"-- {name}: ")
    assert lines.index(header[-1]) == len(header) - 1
    assert "row" in " ".join(header).lower()
    assert not any(";" in line for line in lines[len(header) :])


@pytest.mark.parametrize("name", TEXTS)
def test_every_value_is_a_server_side_parameter(name: str) -> None:
    statement = "\n".join(line for line in TEXTS[name].splitlines() if not line.startswith("--"))
    assert not re.search(r"%\(|%s|\{[a-z_]*\}|\$\{", statement)
    assert re.findall(r"\{(?![a-z_]+:(?:U?Int\d+|String|Array\((?:U?Int\d+|String)\))\})", statement) == []


#: Rules that several queries need. Each query is one text, to be read and run alone, so the rule stands in all alike.
_RULES = {
    "what a visit is due to": (["site", "site_funnel"], "WITH ", " IN seen)) ) SELECT "),
    "what is a delivery": (["cohorts", "delivery_keys", "delivery_list"], "WHERE delivery_id != 0 OR", ") )"),
    "what a filter lets through": (["over_time", "over_time_domains"], "wanted AS (", " )"),
    "what a log lists": (["logs", "log_count"], " AND (hit = 1 OR {uncounted", ", {link:String}) > 0 ))"),
    "which feed events make success": (["base_live", "base_stored"], "SELECT delivery_id, sum(n) AS fed", ") AS f"),
}


def _one_line(text: str) -> str:
    """Without the header and the line breaks."""
    return " ".join(" ".join(line for line in text.splitlines() if not line.startswith("--")).split())


@pytest.mark.parametrize("rule", _RULES)
def test_a_rule_is_the_same_in_every_query(rule: str) -> None:
    names, begins, ends = _RULES[rule]
    found = {_one_line(TEXTS[name]).partition(begins)[2].partition(ends)[0] for name in names}
    assert len(found) == 1
    assert len(found.pop()) > 50


def test_a_missing_file_fails_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "get_args", lambda _: ("urls", "nowhere"))
    with pytest.raises(ReportError, match="lacks report queries: nowhere"):
        load()


def test_queries_can_not_write(client: Client, report_settings: ReportSettings) -> None:
    writing = Queries(client, report_settings)
    writing._texts = {"urls": "INSERT INTO touched (delivery_id) SELECT 1"}
    with pytest.raises(ReportError, match="refused query urls"):
        writing.rows("urls")
    assert client.execute("SELECT count() FROM touched") == [(0,)]


def test_limits_are_said_in_one_line(client: Client) -> None:
    narrow = Queries(client, Config({}).section(ReportSettings, max_rows=5, query_timeout_s=1.0))
    slow = "SELECT sum(sleepEachRow(0.1)) FROM numbers(100) SETTINGS max_block_size = 1"
    narrow._texts = {"urls": "SELECT number FROM numbers(10)", "money": slow}
    with pytest.raises(ReportError, match=r"^query urls passed a limit \(reports.max_rows, or memory\): [^\n]*$"):
        narrow.rows("urls")
    with pytest.raises(ReportError, match=r"^query money took longer than reports.query_timeout_s$"):
        narrow.rows("money")


def test_a_database_without_tables_names_the_command(clickhouse: ClickHouse, report_settings: ReportSettings) -> None:
    for database in ("default", "nowhere"):
        settings = clickhouse_settings(clickhouse, database)
        with connect(settings) as elsewhere, pytest.raises(ReportError, match="run `sendtrail migrate`"):
            Queries(elsewhere, report_settings).rows("money", deliveries=[1], people=1)


def test_a_wrong_password_is_said(clickhouse: ClickHouse, report_settings: ReportSettings) -> None:
    settings = Config({}).section(ClickHouseSettings, address=clickhouse.address, password="wrong")
    with connect(settings) as stranger, pytest.raises(Unreachable, match="refuses the user or password"):
        Queries(stranger, report_settings).rows("money", deliveries=[1], people=1)


def test_clickhouse_away_is_said(report_settings: ReportSettings) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"  # bound, but nobody listens
        settings = Config({}).section(ClickHouseSettings, address=address)
        with connect(settings) as nobody, pytest.raises(Unreachable, match=r"^ClickHouse does not answer: [^\n]*$"):
            Queries(nobody, report_settings).rows("money", deliveries=[1], people=1)
