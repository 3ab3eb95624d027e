"""The policy file: read, refused with the key's name, and what it remembers."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendtrail.deliveries import DeliveryUrl
from sendtrail.errors import PolicyError
from sendtrail.instrument import Policy, UrlRule, load_policy, remember
from sendtrail.instrument.policy_file import policy_from, policy_of
from tests.instrument.making import made

WHOLE = """
pixel = true
pixel_place = "start"
one_click = false
unsubscribe_mailto = "mailto:leave@shop.example?subject=leave"
placeholders = "*|X|*"
fill_body = true
visible_urls = "track"
web_id = "st"
web_id_hosts = ["shop.example", "*.shop.example"]
honeypot = "https://shop.example/trap"

[parameters]
utm_source = "newsletter"
utm_content = "*|SEGMENT|*"

[urls."https://shop.example/leave"]
mode = "optout"
destination = ""

[patterns."https://*.example.org/*"]
mode = "not_tracked"
label = "Elsewhere"
category = "other"
parameters = false
"""


def test_every_key() -> None:
    assert policy_of(WHOLE) == Policy(
        pixel=True,
        pixel_place="start",
        one_click=False,
        unsubscribe_mailto="mailto:leave@shop.example?subject=leave",
        placeholders="*|X|*",
        fill_body=True,
        visible_urls="track",
        web_id="st",
        web_id_hosts=("shop.example", "*.shop.example"),
        honeypot="https://shop.example/trap",
        parameters={"utm_source": "newsletter", "utm_content": "*|SEGMENT|*"},
        urls={"https://shop.example/leave": UrlRule("optout", destination="")},
        patterns={"https://*.example.org/*": UrlRule("not_tracked", "Elsewhere", "other", parameters=False)},
    )
    assert policy_of("") == Policy()
    assert policy_from(json.loads(json.dumps(tomllib.loads(WHOLE)))) == policy_of(WHOLE)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("pixel = 3", "pixel: Expected `bool`"),
        ("pixle = true", "pixle: unknown"),
        ('pixel_place = "middle"', "pixel_place: 'middle' is none of 'auto'"),
        ("pixel_place = []", "pixel_place"),
        ("pixel = {}", "pixel"),
        ('web_id_hosts = "a"', "web_id_hosts"),
        ("urls = 3", "urls: a table"),
        ('[urls]\n"https://a/" = "never"', 'urls."https://a/": '),
        ('[urls."https://a/"]\nmode = "traked"', "urls.\"https://a/\": mode: 'traked' is none of tracked"),
        ('[urls."https://a/"]\nlabel = 3', 'urls."https://a/": label'),
        ('[patterns."*"]\nmod = "never"', 'patterns."*": mod: unknown'),
        ("[parameters]\nutm = 3", "parameters.utm: a text"),
        ("parameters = []", "parameters: a table"),
        ("x =", "not TOML"),
        ("\x00", "not TOML"),
    ],
)
def test_what_can_not_be_read_names_file_and_key(tmp_path: Path, text: str, named: str) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(text)
    with pytest.raises(PolicyError) as raised:
        load_policy(path)
    assert str(path) in str(raised.value)
    assert named in str(raised.value)


def test_a_file_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    with pytest.raises(PolicyError, match="can't be read"):
        load_policy(path)
    path.write_bytes(b"\xff")
    with pytest.raises(PolicyError, match="can't be read"):
        load_policy(path)


def test_later_templates_obey_what_an_earlier_one_said(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    modes = {"no": "never", "yes": "always", "once": "not_tracked"}
    first = made(
        "".join(f'<a href="https://a.example/{name}" data-st-mode="{mode}">x</a>' for name, mode in modes.items())
    )
    assert [entry.url for entry in remember(path, first.urls)] == ["https://a.example/no", "https://a.example/yes"]
    html = "".join(f'<a href="https://a.example/{name}">a.example/{name}</a>' for name in ("no", "yes"))
    later = made(html, policy=load_policy(path))
    assert [(u.url, u.mode) for u in later.urls[:2]] == [
        ("https://a.example/no", "never"), ("https://a.example/yes", "always"),
    ]  # fmt: skip
    assert '<a href="https://a.example/no">' in (later.render(1).html or "")
    assert "https://a.example/yes" not in (later.render(1).html or "")
    before = path.read_bytes()
    assert remember(path, later.urls) == []
    assert path.read_bytes() == before


def test_what_stands_in_the_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    text = '\n# ours\nplaceholders = "%x%"  # always\n\n[urls."https://a.example/no"]\nmode = "tracked"'
    path.write_text(text)
    path.chmod(0o640)
    urls = [
        DeliveryUrl(url="https://a.example/no", mode="never"),
        DeliveryUrl(url='https://b.example/"\\', mode="never"),
    ]
    assert remember(path, urls) == urls[1:]
    assert path.read_text().startswith(text)
    assert path.stat().st_mode & 0o777 == 0o640
    assert load_policy(path).urls == {
        "https://a.example/no": UrlRule("tracked"), 'https://b.example/"\\': UrlRule("never"),
    }  # fmt: skip


def test_a_file_that_can_not_be_added_to_is_left(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text("urls = {}\n")
    with pytest.raises(PolicyError, match="not TOML"):
        remember(path, [DeliveryUrl(url="https://a.example/", mode="never")])
    assert path.read_text() == "urls = {}\n"


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters=" \x7f"), min_size=1))
def test_any_url_is_read_as_it_was_written(tmp_path_factory: pytest.TempPathFactory, url: str) -> None:
    path = tmp_path_factory.mktemp("policy") / "policy.toml"
    (added,) = remember(path, [DeliveryUrl(url=url, mode="always")])
    assert load_policy(path).urls == {added.url: UrlRule("always")}
