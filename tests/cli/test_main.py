"""What the command makes of errors: one line that says whose it is, and an exit code."""

import sys

import pytest
from kafka.errors import KafkaTimeoutError

from sendtrail.cli import main as command


@pytest.mark.parametrize("verb", ["migrate", "report deliveries"])
def test_a_clickhouse_that_is_away(
    verb: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SENDTRAIL_CLICKHOUSE_ADDRESS", "127.0.0.1:1")
    monkeypatch.setattr(sys, "argv", ["sendtrail", *verb.split()])
    with pytest.raises(SystemExit) as ended:
        command.main()
    said = capsys.readouterr().err
    assert ended.value.code == 4
    assert said.startswith("sendtrail: ClickHouse")
    assert "127.0.0.1:1" in said
    assert said.count("\n") == 1


def test_a_kafka_that_is_away(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def away() -> None:
        raise KafkaTimeoutError("Unable to bootstrap from 127.0.0.1:1")

    monkeypatch.setattr(command, "app", away)
    with pytest.raises(SystemExit) as ended:
        command.main()
    assert ended.value.code == 4
    assert capsys.readouterr().err == "sendtrail: Kafka: Unable to bootstrap from 127.0.0.1:1\n"


def test_a_fault_of_ours_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(command, "app", wrong)
    with pytest.raises(ZeroDivisionError):
        command.main()
