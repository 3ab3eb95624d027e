"""Geo databases: what they know of an address stands on the event; what they do not never stops one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet  # type: ignore[import-untyped]

from sendtrail.errors import SettingsError
from sendtrail.settings import StreamSettings, load
from streams.geo import NOWHERE, GeoDatabase, Place
from streams.steps.name_client import name_client
from streams.steps.place_network import place_network
from tests.streams.making import hit, item_of, known_of

GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"


def write(path: Path, entries: dict[str, dict[str, Any]], ip_version: int = 6) -> Path:
    """A database that knows these networks. Replaces the file as updaters do: by another one of the same name."""
    writer = MMDBWriter(ip_version=ip_version, database_type="Test", ipv4_compatible=ip_version == 6)
    for network, record in entries.items():
        writer.insert_network(IPSet([network]), record)
    beside = path.with_suffix(".new")
    writer.to_db_file(str(beside))
    beside.replace(path)
    return path


@pytest.fixture
def country(tmp_path: Path) -> Path:
    return write(
        tmp_path / "country.mmdb",
        {
            "8.8.8.0/24": {"country": {"iso_code": "US"}},
            "9.9.9.0/24": {"country_code": "ch"},
            "2a00::/16": {"country": {"iso_code": "DE"}},
            "1.0.0.0/24": {"country": {"iso_code": "Nowhere"}, "name": 7},
        },
    )


@pytest.fixture
def owners(tmp_path: Path) -> Path:
    return write(
        tmp_path / "asn.mmdb", {"8.8.0.0/16": {"autonomous_system_organization": "Example\nCarrier " + "x" * 99}}, 4
    )


def test_facts_come_from_the_first_file_that_has_them(country: Path, owners: Path) -> None:
    geo = GeoDatabase([country, owners])
    assert geo.of("8.8.8.8") == Place("US", ("ExampleCarrier " + "x" * 99)[:64])
    assert geo.of("8.8.4.4").country == ""
    assert geo.of("9.9.9.9") == Place("CH")
    assert geo.of("2a00::1") == Place("DE")


@pytest.mark.parametrize("address", ["1.0.0.1", "7.7.7.7", "no address", "::1", "fe80::1%eth0", ""])
def test_what_nobody_knows_is_left_empty(country: Path, owners: Path, address: str) -> None:
    assert GeoDatabase([owners, country]).of(address) == NOWHERE


def placed(geo: GeoDatabase, **fields: Any) -> tuple[str, str]:
    item, known = item_of(hit(**fields)), known_of(geo=geo)
    name_client(item, known)
    place_network(item, known)
    return item.found.country, item.found.network


def test_hits_get_country_and_network_and_proxies_none(country: Path, owners: Path) -> None:
    geo = GeoDatabase([country, owners])
    assert placed(geo, address="8.8.8.8")[0] == "US"
    assert placed(geo, address="8.8.8.8")[1].startswith("ExampleCarrier")
    assert placed(geo, address="8.8.8.8", user_agent=GMAIL) == ("", "")
    assert placed(geo, address="8.8.8.8", user_agent="Mozilla/5.0") == ("", "")
    assert placed(geo, address="10.0.0.1") == ("", "private")
    assert placed(geo, address="8.8.8.8", kind="delivered") == ("", "")


def test_a_file_that_is_missing_or_damaged_is_told_at_start(country: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"streams\.geo_databases: .*none\.mmdb is no geo database.*No such file"):
        GeoDatabase([tmp_path / "none.mmdb"])
    whole = country.read_bytes()
    for damaged in (b"", b"text", whole[: len(whole) // 2], whole[len(whole) // 2 :]):
        (tmp_path / "bad.mmdb").write_bytes(damaged)
        with pytest.raises(SettingsError, match=r"bad\.mmdb is no geo database"):
            GeoDatabase([country, tmp_path / "bad.mmdb"])


def test_a_file_is_read_again_when_it_changes(country: Path) -> None:
    geo = GeoDatabase([country])
    assert not geo.reload()
    write(country, {"8.8.8.0/24": {"country": {"iso_code": "FR"}}})
    assert geo.of("8.8.8.8").country == "US"
    assert geo.reload()
    assert geo.of("8.8.8.8").country == "FR"


def test_a_new_file_that_is_damaged_or_gone_changes_nothing(country: Path) -> None:
    geo = GeoDatabase([country])
    with country.open("r+b") as file:  # in place, as a copy that breaks off does
        file.truncate(10)
    assert not geo.reload()
    assert geo.of("8.8.8.8").country == "US"
    assert geo.of("9.9.9.9").country == "CH"
    country.unlink()
    assert not geo.reload()
    assert geo.of("2a00::1").country == "DE"
    write(country, {"8.8.8.0/24": {"country": {"iso_code": "ES"}}})
    assert geo.reload()
    assert geo.of("8.8.8.8").country == "ES"


def test_a_worker_with_a_damaged_file_does_not_start_and_says_why(country: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.mmdb").write_bytes(b"text")
    named = f"{country},{tmp_path / 'bad.mmdb'}"
    assert load({"SENDTRAIL_STREAMS_GEO_DATABASES": named}).section(StreamSettings).geo_databases == [
        country, tmp_path / "bad.mmdb",
    ]  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "streams.main"], capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path,
        env={"SENDTRAIL_STREAMS_GEO_DATABASES": named, "SENDTRAIL_STREAMS_STATE_DIR": str(tmp_path / "state")},
    )  # fmt: skip
    assert done.returncode == 3
    assert "bad.mmdb is no geo database in MaxMind's format" in done.stderr
    assert "Traceback" not in done.stderr


def test_nothing_is_left_beside_the_file(country: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    copies = tmp_path / "copies"
    copies.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(copies))
    geo = GeoDatabase([country])
    assert os.listdir(copies) == []
    assert geo.of("8.8.8.8").country == "US"
