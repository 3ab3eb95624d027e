"""How much of the id window the worker exports as used."""

from prometheus_client import REGISTRY

from sendtrail.enriched import MinuteCounts
from streams.render import Enriched
from streams.worker import MINUTE_MS, observe_window

WINDOW_MS = 1000 * MINUTE_MS
NOW = 10_000  # minutes


def _count(up_to: str) -> float:
    return REGISTRY.get_sample_value("sendtrail_streams_window_use_ratio_bucket", {"le": up_to}) or 0.0


def _observed(counts: dict[str, MinuteCounts]) -> dict[str, float]:
    before = {up_to: _count(up_to) for up_to in ("0.01", "0.75", "1.0", "+Inf")}
    observe_window([Enriched(value=b"", headers=[], counts=counts, rejects=[])], NOW * MINUTE_MS, WINDOW_MS)
    return {up_to: _count(up_to) - number for up_to, number in before.items()}


def test_the_oldest_id_of_a_record_counts() -> None:
    fresh, old = MinuteCounts(events_in=3, out=3), MinuteCounts(events_in=1, duplicate=1)
    assert _observed({str(NOW): fresh}) == {"0.01": 1, "0.75": 1, "1.0": 1, "+Inf": 1}
    assert _observed({str(NOW): fresh, str(NOW - 800): old}) == {"0.01": 0, "0.75": 0, "1.0": 1, "+Inf": 1}
    assert _observed({str(NOW - 2000): old}) == {"0.01": 0, "0.75": 0, "1.0": 0, "+Inf": 1}


def test_ids_ahead_of_the_log_use_nothing() -> None:
    assert _observed({str(NOW + 60): MinuteCounts(events_in=1, out=1)})["0.01"] == 1


def test_ids_without_a_time_and_rejects_are_left_out() -> None:
    nothing = {"0.01": 0, "0.75": 0, "1.0": 0, "+Inf": 0}
    assert _observed({"0": MinuteCounts(events_in=1, out=1)}) == nothing
    assert _observed({"5": MinuteCounts(events_in=2, rejected=2)}) == nothing
    assert _observed({}) == nothing
