"""Where the embedded stack keeps the files that commands write and stages read."""

from pathlib import Path

from sendtrail.local.datadir import DataDir
from sendtrail.local.ports import free_ports
from sendtrail.local.stack import Stack
from sendtrail.settings import Config


def tables_of(tmp_path: Path, config: Config) -> dict[str, dict[str, object]]:
    directory = DataDir(tmp_path)
    try:
        return Stack(directory, free_ports(tmp_path / "ports.json"), config, print).tables
    finally:
        directory.release()


def test_files_are_in_the_data_directory_unless_they_are_set(tmp_path: Path) -> None:
    config = Config({"api": {"keys_file": "/etc/s/api-keys.toml"}, "answers": {"overrides_file": "/etc/s/links.toml"}})
    tables = tables_of(tmp_path, config)
    assert tables["api"]["keys_file"] == "/etc/s/api-keys.toml"  # `sendtrail api-keys` writes there
    assert tables["answers"]["overrides_file"] == "/etc/s/links.toml"
    assert tables["answers"]["contents_dir"] == str(tmp_path / "contents")
    assert tables["keys"]["file"] == str(tmp_path / "keys.toml")
    assert tables["domains"]["file"] == str(tmp_path / "domains.toml")
