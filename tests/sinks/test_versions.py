"""Servers older than any that is tested are refused in words that say what to do."""

import re
from importlib.metadata import version

import pytest

from sinks.versions import OLDEST, TooOld, refuse_older
from tests.support.engines import ROOT, releases


@pytest.mark.parametrize("found", [(24, 8, 4), (25, 7, 99), (9, 12, 1)])
def test_an_older_server_is_refused(found: tuple[int, ...]) -> None:
    with pytest.raises(TooOld, match=r"ClickHouse \d+\.\d+\.\d+ is older than 25\.8, .* upgrade the server"):
        refuse_older(found)


@pytest.mark.parametrize("found", [(25, 8, 2), (26, 1, 0), (30, 1, 1)])
def test_a_later_one_is_not(found: tuple[int, ...]) -> None:
    refuse_older(found)


def test_the_oldest_is_one_that_the_suites_run_on() -> None:
    assert releases()[0] == ".".join(map(str, OLDEST))


def test_operators_are_told_every_release_that_is_tested() -> None:
    text = (ROOT / "docs" / "operate.md").read_text()
    section = text.split("## ClickHouse releases", 1)[1].split("\n## ", 1)[0]
    installed = ".".join(version("chdb-core").split(".")[:2])
    assert re.findall(r"^\| ([\d.]+) \|", section, re.MULTILINE) == [*releases(), installed]
