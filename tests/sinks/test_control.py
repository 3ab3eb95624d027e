"""Tools hold loaders through table `control`: who waits for whom, and what ends by itself."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from sendtrail.settings import ClickHouseSettings
from sinks.control import Control, PauseError, paused
from tests.support.line import clickhouse_settings, migrated
from tests.support.stack import ClickHouse


@pytest.fixture
def settings(clickhouse: ClickHouse, database: str) -> ClickHouseSettings:
    migrated(clickhouse, database).disconnect()
    return clickhouse_settings(clickhouse, database)


@pytest.fixture
def member(clickhouse: ClickHouse, settings: ClickHouseSettings) -> Iterator[Callable[[str], Control]]:
    clients = []

    def make(name: str) -> Control:
        client = clickhouse.client(settings.database, settings={"server_side_params": True})
        clients.append(client)
        return Control(client, name)

    yield make
    for client in clients:
        client.disconnect()


class HoldingLoader:
    """A loader as far as `control` sees it: present, and holding for whatever pause is on."""

    def __init__(self, control: Control) -> None:
        self.control = control
        self.held: list[tuple[str, ...]] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        control.present()

    def __enter__(self) -> "HoldingLoader":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(0.02):
            pauses = self.control.read().pauses
            if pauses != (self.held[-1] if self.held else ()):
                self.held.append(pauses)  # first: once it is said, the tool begins
                self.control.hold(pauses)


Members = Callable[[str], Control]


def test_without_loaders_a_tool_begins_at_once_and_leaves_no_trace(
    settings: ClickHouseSettings, member: Members
) -> None:
    with paused(settings, "migrate") as pause:
        assert member("x").read().pauses == (pause.member,)
        pause.check()
    assert member("x").read().pauses == ()


def test_a_tool_begins_when_every_loader_holds(settings: ClickHouseSettings, member: Members) -> None:
    with HoldingLoader(member("a")) as first, HoldingLoader(member("b")) as second:
        with paused(settings, "migrate") as pause:
            assert first.held[-1] == second.held[-1] == (pause.member,)
        deadline = time.monotonic() + 10
        while first.held[-1] or second.held[-1]:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_a_loader_that_does_not_hold_makes_the_tool_give_up(settings: ClickHouseSettings, member: Members) -> None:
    member("deaf").present()
    with pytest.raises(PauseError, match="deaf"), paused(settings, "migrate", timeout_s=0.6):
        pytest.fail("it must not begin")
    assert member("x").read().pauses == ()


def test_a_loader_that_said_good_bye_or_is_silent_is_not_waited_for(
    settings: ClickHouseSettings, member: Members
) -> None:
    member("gone").present()
    member("gone").leave()
    member("silent").say("loader", "running", 0.01)
    with paused(settings, "migrate", timeout_s=5):
        pass


def test_a_loader_that_pauses_the_others_does_not_wait_for_itself(
    settings: ClickHouseSettings, member: Members
) -> None:
    member("self").present()
    with HoldingLoader(member("other")) as other, paused(settings, "loader", own_loader="self", timeout_s=10) as pause:
        assert other.held[-1] == (pause.member,)


def test_one_tool_at_a_time(settings: ClickHouseSettings) -> None:
    inside: list[str] = []

    def work(name: str) -> None:
        with paused(settings, name):
            inside.append(f"{name} begins")
            time.sleep(0.3)
            inside.append(f"{name} ends")

    tools = [threading.Thread(target=work, args=(name,)) for name in ("migrate", "repair")]
    for tool in tools:
        tool.start()
    for tool in tools:
        tool.join()
    assert inside in (
        ["migrate begins", "migrate ends", "repair begins", "repair ends"],
        ["repair begins", "repair ends", "migrate begins", "migrate ends"],
    )


def test_a_dead_tools_pause_ends_by_itself(settings: ClickHouseSettings, member: Members) -> None:
    dead = member("migrate-dead")
    dead.say("pause", "on", 0.5)
    assert member("x").read().pauses == ("migrate-dead",)
    with paused(settings, "migrate", timeout_s=10) as pause:
        assert member("x").read().pauses == (pause.member,)


def test_a_long_pause_is_renewed(settings: ClickHouseSettings, member: Members) -> None:
    with paused(settings, "migrate", lease_s=0.6) as pause:
        time.sleep(1.2)
        pause.check()
        assert member("x").read().pauses == (pause.member,)
