"""tracking.events -> tracking.enriched | tracking.rejects

The wiring: the steps, the Faust app, its topics and its one agent. What happens to a batch is told in worker.py.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import faust

from sendtrail.events import HITS
from sendtrail.settings import KafkaSettings, StreamSettings
from sendtrail.topics import ENRICHED, EVENTS, MIB, REJECTS, STREAMS_GROUP
from streams.consumer import TrackingApp
from streams.items import SourceRecord
from streams.pipeline import StateStep, Step
from streams.progress import Progress
from streams.render import Enriched
from streams.steps.add_context import add_context
from streams.steps.apply_consent import apply_consent
from streams.steps.classify import classify
from streams.steps.deduplicate import deduplicate, sight_key
from streams.steps.identify_person import identify_person
from streams.steps.judge_message import JUDGED, judge_message, message_key
from streams.steps.mark_floods import mark_floods
from streams.steps.name_client import name_client
from streams.steps.pass_relabels import RELABELS, pass_relabels
from streams.steps.place_network import place_network
from streams.steps.validate import validate
from streams.watch_addresses import clicks_key
from streams.worker import Delivered

#: An event walks through these in order until one ends it.
STEPS: tuple[Step | StateStep, ...] = (
    Step("validate", validate, ends=True),
    StateStep("deduplicate", sight_key, deduplicate, ends=True),
    Step("add context", add_context),
    Step("mark floods", mark_floods),
    Step("name client", name_client, of=HITS),
    Step("place network", place_network, of=HITS),
    Step("classify", classify, of=HITS),
    Step("apply consent", apply_consent, of=HITS),
    Step("identify person", identify_person, of=HITS),
    StateStep("judge message", message_key, judge_message, also=clicks_key, of=JUDGED),
    Step("pass relabels", pass_relabels, of=RELABELS, ends=True),
)

Handle = Callable[[Sequence[Delivered]], Awaitable[None]]


class Topics:
    """The three topics of this stage: raw bytes, nothing created or declared."""

    def __init__(self, app: faust.App, prefix: str) -> None:
        self._app = app
        self.events = app.topic(
            prefix + EVENTS.name, value_type=bytes, value_serializer="raw", key_type=bytes, allow_empty=True
        )
        self._enriched, self._rejects = prefix + ENRICHED.name, prefix + REJECTS.name

    async def send(self, partition: int, enriched: Enriched) -> Sequence[Awaitable[object]]:
        """The enriched record to the partition of its source, and a copy of each reject.

        To the app's producer as it is: a Faust topic would add nothing to bytes but the time it takes.
        """
        producer = await self._app.maybe_start_producer()
        sent = [await producer.send(self._enriched, None, enriched.value, partition, None, enriched.headers)]
        for reject in enriched.rejects:
            sent.append(await producer.send(self._rejects, reject.key.encode(), reject.line, None, None, None))
        return sent


def build_app(
    kafka: KafkaSettings, streams: StreamSettings, member_id: str, progress: Progress
) -> tuple[TrackingApp, Topics]:
    """The app with the settings that lost nothing under faults; its topics."""
    app = TrackingApp(
        kafka.topic_prefix + STREAMS_GROUP,
        broker=[f"kafka://{address.strip()}" for address in kafka.bootstrap.split(",")],
        datadir=streams.state_dir / "faust",
        store="memory://",
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        consumer_group_instance_id=member_id,
        agent_supervisor="mode.CrashingSupervisor",
        stream_wait_empty=False,
        broker_commit_interval=0.5,
        broker_session_timeout=streams.session_timeout_s,
        broker_heartbeat_interval=1,
        broker_rebalance_timeout=10,
        broker_request_timeout=max(15, streams.session_timeout_s),
        broker_max_poll_interval=6 * 3600,  # a rebuild may take long; polling goes on without it
        table_standby_replicas=0,
        consumer_max_fetch_size=ENRICHED.max_bytes,
        producer_acks=-1,
        producer_compression_type="zstd",
        producer_max_request_size=ENRICHED.max_bytes,
        producer_max_batch_size=MIB,
        producer_request_timeout=60,
    )
    app.own_offsets(kafka.topic_prefix + EVENTS.name, progress)
    return app, Topics(app, kafka.topic_prefix)


def add_agent(app: TrackingApp, topics: Topics, streams: StreamSettings, handle: Handle) -> None:
    """The one agent. Faust's acks are never used: `progress` says what may be committed."""

    @app.agent(topics.events, name="enrich")
    async def enrich(stream: Any) -> None:
        """tracking.events -> tracking.enriched | tracking.rejects"""
        unacked = stream.noack()
        async for events in unacked.noack_take(streams.batch_records, within=streams.batch_wait_ms / 1000):
            await handle([delivered(event.message) for event in events])


def delivered(message: Any) -> Delivered:
    """A Faust message as the worker takes it. Faust keeps seconds; log time is whole milliseconds."""
    record = SourceRecord(message.offset, round(message.timestamp * 1000), message.value or b"", message.headers or ())
    return Delivered(message.tp.partition, message.generation_id, record)
