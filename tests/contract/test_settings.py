"""Settings: file, environment, and what no class knows."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sendtrail.errors import SettingsError
from sendtrail.settings import (
    SECTIONS,
    ClickHouseSettings,
    EdgeSettings,
    ForwardSettings,
    KafkaSettings,
    KeySettings,
    ReportSettings,
    Section,
    load,
    variables,
)


def test_defaults_need_no_file_and_no_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = load({})
    for cls in SECTIONS:
        assert isinstance(config.section(cls), cls)


def test_environment_wins_over_file_wins_over_default(tmp_path: Path) -> None:
    file = tmp_path / "s.toml"
    file.write_text('[kafka]\nbootstrap = "file:1"\ntopic_prefix = "file."\n[edge]\ntrusted_proxies = ["10.0.0.0/8"]\n')
    config = load({"SENDTRAIL_KAFKA_BOOTSTRAP": "env:2", "SENDTRAIL_CONFIG": str(file)})
    kafka = config.section(KafkaSettings)
    assert (kafka.bootstrap, kafka.topic_prefix, kafka.partitions) == ("env:2", "file.", 4)
    assert config.section(EdgeSettings).trusted_proxies == ["10.0.0.0/8"]
    assert config.section(KafkaSettings, topic_prefix="given.").topic_prefix == "given."


def test_short_forms_and_lists(tmp_path: Path) -> None:
    config = load(
        {
            "SENDTRAIL_KAFKA": "a:1",
            "SENDTRAIL_CLICKHOUSE": "b:2",
            "SENDTRAIL_CLICKHOUSE_ADDRESS": "c:3",
            "SENDTRAIL_FORWARD_SPOOL_DIRS": "x, y",
            "SENDTRAIL_REPORTS_REPORT_DOMAINS": "",
            "SENDTRAIL_KEYS_FILE": str(tmp_path / "k"),
        }
    )
    assert config.section(KafkaSettings).bootstrap == "a:1"
    clickhouse = config.section(ClickHouseSettings)
    assert (clickhouse.host, clickhouse.port) == ("c", 3)
    assert config.section(ForwardSettings).spool_dirs == [Path("x"), Path("y")]
    assert config.section(ReportSettings).report_domains == []
    assert config.section(KeySettings).file == tmp_path / "k"


@pytest.mark.parametrize("name", ["SENDTRAIL_NOTHING", "SENDTRAIL_KAFKA_BOOTSTRAPS", "SENDTRAIL_"])
def test_an_unknown_variable_is_named(name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        load({name: "1"})


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[kafka]\nbootstraps = 1", "bootstraps"),
        ("[kafkas]\nbootstrap = 1", "kafkas"),
        ("bootstrap = 1", "bootstrap"),
        ("[kafka", "s.toml"),
    ],
)
def test_an_unknown_key_in_the_file_is_named(tmp_path: Path, text: str, named: str) -> None:
    file = tmp_path / "s.toml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=named):
        load({"SENDTRAIL_CONFIG": str(file)})


def test_a_missing_file_that_was_asked_for_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.toml"):
        load({"SENDTRAIL_CONFIG": str(tmp_path / "none.toml")})


@pytest.mark.parametrize(
    ("variable", "value", "cls"),
    [
        ("SENDTRAIL_KAFKA_PARTITIONS", "many", KafkaSettings),
        ("SENDTRAIL_KAFKA_PARTITIONS", "0", KafkaSettings),
        ("SENDTRAIL_EDGE_PORT", "70000", EdgeSettings),
        ("SENDTRAIL_EDGE_FSYNC", "sometimes", EdgeSettings),
        ("SENDTRAIL_CLICKHOUSE_DATABASE", "a; drop", ClickHouseSettings),
        ("SENDTRAIL_CLICKHOUSE_COMPRESSION", "perhaps", ClickHouseSettings),
    ],
)
def test_a_malformed_value_names_its_variable(variable: str, value: str, cls: type[Section]) -> None:
    with pytest.raises(SettingsError, match=variable):
        load({variable: value}).section(cls)


def test_settings_are_frozen_and_secrets_hidden(tmp_path: Path) -> None:
    settings = load({"SENDTRAIL_CLICKHOUSE_PASSWORD": "hush-hush"}).section(ClickHouseSettings)
    assert "hush-hush" not in repr(settings)
    assert settings.secret() == "hush-hush"
    with pytest.raises(ValueError, match="frozen"):
        settings.user = "x"  # type: ignore[misc]
    file = tmp_path / "pw"
    file.write_text("from-file\n")
    assert load({"SENDTRAIL_CLICKHOUSE_PASSWORD_FILE": str(file)}).section(ClickHouseSettings).secret() == "from-file"
    with pytest.raises(SettingsError, match="password_file"):
        load({"SENDTRAIL_CLICKHOUSE_PASSWORD_FILE": str(tmp_path / "no")}).section(ClickHouseSettings).secret()


def test_no_two_settings_share_a_variable() -> None:
    names = [f"SENDTRAIL_{cls.section}_{field}".upper() for cls in SECTIONS for field in cls.model_fields]
    assert len(names) == len(set(names)) == len(variables())


def test_the_command_ends_with_exit_code_3_naming_the_key(tmp_path: Path) -> None:
    environ = {k: v for k, v in os.environ.items() if not k.startswith("SENDTRAIL_")} | {"SENDTRAIL_EDGE_PROT": "1"}
    done = subprocess.run(
        [sys.executable, "-c", "from sendtrail.cli.main import main; main()", "keys", "list"],
        env=environ, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 3
    assert "SENDTRAIL_EDGE_PROT" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_time_zone_that_is_none_is_named() -> None:
    config = load({"SENDTRAIL_REPORTS_TIMEZONE": "Mars/Base"})
    with pytest.raises(SettingsError, match=r"reports\.timezone .*: no time zone 'Mars/Base'"):
        config.section(ReportSettings)
    with pytest.raises(SettingsError, match="no time zone"):
        load({"SENDTRAIL_REPORTS_TIMEZONE": "../etc/passwd"}).section(ReportSettings)
