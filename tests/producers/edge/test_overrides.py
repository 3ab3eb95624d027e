"""Links of sent mail that lead elsewhere, or nowhere."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from producers.edge.known import known_of
from producers.edge.reread import files_of, keep_current
from sendtrail import keyring, overrides
from sendtrail.errors import SettingsError
from sendtrail.overrides import Override
from sendtrail.process import setup_logging
from sendtrail.settings import Config
from tests.producers.edge.asking import KEYS, URL_ID, Edge

WRONG, RIGHT = "https://example.com/wrong", "https://example.com/right?a=%20#b"


def edge(tmp_path: Path, *entries: Override) -> Edge:
    overrides.save(tmp_path / "overrides.toml", entries)
    return Edge({"answers": {"overrides_file": tmp_path / "overrides.toml"}})


def test_a_corrected_link_leads_where_it_should_and_the_hit_says_so(tmp_path: Path) -> None:
    asked = edge(tmp_path, Override(1, URL_ID, RIGHT)).ask(Edge().path("click", WRONG))
    assert (asked.status, asked.header("Location"), asked.hit.destination) == (302, RIGHT, RIGHT)
    assert (asked.hit.delivery, asked.hit.url_id, asked.hit.position) == (1, URL_ID, 1)


@pytest.mark.parametrize("fields", [{"delivery": 9}, {"url_id": URL_ID + 1}])
def test_other_links_are_as_they_were(tmp_path: Path, fields: dict[str, Any]) -> None:
    asked = edge(tmp_path, Override(1, URL_ID, RIGHT)).ask(Edge().path("click", WRONG, **fields))
    assert (asked.header("Location"), asked.hit.destination) == (WRONG, WRONG)


@pytest.mark.parametrize("kind", ["click", "mirror"])
def test_a_blocked_link_shows_a_page_and_counts(tmp_path: Path, kind: Any) -> None:
    asked = edge(tmp_path, Override(1, URL_ID)).ask(Edge().path(kind, WRONG), accept_language="fr")
    assert (asked.status, asked.header("Location"), asked.hit.kind, asked.hit.destination) == (200, None, kind, "")
    assert "désactivé" in asked.body
    assert "example.com" not in asked.body


def test_an_optout_can_be_led_elsewhere_and_never_blocked(tmp_path: Path) -> None:
    path = Edge().path("optout", WRONG)
    moved = edge(tmp_path, Override(1, URL_ID, RIGHT)).ask(path)
    assert (moved.header("Location"), moved.hit.destination) == (RIGHT, RIGHT)
    blocked = edge(tmp_path, Override(1, URL_ID))
    assert "<form" in blocked.ask(path).body
    assert blocked.ask(path, b"POST", b"List-Unsubscribe=One-Click").hit.how == "one_click"


def test_pixels_have_no_destination_to_correct(tmp_path: Path) -> None:
    asked = edge(tmp_path, Override(1, 0, RIGHT)).ask(Edge().path("open", url_id=0, position=0))
    assert (asked.status, asked.hit.destination) == (200, "")


def test_only_a_signed_link_is_corrected(tmp_path: Path) -> None:
    forged = Edge(keys=keyring.new_keyring()).path("click", WRONG)
    revoked = KEYS.with_state(KEYS.active.key_id, "revoked")
    corrected = edge(tmp_path, Override(1, URL_ID, RIGHT))
    asked = corrected.ask(forged)
    assert (asked.status, asked.event) == (404, None)
    corrected.known = known_of(revoked, Config({"answers": {"overrides_file": tmp_path / "overrides.toml"}}))
    asked = corrected.ask(Edge().path("click", WRONG))
    assert (asked.status, asked.header("Location"), asked.event) == (200, None, None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[override]]\ndelivery = 1\nurl_id = 5\nto = 'javascript:alert(1)'\n", "only http and https"),
        ("[[override]]\ndelivery = 1\nurl_id = 5\nto = '//evil.example'\n", "only http and https"),
        (
            '[[override]]\ndelivery = 1\nurl_id = 5\nto = "https://a.example/\\r\\nSet-Cookie: x"\n',
            "control characters",
        ),
        ("[[override]]\ndelivery = -1\nurl_id = 5\n", "delivery is a number"),
        ("[[override]]\ndelivery = 1\nurl_id = 4294967296\n", "url_id is a number"),
        ("[[override]]\ndelivery = true\nurl_id = 1\n", "delivery is a number"),
        ("[[override]]\ndelivery = 1\n", "url_id"),
        ("[[override]]\ndelivery = 1\nurl_id = 5\n", "either to"),
        ("[[override]]\ndelivery = 1\nurl_id = 5\nto = ''\n", "either to"),
        ("[[override]]\ndelivery = 1\nurl_id = 5\nto = 'https://a.example/'\nblocked = true\n", "either to"),
        ("[[override]]\ndelivery = 1\nurl_id = 5\nblocked = 'no'\n", "either to"),
        ("[[override]]\ndelivery = 1\nurl_id = 5\nblock = true\n", "no 'block'"),
        ("[[override]]\ndelivery = 1\nurl_id = 5\nto = 5\n", "to is a text"),
        ("[[overide]]\ndelivery = 1\nurl_id = 5\n", "overide"),
        ("override = 3\n", "can't be read"),
        ("override = [3]\n", "can't be read"),
        ("not toml", "can't be read"),
    ],
)
def test_a_file_that_does_not_fit_is_named_at_start(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "overrides.toml").write_text(text)
    with pytest.raises(SettingsError, match=f"answers.overrides_file.*{said}"):
        Edge({"answers": {"overrides_file": tmp_path / "overrides.toml"}})


def test_what_is_written_is_read(tmp_path: Path) -> None:
    entries = [Override(2**64 - 1, 0, RIGHT, "june", "2026-06-01T00:00:00+00:00"), Override(0, 2**32 - 1)]
    overrides.save(tmp_path / "o.toml", entries)
    assert set(overrides.load(tmp_path / "o.toml").values()) == set(entries)
    assert overrides.load(tmp_path / "none.toml") == {}


def test_keys_and_overrides_are_read_again_while_the_edge_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("producers.edge.reread.POLL_S", 0.01)
    keys, file = tmp_path / "keys.toml", tmp_path / "overrides.toml"
    keyring.save(keys, KEYS)
    config = Config({"keys": {"file": keys}, "answers": {"overrides_file": file}})
    server: Any = Edge({"answers": {"overrides_file": file}})

    async def until(change: Any, holds: Any) -> None:
        change()
        while not holds():
            await asyncio.sleep(0.005)

    async def run() -> None:
        watching = asyncio.create_task(keep_current(server, files_of(config), setup_logging("edge")))
        entry = Override(1, URL_ID, RIGHT)
        await until(lambda: overrides.save(file, [entry]), lambda: (1, URL_ID) in server.known.overrides)
        file.write_text("broken = ")  # by hand: what held goes on to hold
        newer = KEYS.with_new_key()
        await until(lambda: keyring.save(keys, newer), lambda: server.known.keyring == newer)
        assert server.known.overrides == {(1, URL_ID): entry}
        await until(file.unlink, lambda: not server.known.overrides)
        watching.cancel()

    asyncio.run(asyncio.wait_for(run(), 30))
