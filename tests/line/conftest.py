"""One running line for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.line.running import Line


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What runs the line is no pure test."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("stack")


@pytest.fixture(scope="package")
def _line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    line = Line(tmp_path_factory.mktemp("line"))
    yield line
    line.end()


@pytest.fixture
def line(_line: Line) -> Line:
    """A running `sendtrail up`; a test that ended it has it started again on the same data for the next one."""
    if not _line.running:
        _line.start()
    return _line
