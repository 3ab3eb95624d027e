"""`sendtrail report` as people and scripts call it: output, exit codes, one line for every error."""

import csv
import io
import json
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from sendtrail import keyring
from sendtrail.cli.main import main
from tests.dashboards.world import World
from tests.support.stack import ClickHouse


@dataclass(frozen=True)
class Outcome:
    """What a command did."""

    code: int
    out: str
    err: str


Run = Callable[..., Outcome]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Runs `sendtrail report …` in an empty directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    keyring.save(tmp_path / ".sendtrail" / "keys.toml", keyring.new_keyring())

    def run(*arguments: str) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["sendtrail", "report", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return Outcome(int(ended.value.code or 0), said.out, said.err)

    return run


@pytest.fixture
def on_world(monkeypatch: pytest.MonkeyPatch, clickhouse: ClickHouse, world: World, world_database: str) -> World:
    """Settings name the random world's database."""
    monkeypatch.setenv("SENDTRAIL_CLICKHOUSE_ADDRESS", clickhouse.address)
    monkeypatch.setenv("SENDTRAIL_CLICKHOUSE_USER", clickhouse.user)
    monkeypatch.setenv("SENDTRAIL_CLICKHOUSE_PASSWORD", clickhouse.password)
    monkeypatch.setenv("SENDTRAIL_CLICKHOUSE_DATABASE", world_database)
    return world


COMMANDS = {
    "deliveries": ["deliveries", "--sort", "recipient_open", "--limit", "3"],
    "dashboard": ["dashboard", "-d", "1", "-d", "july", "--part", "throughput"],
    "summary": ["summary", "-d", "1"],
    "over-time": [
        "over-time",
        "--by",
        "cohort",
        "--split",
        "tag",
        "--first-day",
        "2026-09-01",
        "--last-day",
        "2026-11-30",
    ],
    "indicators": ["indicators", "-d", "1", "--by", "domain"],
    "urls": ["urls", "--delivery", "1", "--delivery", "july"],
    "statistics": ["statistics", "-d", "1"],
    "hot-clicks": ["hot-clicks", "-d", "1", "-d", "july"],
    "activity": ["activity", "-d", "1", "--heat", "clicks"],
    "clients": ["clients", "-d", "1", "--top", "3"],
    "machines": ["machines", "-d", "1", "--links", "3"],
    "recipient": ["recipient", "1000003", "--limit", "5"],
    "compare": ["compare", "-d", "1", "-d", "july"],
    "who": ["who", "-d", "1", "--which", "opened-not-clicked", "--limit", "20"],
    "site": ["site", "--since", "2026-09-01", "--until", "2026-12-31", "--by", "campaign"],
}


@pytest.mark.usefixtures("on_world")
@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("cut", ["people", "all"])
def test_every_report_in_every_format(run: Run, name: str, cut: str) -> None:
    shown = run(*COMMANDS[name], "--cut", cut)
    assert (shown.code, shown.err) == (0, "")
    assert ("People only." if cut == "people" else "People and machines.") in shown.out
    assert "Calculated at" in shown.out
    document = json.loads(run(*COMMANDS[name], "--cut", cut, "--format", "json").out)
    assert (document["report"], document["cut"]) == (name, cut)
    rows = list(csv.reader(io.StringIO(run(*COMMANDS[name], "--cut", cut, "--format", "csv").out)))
    assert len({len(row) for row in rows}) == 1
    part = next(iter(document["parts"].values()))
    count = len(part) if isinstance(part, dict | list) else 0
    assert len(rows) == 1 + count


@pytest.mark.usefixtures("on_world")
def test_numbers_are_the_same_in_every_format(run: Run) -> None:
    indicators = json.loads(run("indicators", "-d", "1", "-f", "json").out)["parts"]["indicators"]
    lines = csv.DictReader(io.StringIO(run("indicators", "-d", "1", "-f", "csv").out))
    written = {line["indicator"]: line["value"] for line in lines}
    assert written == {name: "" if value is None else str(value) for name, value in indicators.items()}
    seen = " ".join(run("indicators", "-d", "1").out.split())
    assert f"clicks in all {indicators['total_click']:,}" in seen


@pytest.mark.usefixtures("on_world")
def test_parts_columns_and_zones(run: Run) -> None:
    elapsed = run("statistics", "-d", "1", "--part", "elapsed", "-f", "csv").out
    assert elapsed.splitlines()[0] == "percent,opens_ms,clicks_ms,transactions_ms"
    wrong = run("statistics", "-d", "1", "--part", "x")
    assert (wrong.code, "it has starts, " in " ".join(wrong.err.split())) == (2, True)
    assert "address" in run("recipient", "1000003", "--columns", "time,address").out
    assert run("recipient", "1000003", "--columns", "time,nothing").code == 2
    starts = json.loads(run("statistics", "-d", "1", "-f", "json", "--timezone", "Asia/Tokyo").out)["parts"]["starts"]
    assert starts[0]["start"].endswith("+09:00")
    assert run("statistics", "-d", "1", "--timezone", "Mars/Base").code == 2
    assert run("statistics", "-d", "1", "--timezone", "../etc").code == 2


@pytest.mark.usefixtures("on_world")
def test_parts_on_request(run: Run) -> None:
    usual = json.loads(run("dashboard", "-d", "1", "-f", "json").out)
    assert list(usual["parts"]) == ["header", "summary", "funnel", "throughput", "problems", "urls"]
    page = json.loads(
        run("dashboard", "-d", "1", "--part", "messages", "--state", "sent", "--limit", "2", "-f", "json").out
    )
    assert list(page["parts"]) == ["messages"]
    assert [row["state_key"] for row in page["parts"]["messages"]] == ["sent", "sent"]
    assert page["pages"]["messages"]["matches"] == usual["parts"]["summary"]["sent"]
    logs = run("dashboard", "-d", "1", "--part", "logs", "--kind", "click", "--limit", "3", "-f", "csv").out
    assert {line["kind"] for line in csv.DictReader(io.StringIO(logs))} == {"click"}
    wrong = run("dashboard", "-d", "1", "--part", "x")
    assert (wrong.code, "it has header, summary, " in " ".join(wrong.err.split())) == (2, True)
    late = run("over-time", "--first-day", "2026-02-01", "--last-day", "2026-01-01")
    assert (late.code, late.err.startswith("sendtrail: the first day")) == (1, True)


@pytest.mark.usefixtures("on_world")
def test_what_is_not_known_is_one_line(run: Run) -> None:
    for arguments in (["indicators", "-d", "nothing"], ["recipient", "nobody"], ["urls", "-d", "1", "-d", "nothing"]):
        said = run(*arguments)
        assert (said.code, said.out) == (1, "")
        assert said.err.startswith("sendtrail: no ")
        assert said.err.count("\n") == 1
    assert run("indicators").code == 2
    assert run("indicators", "-d", "").code == 1


@pytest.mark.usefixtures("on_world")
def test_without_a_key_file_numbers_and_registered_names_work(run: Run, tmp_path: Path) -> None:
    (tmp_path / ".sendtrail" / "keys.toml").unlink()
    assert run("statistics", "-d", "1", "-d", "july").code == 0
    assert "without the key file" in run("statistics", "-d", "some").err


def test_clickhouse_away_is_exit_code_4(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but nobody listens
        monkeypatch.setenv("SENDTRAIL_CLICKHOUSE_ADDRESS", f"127.0.0.1:{taken.getsockname()[1]}")
        said = run("deliveries")
    assert (said.code, said.out) == (4, "")
    assert said.err.startswith("sendtrail: ClickHouse does not answer")
    assert said.err.count("\n") == 1


def test_a_wrong_setting_is_exit_code_3(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENDTRAIL_REPORTS_ZONE", "UTC")
    assert run("deliveries").code == 3
