"""Fixtures of the whole suite: one embedded broker and one embedded engine per session, started when first used.

SENDTRAIL_KAFKA=host:port and SENDTRAIL_CLICKHOUSE=host:port use outside servers instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from sendtrail.local.engine import Engine
from sendtrail.local.kafka import KafkaBroker
from tests.support.golden import Golden
from tests.support.stack import ClickHouse, delete_topics, outside_clickhouse, outside_kafka, random_name

_STACK_FIXTURES = frozenset({"kafka", "clickhouse", "make_engine", "make_broker"})

pytest_plugins = ["tests.support.absent"]

#: How long an example takes says something of the machine, nothing of the code. A run tries the same examples as the
#: one before; `--hypothesis-profile=wide` tries others, and more of them where a test does not say how many.
_PATIENT: dict[str, Any] = {"deadline": None, "suppress_health_check": [hypothesis.HealthCheck.too_slow]}
hypothesis.settings.register_profile("sendtrail", derandomize=True, **_PATIENT)
hypothesis.settings.register_profile("wide", max_examples=2_000, print_blob=True, **_PATIENT)
hypothesis.settings.load_profile("sendtrail")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rewrite-golden", action="store_true", help="write the golden files instead of comparing")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs broker or engine, so that `-m "not stack"` runs the pure tests."""
    for item in items:
        if _STACK_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker("stack")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """The golden files under tests/golden."""
    return Golden(rewrite=bool(request.config.getoption("--rewrite-golden")))


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Bootstrap address of a real Kafka."""
    outside = outside_kafka()
    if outside is not None:
        yield outside
        return
    with KafkaBroker(tmp_path_factory.mktemp("kafka")) as broker:
        yield broker.bootstrap


@pytest.fixture(scope="session")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouse]:
    """Where a real ClickHouse answers, and as whom."""
    outside = outside_clickhouse()
    if outside is not None:
        yield outside
        return
    with Engine(tmp_path_factory.mktemp("engine")) as engine:
        yield ClickHouse.of(engine)


@pytest.fixture
def topic_prefix(kafka: str) -> Iterator[str]:
    """A random prefix; every topic that starts with it is deleted afterwards."""
    prefix = random_name("t") + "."
    yield prefix
    delete_topics(kafka, prefix)


@pytest.fixture
def database(clickhouse: ClickHouse) -> Iterator[str]:
    """A new, empty database with a random name, dropped afterwards."""
    name = random_name("test")
    with clickhouse.client() as client:
        client.execute(f"CREATE DATABASE {name}")
    yield name
    with clickhouse.client() as client:
        client.execute(f"DROP DATABASE IF EXISTS {name} SYNC")


@pytest.fixture
def make_engine(tmp_path: Path) -> Iterator[Callable[[], Engine]]:
    """Starts private engines, e.g. to kill them; each on a directory of its own. They end with the test."""
    engines: list[Engine] = []

    def make() -> Engine:
        engine = Engine(tmp_path / f"engine{len(engines)}")
        engines.append(engine)
        engine.start()
        engine.wait_ready()
        return engine

    yield make
    for engine in engines:
        engine.kill()


@pytest.fixture
def make_broker(tmp_path: Path) -> Iterator[Callable[[], KafkaBroker]]:
    """Starts private brokers, e.g. to kill them; each on a directory of its own. They end with the test."""
    brokers: list[KafkaBroker] = []

    def make() -> KafkaBroker:
        broker = KafkaBroker(tmp_path / f"kafka{len(brokers)}")
        brokers.append(broker)
        broker.start()
        broker.wait_ready()
        return broker

    yield make
    for broker in brokers:
        broker.kill()
