"""A line with real topics for each test; its workers end with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.streams.running import Line


@pytest.fixture
def line(kafka: str, topic_prefix: str, tmp_path: Path) -> Iterator[Line]:
    made = Line.make(kafka, topic_prefix, tmp_path)
    yield made
    made.close()
