"""The tolerant reader: what it undoes, what it refuses, and that only a MAC convinces it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sendtrail import gateways
from sendtrail.errors import Invalid
from sendtrail.gateways import resolve
from sendtrail.links import LETTERS, Link, ReadLink, mint, read_token
from tests.contract.damage import LOST, RECOVERED
from tests.support.golden import GOLDEN, Golden, golden_keyring
from tests.support.strategies import links

KEYRING = golden_keyring()
CLICK = Link("click", 2**63 + 5, 7, 2**63 + 9, 0xDEADBEEF, 3, "https://shop.example/a?b=1&c=%26#frag")
TOKEN = mint(KEYRING.active, CLICK)
TARGET = f"/c/{TOKEN}"
ALL = [(name, damage(TARGET), "") for name, damage in RECOVERED.items()]
ALL += [(name, damage(TARGET), reason) for name, (damage, reason) in LOST.items()]


def _golden_lines() -> list[dict[str, Any]]:
    return [json.loads(line) for line in (GOLDEN / "links_damaged.jsonl").read_text().splitlines()]


def test_the_damages_are_frozen(golden: Golden) -> None:
    golden.check(
        "links_damaged.jsonl",
        [{"damage": name, "result": reason or "proved", "target": target} for name, target, reason in ALL],
    )


@pytest.mark.parametrize("line", _golden_lines(), ids=lambda line: line["damage"])
def test_golden_damages_have_their_stated_result(line: dict[str, str]) -> None:
    read = resolve(KEYRING, line["target"])
    if line["result"] == "proved":
        assert read == ReadLink(CLICK, 1, "active")
    else:
        assert isinstance(read, Invalid)
        assert read.reason == line["result"]


@given(links, st.sampled_from(list(RECOVERED)))
def test_every_kind_and_destination_survives_every_damage(link: Link, name: str) -> None:
    token = mint(KEYRING.active, link)
    sound = f"/{LETTERS[link.kind]}/{token}"
    if link.kind != "click" and name in ("upper-cased letter", "behind another route"):
        damaged = sound.upper()[:3] + token
    else:
        damaged = RECOVERED[name](sound)
    assert resolve(KEYRING, damaged) == read_token(KEYRING, token)


@given(links, st.sampled_from("ocumwOCUMW"))
def test_the_letter_must_be_the_kinds(link: Link, letter: str) -> None:
    read = resolve(KEYRING, f"/{letter}/{mint(KEYRING.active, link)}")
    assert isinstance(read, ReadLink) == (letter.lower() == LETTERS[link.kind])
    assert isinstance(read, ReadLink) or read.reason == "wrong_kind"


fragments = st.lists(
    st.sampled_from(
        ["/", "/c/", "/o/", "%2F", "%25", "%", "&amp;", "&#", "&#x2f;", "&#99999", "=", "=3D", "=\r\n", "%0A", " ", "?",
         "A", TOKEN, TOKEN[:30], TOKEN[30:], "é", "\u2028", "\ufffd", "_", "\\"]
    )
    | st.text(max_size=4),
    max_size=12,
).map("".join)  # fmt: skip


@given(fragments)
@example("&#" + "9" * 5000 + ";/c/x")
def test_any_target_is_a_value_and_only_what_was_minted_comes_out(target: str) -> None:
    read = resolve(KEYRING, target)
    assert isinstance(read, Invalid) or read.link == CLICK


@pytest.mark.parametrize(
    "target",
    [
        "/c/" * 20_000, "/c/" + "%25" * 20_000, "/c/" + "A/" * 30_000, f"/c/{TOKEN[:30]}" + "A" * 60_000,
        "/c/" + f"{TOKEN[:30]}%0A" * 1500, "/c/" + "&amp;" * 12_000, "/c/" + "_" * 60_000, f"/c/{TOKEN[:-1]}/" * 300,
        "=" * 60_000, " " * 60_000, "&#" * 30_000,
    ],
)  # fmt: skip
def test_the_work_for_one_request_is_bounded(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []

    def counting(keyring: Any, token: str) -> ReadLink | Invalid:
        tried.append(len(token))
        return read_token(keyring, token)

    monkeypatch.setattr(gateways, "read_token", counting)
    assert isinstance(resolve(KEYRING, target), Invalid)
    assert len(tried) <= gateways.MAX_TRIES + 1
    assert sum(tried) <= gateways.MAX_TRIED_CHARACTERS + len(target)


@pytest.mark.parametrize("key_id", [2, 3])
def test_retired_and_revoked_keys_prove_too(key_id: int) -> None:
    token = mint(KEYRING.links[key_id], CLICK)
    read = resolve(KEYRING, f"/c/{token}&x")
    assert isinstance(read, ReadLink)
    assert (read.key_id, read.key_state) == (key_id, KEYRING.links[key_id].state)


def test_a_long_destination_folded_over_many_lines() -> None:
    link = CLICK._replace(destination="https://shop.example/?" + "x" * 8000)
    token = mint(KEYRING.active, link)
    folded = "=%0D%0A".join(token[place : place + 76] for place in range(0, len(token), 76))
    read = resolve(KEYRING, f"/c/{folded}?x=1")
    assert isinstance(read, ReadLink)
    assert read.link == link
