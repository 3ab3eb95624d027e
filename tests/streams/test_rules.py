"""Rules are data with examples of their own: the built-in ones hold, an operator's are checked when they are loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from sendtrail.errors import SettingsError
from streams.check_rules import failures, load_checked
from streams.rules import FOLDER, load_rules
from streams.steps.classify import classify
from streams.steps.name_client import name_client
from streams.steps.place_network import place_network
from tests.streams.making import CHROME, hit, item_of, known_of

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0"
LISTED = f"""
[[network]]
name = "Example hosting"
files = ["hosting.csv"]
certainty = "probable"
reason = "hosting_network"
kinds = ["click"]
fires = [{{ kind = "click", address = "198.51.100.7", user_agent = "{FIREFOX}" }}]
spares = [{{ address = "198.51.100.7", user_agent = "{FIREFOX}" }}, {{ kind = "click", address = "198.51.101.7" }}]

[[network]]
name = "Example scanner"
ranges = ["198.51.100.128/25", "2001:db8:7::/48"]
certainty = "certain"
reason = "scanner_network"
fires = [{{ address = "198.51.100.129" }}, {{ kind = "click", address = "2001:db8:7::1" }}]
spares = [{{ address = "198.51.100.127" }}]
"""
AGENT = """
[[agent]]
reason = "own_monitor"
contains = ["tulip watch"]
fires = [{ user_agent = "Tulip Watch 3 curl/8" }]
spares = [{ user_agent = "curl/8" }]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Rules of an operator's own, with a list of networks as providers publish it."""
    (tmp_path / "own.toml").write_text(LISTED)
    (tmp_path / "hosting.csv").write_text("# hosting\n198.51.100.0/24,DE,,\n\n2001:db8:6::/48 # a comment\n")
    return tmp_path


def judged(folder: Path, **fields: object) -> tuple[str, tuple[str, ...], str]:
    """Class, reasons and network of a hit by the rules of a folder."""
    item, known = item_of(hit(**fields)), known_of(rules=load_rules(folder))  # type: ignore[arg-type]
    for step in (name_client, place_network, classify):
        step(item, known)
    return item.found.class_, item.found.class_reasons, item.found.network


def test_every_built_in_rule_does_what_its_examples_say() -> None:
    rules = load_rules()
    assert failures(rules) == []
    reasons = {tested.reason for tested in rules.tested}
    assert reasons == {
        "", "image_proxy", "privacy_prefetch", "security_scanner", "known_bot", "http_library", "head", "prefetch",
        "flood", "honeypot", "provider", "before_delivery", "clicked_later", "burst", "many_messages",
    }  # fmt: skip


def test_a_rule_that_does_not_what_it_says_is_told_with_file_and_key(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(AGENT.replace("Tulip Watch 3", "Rose Watch"))
    with pytest.raises(SettingsError, match=r"a\.toml: agent\[0\]\.fires\[0\]: reason own_monitor not found"):
        load_checked(tmp_path)
    (tmp_path / "a.toml").write_text(AGENT.replace('"curl/8"', '"tulip watch"'))
    with pytest.raises(SettingsError, match=r"agent\[0\]\.spares\[0\]: reason own_monitor found, and should not be"):
        load_checked(tmp_path / ".")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[[agent]]\nreason = 'x'\n", r"Object missing required field `contains` - at `\$\.agent\[0\]`"),
        (AGENT.replace("own_monitor", "Own, monitor"), r"at `\$\.agent\[0\]\.reason`"),
        (AGENT.replace("contains", "contain"), r"unknown field `contain` - at `\$\.agent\[0\]`"),
        (AGENT.partition("spares")[0], r"agent\[0\] needs examples: `fires` and `spares`"),
        (LISTED.replace("hosting.csv", "none.csv"), r"network\[0\] \(Example hosting\)\.files: .*none\.csv.*No such"),
        (LISTED.replace("100.128/25", "100.127/25"), r"\(Example scanner\)\.ranges: .* has host bits set"),
        (LISTED.replace('certainty = "certain"', ""), r"network\[1\] needs both `certainty` and `reason`"),
        ("[[proxy", "own.toml: Expected"),
        ('version = "1"\n[group]\nlift = true\n', r"group\.examples\.clicked_later needs examples"),
    ],
)
def test_what_is_wrong_is_told_with_file_and_key(folder: Path, text: str, told: str) -> None:
    (folder / "own.toml").write_text(text)
    with pytest.raises(SettingsError, match=told):
        load_rules(folder)


