"""Fixtures of the API's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.producers.api.running import ApiProcess


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiProcess]:
    """One API for the tests of a module; each uses names of its own."""
    with ApiProcess(tmp_path_factory.mktemp("api")) as running:
        yield running
