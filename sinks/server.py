"""What the loader's first thread asks of ClickHouse: chain positions, facts for intents, and table `control`."""

import time
from collections import defaultdict
from collections.abc import Callable, Collection
from contextlib import suppress

from clickhouse_driver import Client
from clickhouse_driver.errors import Error

from sendtrail.clickhouse import connect
from sendtrail.settings import ClickHouseSettings
from sinks.chain import Position
from sinks.control import POLL_S, PRESENCE_EVERY_S, Control
from sinks.queries import query
from sinks.resume import Facts
from sinks.stored import ClickHouseLookup
from sinks.write import CONNECTION_ERRORS

_ASK_EVERY_S = 1.0
_TIMEOUT_S = 15.0


class Server:
    """One client of the tracking database, for one thread. Every method lets the driver's errors through."""

    def __init__(self, settings: ClickHouseSettings, member: str, clock: Callable[[], float] = time.monotonic) -> None:
        patient = settings.model_copy(update={"timeout_s": min(settings.timeout_s, _TIMEOUT_S)})
        self._client: Client = connect(patient)
        self._replicated = settings.replicated
        self._clock = clock
        self.control = Control(self._client, member)
        self.lookup = ClickHouseLookup(self._client)
        self.held_by: tuple[str, ...] = ()
        self._said_present = self._asked = float("-inf")

    def facts(self) -> Facts:
        """The server as it is now."""
        return Facts(*self._client.execute(query("engine_facts"), {"replicated": self._replicated})[0])

    def positions(self, partitions: Collection[int]) -> dict[int, list[Position]]:
        """The chain positions in table `audit`, by partition; of several topics the one loaded last is last."""
        found: dict[int, list[Position]] = defaultdict(list)
        rows = self._client.execute(query("chain_positions"), {"partitions": sorted(partitions)})
        for partition, topic_id, last in rows:
            found[partition].append(Position(topic_id, last))
        return found

    def say_present(self) -> None:
        """Tell tools that this loader runs, every few seconds."""
        if self._clock() - self._said_present >= PRESENCE_EVERY_S:
            self.control.present()
            self._said_present = self._clock()

    def may_insert(self) -> bool:
        """True if no tool holds the loaders now; else answers that this one holds. To be asked between plans only."""
        pauses = self.control.read().pauses
        self._asked = self._clock()
        if pauses or self.held_by:
            self.control.hold(pauses)
        self.held_by = pauses
        return not pauses

    def answer_tools(self) -> None:
        """Between plans and without one to make: look for pauses now and then."""
        if self._clock() - self._asked >= (POLL_S if self.held_by else _ASK_EVERY_S):
            self.may_insert()

    def unsure(self) -> None:
        """After an error: the next turn asks the server before anything else."""
        self._said_present = self._asked = float("-inf")

    def close(self) -> None:
        """Say good-bye, where the server listens, and disconnect."""
        with suppress(Error, *CONNECTION_ERRORS):
            self.control.leave()
        self._client.disconnect()
