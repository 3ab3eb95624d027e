"""Tokens: what FORMATS says byte for byte, and that nothing but the minted bytes proves."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendtrail.errors import BadLink, Invalid
from sendtrail.events import FLAG_NO_RECIPIENT, FLAG_SEED
from sendtrail.keyring import Keyring
from sendtrail.links import (
    Link,
    ReadLink,
    Unsigned,
    check_destination,
    decode_token,
    mint,
    read_token,
    read_unproved,
    url_id_of,
    url_of,
)
from tests.support.golden import Golden, golden_keyring
from tests.support.strategies import destinations, links

KEYRING = golden_keyring()
KEY = KEYRING.active
CLICK = Link("click", 2**63 + 5, 7, 2**64 - 1, 0xDEADBEEF, 32769, "https://shop.example/ä?b=1#c&d", FLAG_SEED)

SAMPLES: dict[str, Link] = {
    "click": CLICK,
    "click_without_recipient": CLICK._replace(recipient=None, position=1),
    "click_recipient_0": CLICK._replace(recipient=0, flags=0),
    "open": Link("open", 1, 2, 3),
    "open_without_recipient": Link("open", 1, 2),
    "optout_own_page": Link("optout", 1, 2, 3, url_id_of("sendtrail:optout")),
    "optout_redirect": Link("optout", 1, 2, 3, 77, 2, "https://shop.example/bye?m=2"),
    "mirror": Link("mirror", 1, 2, 3, 78, 1, "https://shop.example/copy"),
    "web": Link("web", 1, 2, 3, flags=15),
    "idn": CLICK._replace(destination="http://例え.テスト/パス?q=值#片段"),
    "long": CLICK._replace(destination="https://shop.example/" + "x" * (8192 - 21)),
}


def _b64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _raw(token: str) -> bytes:
    return urlsafe_b64decode(token + "=" * (-len(token) % 4))


def test_a_click_token_byte_for_byte() -> None:
    body = bytes([1, KEY.key_id, 2, 1])
    body += bytes.fromhex("8000000000000005" + "0000000000000007" + "ffffffffffffffff" + "deadbeef" + "8001")
    body += "https://shop.example/ä?b=1#c&d".encode()
    mac = hashlib.blake2b(body, key=KEY.secret, person=b"link", digest_size=10).digest()
    assert mint(KEY, CLICK) == _b64(body + mac)


def test_an_open_token_has_neither_url_nor_recipient_bytes() -> None:
    raw = _raw(mint(KEY, Link("open", 1, 2)))
    assert raw[:-10] == bytes([1, KEY.key_id, 1, 16]) + (1).to_bytes(8, "big") + (2).to_bytes(8, "big")


def test_the_url_id_is_unkeyed_blake2b_32() -> None:
    url = "https://shop.example/ä"
    assert url_id_of(url) == int(hashlib.blake2b(url.encode(), digest_size=4).hexdigest(), 16)


def test_tokens_are_frozen(golden: Golden) -> None:
    golden.check(
        "tokens.json",
        [
            {"name": name, "token": mint(replace(KEYRING.links[key_id]), link), "key": key_id, **link._asdict()}
            for name, link in SAMPLES.items()
            for key_id in ((1, 2, 3) if name == "click" else (1,))
        ],
    )


@given(links)
def test_round_trip(link: Link) -> None:
    read = read_token(KEYRING, mint(KEY, link))
    flags = link.flags | (FLAG_NO_RECIPIENT if link.recipient is None else 0)
    assert read == ReadLink(link._replace(flags=flags), KEY.key_id, "active")


@given(destinations)
def test_round_trip_of_destinations_byte_for_byte(destination: str) -> None:
    read = read_token(KEYRING, mint(KEY, CLICK._replace(destination=destination)))
    assert isinstance(read, ReadLink)
    assert read.link.destination == destination


@pytest.mark.parametrize("link", SAMPLES.values(), ids=SAMPLES)
def test_no_bit_flip_of_the_decoded_bytes_verifies(link: Link) -> None:
    raw = _raw(mint(KEY, link))
    bits = range(8 * len(raw)) if len(raw) < 200 else range(0, 8 * len(raw), 97)
    for bit in bits:
        damaged = bytearray(raw)
        damaged[bit // 8] ^= 1 << (bit % 8)
        assert isinstance(read_token(KEYRING, _b64(bytes(damaged))), Invalid), bit


@given(links, st.data())
def test_no_cut_or_addition_verifies(link: Link, data: st.DataObject) -> None:
    token = mint(KEY, link)
    raw = _raw(token)
    cut = data.draw(st.integers(0, len(raw) - 1))
    more = data.draw(st.binary(min_size=1, max_size=8))
    assert isinstance(read_token(KEYRING, _b64(raw[:cut])), Invalid)
    assert isinstance(read_token(KEYRING, _b64(raw + more)), Invalid)
    assert isinstance(read_token(KEYRING, _b64(more + raw)), Invalid)
    assert isinstance(read_token(KEYRING, token[: data.draw(st.integers(0, len(token) - 1))]), Invalid)


@given(st.text(max_size=120) | st.binary(max_size=120).map(_b64))
def test_any_text_reads_to_a_value(token: str) -> None:
    assert isinstance(read_token(KEYRING, token), Invalid)


@pytest.mark.parametrize("change", [lambda t: t + "=", lambda t: t + "==", lambda t: " " + t, lambda t: t + "\n"])
def test_only_the_canonical_form_is_read(change: object) -> None:
    token = mint(KEY, Link("open", 1, 2))
    assert callable(change)
    assert decode_token(change(token)) is None


def test_the_letters_of_plain_base64_are_foreign() -> None:
    """Else one link would have several addresses, and a cache or a filter could be told them apart."""
    token = mint(KEY, CLICK._replace(destination="https://a.example/??>>~~~", message=0xFBEFBEFBEFBEFBEF))
    assert "-" in token
    assert "_" in token
    assert isinstance(read_token(KEYRING, token), ReadLink)
    for plain in (token.replace("-", "+"), token.replace("_", "/"), token.replace("-", "+", 1)):
        assert decode_token(plain) is None


def test_unused_bits_of_the_last_letter_must_be_zero() -> None:
    token = mint(KEY, Link("open", 1, 2, 3))  # 38 bytes: the last letter carries 4 bits of them
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    other = token[:-1] + alphabet[alphabet.index(token[-1]) ^ 1]
    assert _raw(other) == _raw(token)
    assert read_token(KEYRING, other) == Invalid("malformed", "not a canonical token")


@pytest.mark.parametrize(("key_id", "state"), [(1, "active"), (2, "retired"), (3, "revoked")])
def test_the_state_of_the_key_comes_with_the_link(key_id: int, state: str) -> None:
    read = read_token(KEYRING, mint(KEYRING.links[key_id], CLICK))
    assert isinstance(read, ReadLink)
    assert (read.key_id, read.key_state) == (key_id, state)


def test_reasons_of_refusal() -> None:
    token = mint(KEY, CLICK)
    without = Keyring(KEYRING.naming_key, {})
    other = Keyring(KEYRING.naming_key, {1: replace(KEYRING.links[2], key_id=1)})
    reasons = [
        read_token(without, token),
        read_token(other, token),
        read_token(KEYRING, _b64(b"\x02" + _raw(token)[1:])),
        read_token(KEYRING, ""),
        read_token(KEYRING, _signed(bytes([1, 1, 9, 16]) + bytes(16))),
        read_token(KEYRING, _signed(bytes([1, 1, 2, 16]) + bytes(16))),
        read_token(KEYRING, _signed(bytes([1, 1, 1, 16]) + bytes(17))),
        read_token(KEYRING, _signed(bytes([1, 1, 2, 16]) + bytes(22) + b"\xff")),
    ]
    assert [r.reason for r in reasons if isinstance(r, Invalid)] == [
        "unknown_key", "bad_mac", "unknown_version", "malformed", "malformed", "malformed", "malformed", "malformed",
    ]  # fmt: skip


def _signed(body: bytes) -> str:
    return _b64(body + hashlib.blake2b(body, key=KEY.secret, person=b"link", digest_size=10).digest())


@pytest.mark.parametrize(
    "destination",
    [
        "ftp://a.example/", "javascript:alert(1)", "data:text/html,x", "//a.example/", "/path", "a.example", "https://",
        "https:///path", "http://?x", "https://a.example/ b", "https://a.example/\n", "https://a.example/\x00",
        "https://a.example/\x7f", "https://a.example/\u0085", "https://a.example/\u2028", " https://a.example/",
        "https://[::1", "https://a.example/" + "x" * 8192, "https://a.example/\ud800", "mailto:a@b.example",
    ],
)  # fmt: skip
def test_what_is_not_a_destination(destination: str) -> None:
    with pytest.raises(BadLink):
        check_destination(destination)
    with pytest.raises(BadLink):
        mint(KEY, CLICK._replace(destination=destination))


@pytest.mark.parametrize(
    "change",
    [
        {"destination": ""}, {"delivery": -1}, {"delivery": 2**64}, {"message": 2**64}, {"recipient": -1},
        {"url_id": 2**32}, {"position": 65536}, {"flags": 256}, {"flags": -1},
    ],
)  # fmt: skip
def test_fields_out_of_range_are_not_minted(change: dict[str, int]) -> None:
    with pytest.raises(BadLink):
        mint(KEY, CLICK._replace(**change))  # type: ignore[arg-type]


def test_addresses() -> None:
    assert url_of("https://t.example/", "optout", "T") == "https://t.example/u/T"
    assert url_of("https://t.example/x", "open", "T") == "https://t.example/x/o/T"


@given(links)
def test_what_a_token_says_can_be_read_without_its_key(link: Link) -> None:
    assert read_unproved(mint(KEY, link)) == read_token(KEYRING, mint(KEY, link)).link  # type: ignore[union-attr]


@given(links)
def test_an_unsigned_token_says_the_same_and_proves_nothing(link: Link) -> None:
    token = Unsigned().seal(_raw(mint(KEY, link))[:-10])
    assert read_unproved(token) == read_unproved(mint(KEY, link))
    assert isinstance(read_token(KEYRING, token), Invalid)


@given(st.text(max_size=80))
def test_any_text_is_read_unproved_without_raising(token: str) -> None:
    assert read_unproved(token) is None or isinstance(read_unproved(token), Link)
