"""Fixtures of the relay's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.producers.relay.running import Hop, RelayProcess


@pytest.fixture
def hop() -> Iterator[Hop]:
    """A next hop that takes every mail until it is told otherwise."""
    hop = Hop()
    yield hop
    hop.close()


@pytest.fixture(scope="module")
def steady_hop() -> Iterator[Hop]:
    """One next hop for the tests of a module."""
    hop = Hop()
    yield hop
    hop.close()


@pytest.fixture(scope="module")
def shared_relay(steady_hop: Hop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RelayProcess]:
    """One relay for the tests of a module."""
    with RelayProcess(tmp_path_factory.mktemp("relay"), steady_hop) as running:
        yield running


@pytest.fixture
def relay(shared_relay: RelayProcess, steady_hop: Hop) -> RelayProcess:
    """The shared relay; its next hop has forgotten what it was told."""
    steady_hop.mails.clear()
    steady_hop.commands.clear()
    steady_hop.answers.clear()
    steady_hop.end = "250 2.0.0 taken"
    return shared_relay
