"""Faust on packs: 32 records at a time (`noack_take`), acknowledged together. For the bare job only."""

import asyncio
from typing import Any

from bench.contenders.faust_run import build, end, run
from bench.contenders.job import Meter, arguments


def main() -> None:
    """Until all records are through and acknowledged."""
    given, meter = arguments(), Meter()
    app, source = build("bench-faust-packs", given)

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
                end(meter)

    run(app)


if __name__ == "__main__":
    main()
