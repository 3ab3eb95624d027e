"""Plain Faust: one agent, one record at a time, its own acks, the result sent without waiting for it."""

import asyncio
import os
import tempfile
from typing import Any

import faust

from bench.contenders.job import Meter, arguments


def main() -> None:
    """Until all records are through and acknowledged; then the process ends hard, as Faust takes long to stop."""
    given, meter = arguments(), Meter()
    app = faust.App(
        "bench-faust", broker=f"kafka://{given.bootstrap}", datadir=tempfile.mkdtemp(prefix="sendtrail-bench-"),
        store="memory://", web_enabled=False, topic_allow_declare=False, topic_disable_leader=True,
        producer_acks=-1, producer_compression_type="lz4", producer_linger=0.005,
    )  # fmt: skip
    source = app.topic(given.source, value_type=bytes, value_serializer="raw", key_type=bytes, allow_empty=True)

    @app.agent(source)
    async def work(stream: Any) -> None:
        producer = await app.maybe_start_producer()
        waiting: list[Any] = []
        async for event in stream.events():
            count = meter.count()
            message = event.message
            out = given.job(
                message.partition, message.offset, round(message.timestamp * 1000), message.value, message.headers
            )
            waiting.append(await producer.send(given.target, None, out.value, message.partition, None, out.headers))
            if len(waiting) == 1000 or count == given.records:
                await asyncio.gather(*waiting)
                waiting.clear()
            if count == given.records:
                meter.report()
                os._exit(0)

    asyncio.run(_run(app))


async def _run(app: faust.App) -> None:
    await app.start()
    await app.wait_until_stopped()


if __name__ == "__main__":
    main()
