"""A group that was set back: records are judged as the first time, also where the state forgot what that takes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from streams import partitions
from streams.state.expiry import TRAIL_MS
from tests.streams.by_hand import by_hand
from tests.streams.making import Output
from tests.streams.running import Line


@pytest.mark.parametrize("trail_ms", [TRAIL_MS, -1])
def test_what_is_enriched_again_is_what_was_enriched_first(
    line: Line, tmp_path: Path, trail_ms: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a trail of less than nothing every set-back goes too far, and the state is built anew."""
    monkeypatch.setattr(partitions, "TRAIL_MS", trail_ms)
    old = line.send_some(20, packs=4)
    line.send(old, remember=False)
    line.send_some(10, packs=2)
    end = line.ends()[0]
    middle = end - 2

    async def enriched(committed: int, first: int) -> Sequence[Output]:
        async with by_hand(line, tmp_path / "state", committed) as hand:
            await hand.handle(first, end)
            return hand.sent

    whole = asyncio.run(enriched(0, 0))
    again = asyncio.run(enriched(middle, middle))
    assert [output.rows for output in again] == [output.rows for output in whole[middle:]]
    assert [output.header.counts for output in again] == [output.header.counts for output in whole[middle:]]
