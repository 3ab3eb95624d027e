"""Plain Faust: one agent, one record at a time, its own acks, the result sent without waiting for it."""

import asyncio
from typing import Any

from bench.contenders.faust_run import build, end, run
from bench.contenders.job import Meter, arguments


def main() -> None:
    """Until all records are through and acknowledged."""
    given, meter = arguments(), Meter()
    app, source = build("bench-faust", given)

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
                end(meter)

    run(app)


if __name__ == "__main__":
    main()
