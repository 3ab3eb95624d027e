"""Setting loader.addresses: what ClickHouse learns of a client's address, and what it must not be able to work out."""

import socket
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendtrail import keyring
from sendtrail.errors import SettingsError
from sendtrail.settings import Config
from sinks.addresses import Keep, Policy, keeping, truncated
from sinks.keys import keep_addresses, naming_key
from sinks.main import main
from sinks.rows import build
from tests.support.tracked import ListLookup, event, record, relabel, rows_of

KEY = bytes(range(32))
ANA, BEN = "aa" * 16, "bb" * 16


def stored(policy: Policy, *events: Any, key: bytes = KEY) -> list[dict[str, Any]]:
    return stored_by(keeping(policy, key), *events)


def stored_by(keep: Keep, *events: Any) -> list[dict[str, Any]]:
    return rows_of(build([record(0, list(events))], ListLookup(), keep_addresses=keep).events)


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("203.0.113.9", "203.0.113.0"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::"),
        ("::1", "::"),
        ("", ""),
        ("unknown", ""),
        ("1.2.3.4.5", ""),
        ("fe80::1%eth0", ""),
        ("1\0", ""),
    ],
)
def test_an_address_is_cut_to_its_network(address: str, kept: str) -> None:
    (row,) = stored("truncated", event(address=address))
    assert row.get("address", "") == kept


@given(st.ip_addresses())
def test_truncated_keeps_24_or_48_bits_and_no_more(address: Any) -> None:
    family, size = (socket.AF_INET, 3) if address.version == 4 else (socket.AF_INET6, 6)
    packed = socket.inet_pton(family, truncated(str(address)))
    assert packed[:size] == address.packed[:size]
    assert not any(packed[size:])


def test_the_other_policies() -> None:
    hits = [event(address="203.0.113.9"), event(address="203.0.113.8"), event(address="203.0.113.9"), event()]
    assert [row["address"] for row in stored("full", *hits)] == ["203.0.113.9", "203.0.113.8", "203.0.113.9", ""]
    assert all(not row.get("address") for row in stored("dropped", *hits))
    one, two, again, none = (row["address"] for row in stored("hashed", *hits))
    assert (one == again, one != two, none) == (True, True, "")
    assert len(one) == 16
    assert one != stored("hashed", *hits, key=bytes(32))[0]["address"]


@pytest.mark.parametrize("policy", ["truncated", "hashed", "dropped"])
def test_what_was_found_out_of_the_address_stays(policy: Policy) -> None:
    hit = event(
        address="203.0.113.9", network="Example Net", country="ES", client="Safari", hints=["proxy"], person=ANA
    )
    (row,) = stored(policy, hit)
    (full,) = stored("full", hit)
    assert {**row, "address": ""} == {**full, "address": ""}
    assert row["client_id"]


@pytest.mark.parametrize("policy", ["truncated", "hashed", "dropped"])
def test_a_person_made_of_an_address_is_hidden_and_stays_one_person(policy: Policy) -> None:
    """Other persons are message or visitor, which are columns anyway, and clicks are found by them."""
    visits = [event(kind="web", site="shop", delivery=0, message=0, person=who) for who in (ANA, ANA, BEN)]
    others = [
        event(kind="web", site="shop", delivery=5, message=6, person=ANA),
        event(kind="web", site="shop", delivery=0, message=0, person=ANA, visitor=ANA),
        event(kind="click", delivery=5, message=6, person=ANA),
    ]
    ana, again, ben, *kept = [row["person"] for row in stored(policy, *visits, *others)]
    assert (ana == again, ana != ben) == (True, True)
    assert not {ana, ben} & {int(ANA, 16), int(BEN, 16)}
    assert kept == [int(ANA, 16)] * 3
    assert next(row["person"] for row in stored("full", *visits)) == int(ANA, 16)


def test_a_relabel_finds_the_row_as_it_is_stored() -> None:
    click = event(kind="click", address="203.0.113.9")
    rows = stored("truncated", click, relabel(click))
    assert [(row["sign"], row["address"]) for row in rows] == [
        (1, "203.0.113.0"), (-1, "203.0.113.0"), (1, "203.0.113.0"),
    ]  # fmt: skip


def test_a_client_stays_one_client_whatever_becomes_of_its_address() -> None:
    """METRICS, client: the visitor the request sent, else user agent and address; here it is not told which."""
    one = {"address": "203.0.113.9", "user_agent": "Mozilla"}
    hits = [
        event(**one), event(**one), event(**one, visitor=ANA, visitor_is_new=True),  # one client
        event(**{**one, "address": "203.0.113.8"}), event(**{**one, "user_agent": "Mozilla203.0.113."}),
        event(**one, visitor=ANA), event(user_agent="other", visitor=ANA), event(visitor=BEN),
        event(kind="sent", delivery_name="a"),
    ]  # fmt: skip
    for policy in ("truncated", "hashed", "dropped"):
        ids = [row["client_id"] for row in stored(policy, *hits)]
        assert ids[0] == ids[1] == ids[2]
        assert ids[5] == ids[6]
        assert len(set(ids[2:6]) | {ids[7]}) == 5
        assert ids[8] == 0
        assert ids[0] != stored(policy, hits[0], key=bytes(32))[0]["client_id"]


def test_the_key_file_is_asked_for_before_anything_is_loaded(tmp_path: Path) -> None:
    tables: dict[str, dict[str, Any]] = {
        "loader": {"data_dir": tmp_path, "admin_port": 0},
        "keys": {"file": tmp_path / "keys.toml"},
    }
    with pytest.raises(SettingsError, match=r"loader\.addresses truncated"):
        main(Config(tables))


def test_a_replay_keeps_them_as_the_loader_with_and_without_a_key_file(tmp_path: Path) -> None:
    """Both ask `sinks.keys`: another key would make another client of a row that is loaded again."""

    def config(policy: Policy) -> Config:
        return Config({"loader": {"addresses": policy}, "keys": {"file": tmp_path / "keys.toml"}})

    hit = event(address="203.0.113.9", user_agent="Mozilla")
    without = stored_by(keep_addresses(config("full")), hit)
    assert naming_key(config("full")) == b""
    with pytest.raises(SettingsError, match=r"loader\.addresses hashed"):
        keep_addresses(config("hashed"))
    ring = keyring.new_keyring()
    keyring.save(tmp_path / "keys.toml", ring)
    assert naming_key(config("full")) == ring.naming_key
    assert stored_by(keep_addresses(config("full")), hit) == without
    assert stored_by(keep_addresses(config("hashed")), hit) == stored("hashed", hit, key=ring.naming_key)
