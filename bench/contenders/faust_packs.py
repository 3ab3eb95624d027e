"""Faust on packs: 32 records at a time (`noack_take`), acknowledged together. For the bare job only."""

import asyncio
import os
import tempfile
from typing import Any

import faust

from bench.contenders.job import Meter, arguments


def main() -> None:
    """Until all records are through and acknowledged."""
    given, meter = arguments(), Meter()
    app = faust.App(
        "bench-faust-packs", broker=f"kafka://{given.bootstrap}", datadir=tempfile.mkdtemp(prefix="sendtrail-bench-"),
        store="memory://", web_enabled=False, topic_allow_declare=False, topic_disable_leader=True,
        producer_acks=-1, producer_compression_type="lz4", producer_linger=0.005,
    )  # fmt: skip
    source = app.topic(given.source, value_type=bytes, value_serializer="raw", key_type=bytes, allow_empty=True)

    @app.agent(source)
    async def work(stream: Any) -> None:
        producer = await app.maybe_start_producer()
        async for events in stream.noack_take(32, within=0.05):
            waiting = []
            for event in events:
                meter.count()
                message = event.message
                out = given.job(message.partition, message.offset, 0, message.value, ())
                waiting.append(await producer.send(given.target, None, out.value, message.partition, None, None))
            await asyncio.gather(*waiting)
            for event in events:
                event.ack()
            if meter.records >= given.records:
                meter.report()
                os._exit(0)

    asyncio.run(_run(app))


async def _run(app: faust.App) -> None:
    await app.start()
    await app.wait_until_stopped()


if __name__ == "__main__":
    main()
