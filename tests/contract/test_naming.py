"""Names -> keys, as FORMATS spells them."""

from __future__ import annotations

import hashlib
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendtrail.errors import BadName
from sendtrail.naming import HASHED, KeyKind, KeyMaker, key, length_prefixed
from tests.support.golden import Golden, golden_keyring
from tests.support.strategies import names

NAMING_KEY = golden_keyring().naming_key
KINDS = get_args(KeyKind)

NAMES: list[tuple[str, int | str]] = [
    ("", 0), ("", 7), ("", "7"), ("", "0"), ("", 2**63 - 1), ("", str(2**63 - 1)), ("", str(2**63)), ("", "007"),
    ("", "+7"), ("", "7 "), ("", "\u0667"), ("", "welcome"), ("", "Ünïcode ✉"), ("", "a" * 128), ("shop", 42),
    ("shop", "42"), ("shop", "welcome"), ("shop 2", "42"), ("sho", "p42"),
]  # fmt: skip


def _spelled_out(account: str, kind: str, name: int | str) -> int:
    """The rule again, in other words than the code."""
    text = str(name)
    plain = text.isascii() and text.isdigit() and str(int(text)) == text and int(text) < 2**63
    if account == "" and plain:
        return int(text)
    state = hashlib.blake2b(key=NAMING_KEY, person=kind.encode())
    for part in (account.encode(), text.encode()):
        state.update(len(part).to_bytes(4, "big"))
        state.update(part)
    bits = bin(int.from_bytes(state.digest(), "big"))[2:].rjust(512, "0")
    return 2**63 + int(bits[:63], 2)


@pytest.mark.parametrize(("account", "name"), NAMES)
@pytest.mark.parametrize("kind", KINDS)
def test_keys_follow_the_rule(account: str, name: int | str, kind: KeyKind) -> None:
    assert key(NAMING_KEY, account, kind, name) == _spelled_out(account, kind, name)
    assert KeyMaker(NAMING_KEY, account).key(kind, name) == _spelled_out(account, kind, name)


def test_keys_are_frozen(golden: Golden) -> None:
    golden.check(
        "names.json",
        [
            {"account": account, "name": name, **{kind: key(NAMING_KEY, account, kind, name) for kind in KINDS}}
            for account, name in NAMES
        ],
    )


@given(st.sampled_from(("", "shop", "é")), st.text(max_size=140) | st.integers(-1, 2**64), st.sampled_from(KINDS))
def test_a_maker_s_keys_are_the_same(account: str, name: str | int, kind: KeyKind) -> None:
    maker = KeyMaker(NAMING_KEY, account)
    try:
        expected = key(NAMING_KEY, account, kind, name)
    except BadName:
        with pytest.raises(BadName):
            maker.key(kind, name)
    else:
        assert maker.key(kind, name) == expected


@given(st.integers(0, 2**63 - 1), st.sampled_from(KINDS))
def test_a_small_number_and_its_digits_are_one_key(number: int, kind: KeyKind) -> None:
    assert key(NAMING_KEY, "", kind, number) == key(NAMING_KEY, "", kind, str(number)) == number
    hashed = key(NAMING_KEY, "a", kind, number)
    assert hashed == key(NAMING_KEY, "a", kind, str(number)) >= HASHED


@given(st.sampled_from(["", "a", "b"]), names)
def test_keys_fit_in_64_bits_and_differ_by_account_and_kind(account: str, name: str) -> None:
    hashed = [key(NAMING_KEY, "other", kind, name) for kind in KINDS]
    assert len(set(hashed)) == 3
    one = key(NAMING_KEY, account, "message", name)
    assert 0 <= one < 2**64
    assert one not in hashed


@pytest.mark.parametrize(
    "name", ["", "a" * 129, "ü" * 65, True, False, 1.0, None, -1, 2**63, b"bytes", ["a"], "\ud800"]
)
def test_what_can_not_be_a_name_is_refused(name: object) -> None:
    with pytest.raises(BadName):
        key(NAMING_KEY, "", "message", name)  # type: ignore[arg-type]


@pytest.mark.parametrize("account", ["a" * 129, "\ud800"])
def test_what_can_not_be_an_account_is_refused(account: str) -> None:
    with pytest.raises(BadName):
        key(NAMING_KEY, account, "message", "m")


@given(st.lists(st.binary(max_size=6), max_size=4), st.lists(st.binary(max_size=6), max_size=4))
def test_length_prefixes_keep_lists_apart(one: list[bytes], other: list[bytes]) -> None:
    assert (length_prefixed(*one) == length_prefixed(*other)) == (one == other)
