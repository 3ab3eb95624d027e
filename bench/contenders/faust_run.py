"""What both Faust contenders are: one app of the same settings on the same topic, which ends with the last record."""

import asyncio
import os
import tempfile
from typing import Any, NoReturn

import faust

from bench.contenders.job import Arguments, Meter


def build(name: str, given: Arguments) -> tuple[faust.App, Any]:
    """An app, and the topic it reads as raw bytes. `name` is that of its group, too."""
    app = faust.App(
        name, broker=f"kafka://{given.bootstrap}", datadir=tempfile.mkdtemp(prefix="sendtrail-bench-"),
        store="memory://", web_enabled=False, topic_allow_declare=False, topic_disable_leader=True,
        producer_acks=-1, producer_compression_type="lz4", producer_linger=0.005,
    )  # fmt: skip
    return app, app.topic(given.source, value_type=bytes, value_serializer="raw", key_type=bytes, allow_empty=True)


def run(app: faust.App) -> None:
    """Until its agent calls `end`."""
    asyncio.run(_run(app))


def end(meter: Meter) -> NoReturn:
    """Tell the figures; the process ends hard, as Faust takes long to stop."""
    meter.report()
    os._exit(0)


async def _run(app: faust.App) -> None:
    await app.start()
    await app.wait_until_stopped()
