"""Quix Streams: a dataframe with one apply, to a topic; at least once, its commits every five seconds."""

import os
import tempfile
from typing import Any

from quixstreams import Application, message_context  # type: ignore[import-not-found]

from bench.contenders.job import Headers, Meter, Out, arguments


def main() -> None:
    """As many records as there are."""
    given, meter = arguments(), Meter()
    app = Application(
        given.bootstrap, consumer_group="bench-quix", auto_offset_reset="earliest", auto_create_topics=False,
        use_changelog_topics=False, loglevel="ERROR", state_dir=tempfile.mkdtemp(prefix="sendtrail-bench-"),
        producer_extra_config={"acks": "all", "compression.type": "lz4", "linger.ms": 5},
    )  # fmt: skip
    source = app.topic(given.source, value_deserializer="bytes")
    target = app.topic(given.target, value_serializer="bytes")
    last = Out(b"", [])

    def work(value: bytes, key: Any, time_ms: int, headers: Headers | None) -> bytes:
        nonlocal last
        meter.count()
        context = message_context()
        last = given.job(context.partition, context.offset, time_ms, value, headers or ())
        return last.value

    frame = app.dataframe(source).apply(work, metadata=True)
    frame = frame.set_headers(lambda value, key, time_ms, headers: last.headers)
    frame.to_topic(target)
    app.run(count=given.records)
    meter.report()
    os._exit(0)


if __name__ == "__main__":
    main()
