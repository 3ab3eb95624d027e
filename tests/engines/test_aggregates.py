"""Aggregates equal a count of the events one by one, on every release: re-labels, repeated inserts, merges and all."""

# ruff: noqa: F401
import pytest
from clickhouse_driver import Client

from tests.sinks.test_aggregates import (
    DELIVERIES,
    Loaded,
    merged,
    test_breakdown,
    test_events,
    test_message_activity,
    test_person_activity,
    test_recipient_activity,
    test_stat_minute,
    test_sums_that_must_hold,
    test_the_base_numbers_of_a_delivery,
    test_transactions,
    test_url_activity,
)


@pytest.fixture(scope="module")
def loaded(client: Client) -> Loaded:
    """A seeded story, loaded with retries."""
    return Loaded(client, 3)
