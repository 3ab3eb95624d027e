"""bytewax: source, one map, sink; no recovery store, so nothing is committed and nothing survives a crash."""

import bytewax.operators as op  # type: ignore[import-not-found]
from bytewax.connectors.kafka import (  # type: ignore[import-not-found]
    KafkaSink,
    KafkaSinkMessage,
    KafkaSource,
    KafkaSourceMessage,
)
from bytewax.dataflow import Dataflow  # type: ignore[import-not-found]
from bytewax.testing import run_main  # type: ignore[import-not-found]

from bench.contenders.job import Meter, arguments


def main() -> None:
    """From the topic's beginning to its end."""
    given, meter = arguments(), Meter()

    def work(message: KafkaSourceMessage) -> KafkaSinkMessage:
        meter.count()
        partition, offset = message.partition or 0, message.offset or 0
        time_ms = message.timestamp[1] if message.timestamp else 0
        out = given.job(partition, offset, time_ms, message.value, message.headers)
        return KafkaSinkMessage(None, out.value, headers=out.headers, partition=partition)

    flow = Dataflow("bench")
    records = op.input("in", flow, KafkaSource([given.bootstrap], [given.source], tail=False))
    config = {"acks": "all", "compression.type": "lz4", "linger.ms": "5"}
    op.output("out", op.map("work", records, work), KafkaSink([given.bootstrap], given.target, add_config=config))
    run_main(flow)
    meter.report()


if __name__ == "__main__":
    main()
