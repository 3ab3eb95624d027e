"""Table `audit`, `events` and the server's disks -> metrics: does what was loaded lately add up? Once a minute, aside.

`sendtrail audit` compares everything there is, spools and topics included; this looks only at tables and only at the
last hour, so that it can be asked all the time. Every loader looks, and all export the same.
"""

import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from clickhouse_driver import Client
from clickhouse_driver.errors import Error

from sendtrail.clickhouse import connect
from sendtrail.metrics import gauge
from sendtrail.settings import ClickHouseSettings
from sinks.outage import Outage
from sinks.queries import query
from sinks.write import CONNECTION_ERRORS

EVERY_S = 60.0
WINDOW_S = 3600
#: How long after a segment's totals its last events may still come, by another partition.
SETTLED_S = 300


class Finding(NamedTuple):
    """What does not add up: events by check, and source records that are in no loaded record."""

    rows: int
    segments: int
    missing_records: int


def look(client: Client, now_s: int) -> Finding:
    """Look through the last hour. Raises clickhouse-driver's errors."""
    since = (now_s - WINDOW_S) // 60 * 60
    positions = client.execute(query("watch_positions"))
    last = {partition: offset for _, partition, offset in positions}
    loaded = [last.get(partition, -1) + 1 for partition in range(max(last, default=-1) + 1)]
    topic = positions[0][0] if positions else ""
    rows = client.execute(query("watch_rows"), {"since": since, "topic": topic, "loaded": loaded})
    segments = client.execute(query("watch_segments"), {"since": since, "until": now_s - SETTLED_S})
    missing = client.execute(query("watch_chain"), {"since": since})
    return Finding(int(rows[0][0]), int(segments[0][0]), int(missing[0][0]))


class Watch:
    """Looks in a thread of its own until it is stopped. ClickHouse may come and go."""

    def __init__(self, settings: ClickHouseSettings, clock: Callable[[], float] = time.time) -> None:
        self._settings, self._clock = settings, clock
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._outage = Outage("the watch of table audit")

    def start(self) -> "Watch":
        """Begin; returns at once."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """End after the query under way."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while True:
            try:
                with connect(self._settings) as client:
                    self.measure(client)
                self._outage.over()
            except (Error, *CONNECTION_ERRORS) as error:
                self._outage.failed(error)
            if self._stop.wait(EVERY_S):
                return

    def measure(self, client: Client) -> None:
        """Look once, and export what was found."""
        now_s = int(self._clock())
        found = look(client, now_s)
        difference = gauge("sendtrail_audit_difference_events")
        difference.labels("rows").set(found.rows)
        difference.labels("segments").set(found.segments)
        gauge("sendtrail_audit_missing_records").set(found.missing_records)
        for name, free, size in client.execute(query("watch_disks")):
            gauge("sendtrail_disk_free_bytes").labels(f"clickhouse {name}").set(free)
            gauge("sendtrail_disk_size_bytes").labels(f"clickhouse {name}").set(size)
        gauge("sendtrail_audit_timestamp_seconds").set(now_s)
