"""What is exported of a spool directory: one process of those that share it does so."""

import time
from pathlib import Path

from sendtrail.metrics import gauge
from sendtrail.spool_files import backlog_bytes, oldest_seconds


def watch_spool(name: str, directory: Path) -> None:
    """Export how much waits in a directory, and for how long, under the name `name`."""
    gauge("sendtrail_spool_bytes").labels(name).set_function(lambda: backlog_bytes(directory))
    gauge("sendtrail_spool_oldest_seconds").labels(name).set_function(lambda: oldest_seconds(directory, time.time()))
