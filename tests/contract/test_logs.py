"""Log lines of libraries: said once in a while, with how many were left out; ours are never left out."""

import logging
from collections.abc import Callable

import pytest

from sendtrail.process import Seldom


class Said(logging.Handler):
    """Keeps what passes."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@pytest.fixture
def clock() -> list[float]:
    """The time in seconds, to be set."""
    return [100.0]


@pytest.fixture
def said(clock: list[float]) -> Said:
    handler = Said()
    handler.addFilter(Seldom(30.0, lambda: clock[0]))
    return handler


@pytest.fixture
def library(said: Said) -> logging.Logger:
    logger = logging.Logger("some.library")
    logger.addHandler(said)
    return logger


def refusals(library: logging.Logger, count: int) -> None:
    for attempt in range(count):
        library.error("attempt %s failed: %s", attempt, "refused")


def test_what_repeats_is_said_once_in_a_while_and_counted(
    library: logging.Logger, said: Said, clock: list[float]
) -> None:
    refusals(library, 500)
    assert said.lines == ["attempt 0 failed: refused"]
    clock[0] += 29.0
    refusals(library, 500)
    assert len(said.lines) == 1
    clock[0] += 2.0
    refusals(library, 3)
    assert said.lines[1:] == ["attempt 0 failed: refused (and 999 more like it since 31 s ago)"]
    clock[0] += 31.0
    refusals(library, 1)
    assert said.lines[2:] == ["attempt 0 failed: refused (and 2 more like it since 31 s ago)"]


def test_another_text_level_or_logger_is_another_thing(library: logging.Logger, said: Said) -> None:
    other = logging.Logger("other.library")
    other.addHandler(said)
    says: list[Callable[[str], None]] = [library.error, library.warning, other.error]
    for _ in range(2):
        for say in says:
            say("away")
            say("back")
    assert said.lines == ["away", "back"] * 3


def test_information_and_our_own_lines_all_pass(library: logging.Logger, said: Said) -> None:
    for _ in range(3):
        library.info("information")
        library.error({"event": "ours"})
    assert said.lines == ["information", "{'event': 'ours'}"] * 3


def test_texts_that_never_repeat_are_all_said_in_bounded_memory(library: logging.Logger, said: Said) -> None:
    for number in range(5000):
        library.error(f"unlike {number}")
    assert len(said.lines) == 5000
    (seldom,) = said.filters
    assert isinstance(seldom, Seldom)
    assert len(seldom._said) <= 1000
