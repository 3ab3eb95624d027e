"""The topics, one table. `sendtrail topics` creates and checks what it says."""

from dataclasses import dataclass, field
from typing import Literal

DAY_MS = 86_400_000
MIB = 1024 * 1024

#: Topic retention must exceed the dedup window by this much.
RETENTION_MARGIN_DAYS = 2

Policy = Literal["delete", "compact"]


@dataclass(frozen=True)
class Topic:
    """One topic. `partitions=None`: as many as the installation has for events, fixed at creation."""

    name: str
    key: str
    producer: str
    consumer: str
    partitions: int | None = None
    policy: Policy = "delete"
    retention_days: int | None = None  # None: kept for ever
    max_bytes: int = MIB
    log_append_time: bool = False
    public: bool = False
    config: dict[str, str] = field(default_factory=dict)

    def settings(self, id_window_days: int = 0) -> dict[str, str]:
        """The topic's configuration in the broker's own names; retention covers the id window and its margin."""
        retention = -1
        if self.retention_days is not None:
            retention = max(self.retention_days, id_window_days + RETENTION_MARGIN_DAYS) * DAY_MS
        stamp = "LogAppendTime" if self.log_append_time else "CreateTime"
        return {
            "cleanup.policy": self.policy,
            "retention.ms": str(retention),
            "retention.bytes": "-1",
            "max.message.bytes": str(self.max_bytes),
            "message.timestamp.type": stamp,
        } | self.config


EVENTS = Topic(
    "tracking.events", key="none; partition by delivery and message", producer="forwarder, tools",
    consumer="streams", retention_days=12, log_append_time=True,
)  # fmt: skip
ENRICHED = Topic(
    "tracking.enriched", key="none; partition of its source", producer="streams", consumer="loader, public",
    retention_days=12, max_bytes=8 * MIB, log_append_time=True, public=True,
)  # fmt: skip
REJECTS = Topic(
    "tracking.rejects", key="reject key", producer="streams", consumer="people",
    partitions=1, retention_days=30, max_bytes=8 * MIB,
)  # fmt: skip
DELIVERIES = Topic(
    "tracking.deliveries", key="delivery, part", producer="forwarder (from the API's spool)",
    consumer="streams, loader", partitions=1, policy="compact",
)  # fmt: skip
CONTENTS = Topic(
    "tracking.contents", key="delivery, part", producer="forwarder (from the API's spool)",
    consumer="loader", partitions=1, policy="compact", max_bytes=8 * MIB,
)  # fmt: skip
CONSENTS = Topic(
    "tracking.consents", key="recipient, purpose, state, time", producer="forwarder (from the API's spool)",
    consumer="streams, loader", partitions=1, policy="compact",
)  # fmt: skip

TOPICS: tuple[Topic, ...] = (EVENTS, ENRICHED, REJECTS, DELIVERIES, CONTENTS, CONSENTS)

#: Consumer groups, before the prefix.
STREAMS_GROUP = "sendtrail-streams"
LOADER_GROUP = "sendtrail-loader"
