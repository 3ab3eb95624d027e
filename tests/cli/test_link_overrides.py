"""sendtrail links override, as typed, and what an edge does then."""

from __future__ import annotations

from pathlib import Path

import pytest

from producers.edge.known import known_of
from sendtrail import keyring, overrides
from sendtrail.naming import key
from sendtrail.settings import Config
from tests.cli.test_keys_links import ok, refused, ring, run
from tests.producers.edge.asking import Edge

FILE = Path("overrides.toml")
RIGHT = "https://example.com/right"


@pytest.fixture(autouse=True)
def _own_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SENDTRAIL_KEYS_FILE", "deep/keys.toml")
    monkeypatch.setenv("SENDTRAIL_ANSWERS_OVERRIDES_FILE", str(FILE))
    keyring.save(Path("deep/keys.toml"), keyring.new_keyring())


def override(*args: str) -> list[dict[str, object]]:
    return ok("links", "override", *args)


def test_a_link_is_corrected_blocked_listed_and_freed() -> None:
    june = key(ring().naming_key, "", "delivery", "june")
    (first,) = override("--delivery", "june", "--url-id", "7", "--to", RIGHT)
    assert {**first, "set_at": ""} == {"delivery": june, "url_id": 7, "to": RIGHT, "name": "june", "set_at": ""}
    assert str(first["set_at"]).endswith("+00:00")
    override("-d", "42", "--url-id", "7", "--blocked")
    override("-d", str(june), "--url-id", "8", "--to", RIGHT)  # the key, as reports show it
    assert [(one["delivery"], one["url_id"], one["to"]) for one in override("--list")] == [
        (42, 7, ""), (june, 7, RIGHT), (june, 8, RIGHT)
    ]  # fmt: skip
    assert len(override("--list", "--delivery", "june")) == 2
    assert len(override("--list", "--url-id", "7")) == 2
    assert override("-d", "june", "--url-id", "7", "--remove") == []
    assert [(one["delivery"], one["url_id"]) for one in override("--list")] == [(42, 7), (june, 8)]


def test_what_is_set_is_what_an_edge_follows() -> None:
    override("-d", "1", "--url-id", "5", "--to", RIGHT)
    edge = Edge({"answers": {"overrides_file": FILE}}, ring())
    asked = edge.ask(edge.path("click", "https://example.com/wrong"))
    assert (asked.header("Location"), asked.hit.destination) == (RIGHT, RIGHT)
    override("-d", "1", "--url-id", "5", "--remove")
    assert known_of(ring(), Config({"answers": {"overrides_file": FILE}})).overrides == {}


def test_a_link_says_itself_which_it_is() -> None:
    edge = Edge({"answers": {"overrides_file": FILE}}, ring())
    path = edge.path("click", "https://example.com/wrong", delivery=2**63 + 9)
    (set_,) = override("--link", f"https://t.example.com{path}?utm_source=gateway", "--blocked")
    assert (set_["delivery"], set_["url_id"], set_["to"]) == (2**63 + 9, 5, "")
    assert len(override("--list", "--link", path)) == 1
    assert override("--link", path, "--remove") == []
    assert "no link of this installation" in refused("links", "override", "--link", path[:-4], "--blocked")
    assert "leads nowhere" in refused("links", "override", "--link", edge.path("open"), "--blocked")


def test_accounts_have_deliveries_of_their_own() -> None:
    override("-d", "42", "--account", "acme", "--url-id", "7", "--blocked")
    (entry,) = overrides.load(FILE).values()
    assert entry.delivery == key(ring().naming_key, "acme", "delivery", "42") != 42


@pytest.mark.parametrize("destination", ["", "javascript:alert(1)", "//evil.example", "https://a b", "ftp://a.example"])
def test_a_destination_is_checked_as_on_minting(destination: str) -> None:
    assert refused("links", "override", "-d", "1", "--url-id", "5", "--to", destination)
    assert not FILE.exists()


def test_there_must_be_something_to_remove() -> None:
    assert "has no override of link 5" in refused("links", "override", "-d", "1", "--url-id", "5", "--remove")


@pytest.mark.parametrize(
    "args",
    [
        [],
        ["-d", "1"],
        ["--url-id", "5", "--blocked"],
        ["-d", "1", "--url-id", "5"],
        ["-d", "1", "--link", "https://t.example/c/x", "--blocked"],
        ["-d", "1", "--url-id", "5", "--to", RIGHT, "--blocked"],
        ["-d", "1", "--url-id", "5", "--blocked", "--remove"],
        ["-d", "1", "--url-id", "5", "--blocked", "--list"],
        ["-d", "1", "--url-id", "-1", "--blocked"],
        ["-d", "1", "--url-id", "4294967296", "--blocked"],
    ],
)
def test_wrong_usage_is_exit_code_2(args: list[str]) -> None:
    assert run("links", "override", *args).exit_code == 2
    assert not FILE.exists()