def test_a_list_names_file_and_line_of_what_is_no_range(folder: Path) -> None:
    (folder / "hosting.csv").write_text("198.51.100.0/24\n\n198.51.100.300\n")
    with pytest.raises(SettingsError, match=r"hosting\.csv: line 3: '198\.51\.100\.300'"):
        load_rules(folder)


def test_networks_are_certain_or_probable(folder: Path) -> None:
    hosting = {"address": "198.51.100.7", "kind": "click"}
    assert judged(folder, **hosting) == ("unknown", ("hosting_network",), "Example hosting")
    assert judged(folder, **hosting | {"kind": "open"}) == ("human", (), "Example hosting")
    assert judged(folder, **hosting, user_agent="curl/8") == ("machine", ("http_library",), "Example hosting")
    assert judged(folder, address="198.51.100.200") == ("machine", ("scanner_network",), "Example scanner")
    assert judged(folder, address="2001:db8:6::1", kind="click")[0] == "unknown"
    assert judged(folder, **hosting, hints=["head"]) == ("machine", ("head",), "Example hosting")
    confirmed = judged(folder, address="198.51.100.200", kind="optout", how="one_click")
    assert confirmed[:2] == ("human", ("confirmed",))


def test_own_rules_come_before_the_built_in_ones(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(AGENT)
    assert judged(tmp_path, user_agent="tulip watch curl/8")[1] == ("own_monitor",)
    assert judged(tmp_path, user_agent="curl/8")[1] == ("http_library",)


def test_a_version_makes_a_ruleset_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(f'version = "mine-1"\n{AGENT}')
    assert load_rules(tmp_path).version.startswith("mine-1+")
    assert judged(tmp_path, user_agent="curl/8") == ("human", (), "")


def test_the_version_tells_what_is_in_rules_and_lists(folder: Path) -> None:
    before = load_rules(folder).version
    assert before.startswith(load_rules().version + "+")
    assert load_rules(folder).version == before
    (folder / "hosting.csv").write_text("198.51.100.0/25\n")
    assert load_rules(folder).version != before


def test_a_copy_of_the_built_in_rules_judges_alike(tmp_path: Path) -> None:
    for name in ("machine.toml", "networks.toml"):
        (tmp_path / name).write_bytes((FOLDER / name).read_bytes())
    assert judged(tmp_path, user_agent="curl/8") == judged(FOLDER, user_agent="curl/8")
    assert judged(tmp_path, user_agent=CHROME, address="10.0.0.1") == ("human", (), "private")


def test_one_key_of_the_group_is_changed_and_the_others_stay(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(
        "[[group.burst]]\nlinks = 2\nwithin_ms = 10\n"
        'fires = [[{ kind = "click", times = 2, each = "link", every_ms = 10 }]]\n'
        'spares = [[{ kind = "click", times = 2, each = "link", every_ms = 11 }]]\n'
    )
    rules = load_checked(tmp_path)
    assert [(burst.links, burst.within_ms) for burst in rules.group.burst] == [(2, 10)]
    assert (rules.group.before_delivery_ms, rules.group.lift) == (2_000, True)


def test_one_file_is_a_ruleset_too_and_an_example_without_hits_is_none(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(AGENT)
    assert failures(load_rules(tmp_path / "a.toml")) == []
    (tmp_path / "a.toml").write_text(AGENT.replace('[{ user_agent = "curl/8" }]', '[[{ kind = "sent" }]]'))
    with pytest.raises(SettingsError, match=r"spares\[0\]: none of its events is a hit"):
        load_checked(tmp_path / "a.toml")
