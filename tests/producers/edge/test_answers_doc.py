"""docs/edge.md, sections from "Cookies" to "Pages of your own": their settings are taken, their commands run."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from producers.edge.known import known_of
from producers.edge.pages import load
from sendtrail import keyring, overrides
from sendtrail.naming import key
from sendtrail.settings import Config, EdgeSettings
from tests.producers.api.running import ApiProcess
from tests.producers.edge.test_edge_doc import Shell, blocks
from tests.support.edges import Edge, running_edge
from tests.support.line import scratch
from tests.support.stack import ClickHouse


@pytest.fixture
def edge(tmp_path: Path) -> Iterator[Edge]:
    tables = {"answers": {"contents_dir": tmp_path / "contents", "overrides_file": tmp_path / "overrides.toml"}}
    with running_edge(tmp_path / "spool", EdgeSettings(port=0), tables) as running:
        keyring.save(tmp_path / ".sendtrail" / "keys.toml", running.keys)
        yield running


def shell(edge: Edge, tmp_path: Path, **variables: str) -> Shell:
    """A terminal of this installation; a variable that is an address says what that of the docs is here."""
    places = {name: variables.pop(name) for name in list(variables) if "://" in name}
    return Shell(
        tmp_path, places, SENDTRAIL_TRACKING_BASE_URL=f"http://127.0.0.1:{edge.port}", COLUMNS="100",
        SENDTRAIL_ANSWERS_OVERRIDES_FILE=str(tmp_path / "overrides.toml"), **variables,
    )  # fmt: skip


def test_the_settings_are_settings(tmp_path: Path) -> None:
    (cookies,) = blocks("Cookies", "toml")
    (mirror,) = blocks("Mirror pages", "toml")
    own, spanish = blocks("Pages of your own", "toml")
    tables = {name: dict(table) for name, table in tomllib.loads(cookies).items()}
    tables["answers"] = tomllib.loads(mirror)["answers"] | tomllib.loads(own)["answers"]
    tables["answers"]["templates_dir"] = tmp_path
    (tmp_path / "es.toml").write_text(spanish)
    known = known_of(keyring.new_keyring(), Config(tables))
    assert known.cookies is not None
    assert known.contents is not None
    assert "no le escribiremos más" in known.pages.of(b"es").optout.body.decode()
    assert known.pages.of(b"it").optout.body == load("fr", tmp_path).of(b"fr").optout.body


def test_an_optout_seen_and_made(edge: Edge, tmp_path: Path) -> None:
    by_hand, _ = blocks("Opt-out", "sh")
    said = shell(edge, tmp_path).run(by_hand)
    assert "¿Darse de baja?" in said
    assert "You are unsubscribed" in said
    assert [event.how for event in edge.events()] == ["view", "one_click"]
    assert {event.delivery for event in edge.events()} == {key(edge.keys.naming_key, "", "delivery", "june")}


def test_optouts_are_listed(edge: Edge, tmp_path: Path, clickhouse: ClickHouse) -> None:
    _, listing = blocks("Opt-out", "sh")
    june = key(edge.keys.naming_key, "", "delivery", "june")
    with scratch(clickhouse) as client:
        client.execute("INSERT INTO deliveries (delivery_id, name) VALUES", [(june, "june")])
        ((database,),) = client.execute("SELECT currentDatabase()")
        place = {"address": clickhouse.address, "user": clickhouse.user, "password": clickhouse.password}
        variables = {f"SENDTRAIL_CLICKHOUSE_{name.upper()}": value for name, value in place.items()}
        said = shell(edge, tmp_path, SENDTRAIL_CLICKHOUSE_DATABASE=database, **variables).run(listing)
    assert said.startswith("time (UTC)")
    assert (tmp_path / "optouts.csv").read_text().startswith("time,delivery,delivery_name,message")


def test_a_mirror_page_by_hand(edge: Edge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (by_hand,) = blocks("Mirror pages", "sh")
    monkeypatch.setenv("SENDTRAIL_ANSWERS_CONTENTS_DIR", str(tmp_path / "contents"))
    api = ApiProcess(tmp_path)
    keyring.save(tmp_path / "keys.toml", edge.keys)
    with api:
        said = shell(edge, tmp_path, **{"http://127.0.0.1:8081": str(api.client.base_url).rstrip("/")}).run(by_hand)
    assert said.endswith("<p>Dear Ana, thank you.</p>")
    assert [event.kind for event in edge.events()] == ["mirror"]


def test_wrong_links_corrected_by_hand(edge: Edge, tmp_path: Path) -> None:
    (by_hand,) = blocks("Wrong links in sent mail", "sh")
    sent = shell(edge, tmp_path, link=edge.path("click", "https://shop.example/wrong", url_id=9))
    listed = [json.loads(line) for line in sent.run(by_hand).splitlines()]
    right = "https://shop.example/right"
    assert [(one["url_id"], one["to"]) for one in listed[3:]] == [(9, right), (7, right), (8, "")]
    assert [url_id for _, url_id in overrides.load(tmp_path / "overrides.toml")] == [9, 7]
