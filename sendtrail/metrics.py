"""Every metric of every process, one closed list: a name that is not here can't be exported."""

from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from itertools import product
from typing import Literal, NamedTuple, get_args

from prometheus_client import Counter, Gauge, Histogram

from sendtrail.events import HitKind, RejectReason

Kind = Literal["counter", "gauge", "histogram"]

#: Whose metric it is: the word behind `sendtrail_`.
Part = Literal["edge", "spool", "forward", "api", "streams", "loader", "registry", "audit", "web", "disk", "relay"]

_BAD_LINKS = (
    "malformed", "unknown_version", "unknown_key", "bad_mac", "wrong_kind", "not_a_link", "revoked", "no_content",
    "unsafe_destination", "not_served", "internal",
)  # fmt: skip
#: Of the web tag: what producers/edge/web.py and web_fields.py refuse for.
_BAD_WEB_HITS = (
    "undecodable", "unknown_site", "foreign_origin", "no_origin", "too_many", "refused", "bad_site", "bad_st",
    "bad_page", "bad_referrer", "bad_order", "bad_amount", "bad_currency", "bad_articles", "bad_extra",
)  # fmt: skip
_BAD_REQUESTS = (
    "malformed", "body_too_large", "target_too_long", "head_too_large", "timeout", "too_many_connections",
    "too_many_of_address", "bad_proxy_header",
)  # fmt: skip
_BAD_ITEMS = ("time_missing", "bad_time", "bad_name", "bad_field", "undecodable", "unattributed", "unknown_type")
_BAD_API_REQUESTS = (
    "bad_json", "bad_gzip", "bad_zstd", "bad_name", "bad_field", "too_large", "unsupported_media_type", "not_found",
    "method_not_allowed", "no_key", "bad_key", "misdirected", "proxied", "too_many_requests", "bad_cursor",
    "clickhouse_unavailable", "spool_unavailable", "internal",
    "not_configured", "bad_signature", "bad_credentials", "too_old", "replayed", "unknown_topic", "fetch_failed",
)  # fmt: skip
#: Of the relay. `again`: passed on a second time, besides what became of it then.
_MAILS = (
    "passed", "refused", "deferred", "unknown", "repeated", "again", "invalid", "no_room", "in_progress", "failed",
    "too_many_connections",
)  # fmt: skip
_TABLES = ("events", "rejects", "audit")
_OUTCOMES = ("out", "duplicate", "resent", "rejected", "relabels")


class Metric(NamedTuple):
    """Kind, what it counts (with its unit in the name) and its labels.

    `values`: the values a label can have, where that is a closed list. With one for every label, all series are there
    from the start, at 0: a rate of something that never happened is 0, and its first time shows. `buckets`: upper
    bounds of a histogram's, where they are not seconds.
    """

    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    values: Mapping[str, tuple[str, ...]] = {}
    buckets: tuple[float, ...] = Histogram.DEFAULT_BUCKETS


METRICS: dict[str, Metric] = {
    # producers/edge
    "sendtrail_edge_requests_total": Metric(
        "counter", "Requests answered, by link kind and status", ("kind", "status")
    ),
    "sendtrail_edge_bad_links_total": Metric(
        "counter", "Requests whose link does not prove, by reason", ("reason",), {"reason": _BAD_LINKS}
    ),
    "sendtrail_edge_bad_web_hits_total": Metric(
        "counter", "Visits and orders of sites that were refused, by reason", ("reason",), {"reason": _BAD_WEB_HITS}
    ),
    "sendtrail_edge_bad_requests_total": Metric(
        "counter", "Requests refused as HTTP, by reason", ("reason",), {"reason": _BAD_REQUESTS}
    ),
    "sendtrail_edge_hits_total": Metric("counter", "Hits written to the spool", ("kind",), {"kind": get_args(HitKind)}),
    "sendtrail_edge_flood_hits_total": Metric(
        "counter", "Hits stored with the hint flood: one link from one address, over and over"
    ),
    "sendtrail_edge_connections": Metric("gauge", "Open connections"),
    "sendtrail_edge_workers": Metric("gauge", "Worker processes on the edge's port"),
    "sendtrail_edge_worker_exits_total": Metric("counter", "Workers that ended unasked and were started again"),
    "sendtrail_spool_bytes": Metric("gauge", "Bytes waiting in a spool", ("spool",)),
    "sendtrail_spool_oldest_seconds": Metric(
        "gauge", "Since the longest waiting segment of a spool was last written, 0 without one", ("spool",)
    ),
    "sendtrail_spool_lost_total": Metric("counter", "Events lost because the spool could not be written", ("spool",)),
    # producers/forward
    "sendtrail_forward_events_total": Metric("counter", "Events acknowledged by Kafka", ("spool",)),
    "sendtrail_forward_packs_total": Metric("counter", "Packs acknowledged by Kafka", ("spool",)),
    "sendtrail_forward_errors_total": Metric("counter", "Sends that failed and are repeated", ("reason",)),
    "sendtrail_forward_in_flight_bytes": Metric("gauge", "Bytes sent and not acknowledged"),
    "sendtrail_forward_backlog_segments": Metric("gauge", "Segments waiting", ("spool",)),
    "sendtrail_forward_torn_total": Metric("counter", "Segments with a torn or damaged tail", ("spool",)),
    "sendtrail_forward_damaged_total": Metric(
        "counter", "Segments with bytes that can't be read, kept aside", ("spool",)
    ),
    # producers/api
    "sendtrail_api_requests_total": Metric("counter", "API requests, by route and status", ("route", "status")),
    "sendtrail_api_events_total": Metric(
        "counter", "Fed items, by result", ("result",), {"result": ("accepted", "rejected")}
    ),
    "sendtrail_api_rejects_total": Metric(
        "counter", "Fed items that were refused, by reason", ("reason",), {"reason": _BAD_ITEMS}
    ),
    "sendtrail_api_bad_requests_total": Metric(
        "counter", "Requests refused as a whole, by reason", ("reason",), {"reason": _BAD_API_REQUESTS}
    ),
    # producers/relay
    "sendtrail_relay_mails_total": Metric(
        "counter", "Mails of senders, by what became of them", ("outcome",), {"outcome": _MAILS}
    ),
    "sendtrail_relay_connections": Metric("gauge", "Open connections of senders"),
    "sendtrail_relay_owed_events": Metric("gauge", "Mails passed on whose event the spool could not take yet"),
    # streams
    "sendtrail_streams_events_total": Metric(
        "counter", "Source events, by outcome", ("outcome",), {"outcome": _OUTCOMES}
    ),
    "sendtrail_streams_rejects_total": Metric(
        "counter", "Rejected events, by reason", ("reason",), {"reason": get_args(RejectReason)}
    ),
    "sendtrail_streams_held_partitions": Metric(
        "gauge", "Partitions of which too much was rejected: the worker holds until an operator lets it pass"
    ),
    "sendtrail_streams_records_total": Metric("counter", "Enriched records acknowledged"),
    "sendtrail_streams_done_offset": Metric("gauge", "Next source offset to process", ("partition",)),
    "sendtrail_streams_committed_offset": Metric("gauge", "Source offset the group has committed", ("partition",)),
    "sendtrail_streams_lag_records": Metric("gauge", "Source records not yet processed", ("partition",)),
    "sendtrail_streams_stale_dropped_total": Metric("counter", "Buffered records of a past assignment, dropped"),
    "sendtrail_streams_twice_dropped_total": Metric("counter", "Records delivered twice, dropped"),
    "sendtrail_streams_gaps_total": Metric(
        "counter", "Offset ranges not delivered: empty in the log, or a hole", ("kind",), {"kind": ("true", "hole")}
    ),
    "sendtrail_streams_rebuilt_total": Metric("counter", "Partitions whose state was caught up from the source"),
    "sendtrail_streams_batch_seconds": Metric("histogram", "Time per batch of packs"),
    "sendtrail_streams_checkpoints_total": Metric(
        "counter",
        "Checkpoints taken, restored, not taken, found damaged; states found damaged",
        ("outcome",),
        {"outcome": ("taken", "restored", "failed", "damaged", "state_damaged")},
    ),
    "sendtrail_streams_checkpoint_time_seconds": Metric(
        "gauge", "When the last checkpoint was taken or nothing was new, Unix time", ("partition",)
    ),
    "sendtrail_streams_state_bytes": Metric("gauge", "Size of a partition's state on disk", ("partition",)),
    "sendtrail_streams_window_use_ratio": Metric(
        "histogram",
        "Age of the oldest event id of each source record / id window",
        buckets=(0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0),
    ),
    # sinks
    "sendtrail_loader_rows_total": Metric("counter", "Rows inserted", ("table",), {"table": _TABLES}),
    "sendtrail_loader_inserts_total": Metric("counter", "Inserts acknowledged", ("table",), {"table": _TABLES}),
    "sendtrail_loader_plans_total": Metric(
        "counter",
        "Plans finished, by how",
        ("how",),
        {"how": ("loaded", "redone", "repaired", "forgotten", "failed")},
    ),
    "sendtrail_loader_replayed_total": Metric("counter", "Records dropped because their source range is loaded"),
    "sendtrail_loader_gap_dropped_total": Metric("counter", "Records dropped because they run ahead of the chain"),
    "sendtrail_loader_overlaps_total": Metric(
        "counter", "Records of which only the end was loaded, their beginning being loaded before"
    ),
    "sendtrail_loader_missing_records": Metric(
        "gauge", "Source records missing in the chain, behind which nothing is loaded", ("partition",)
    ),
    "sendtrail_loader_insert_window_use_ratio": Metric(
        "gauge", "Blocks given to events since the intent of the plan last tried again / ClickHouse's insert window"
    ),
    "sendtrail_loader_foreign_dropped_total": Metric("counter", "Records dropped because they are none of streams"),
    "sendtrail_loader_stopped_partitions": Metric("gauge", "Partitions stopped for an operator"),
    "sendtrail_loader_lag_records": Metric("gauge", "Enriched records not yet loaded", ("partition",)),
    "sendtrail_loader_commit_timestamp_seconds": Metric(
        "gauge", "When a plan's end was last committed, Unix time; 0 before the first"
    ),
    "sendtrail_loader_errors_total": Metric("counter", "ClickHouse errors, by code", ("code",)),
    "sendtrail_loader_insert_seconds": Metric("histogram", "Time per insert", ("table",)),
    "sendtrail_registry_records_total": Metric("counter", "Records of tracking.deliveries read", ("outcome",)),
    "sendtrail_loader_late_duplicates_total": Metric("counter", "Events below the id window that were stored before"),
    "sendtrail_audit_difference_events": Metric(
        "gauge",
        "Events of the last hour that do not add up: rows against outcomes, segments against their totals",
        ("check",),
        {"check": ("rows", "segments")},
    ),
    "sendtrail_audit_missing_records": Metric(
        "gauge", "Source records of the last hour between loaded ones that no loaded record covers"
    ),
    "sendtrail_audit_timestamp_seconds": Metric(
        "gauge", "When table audit was last looked through, Unix time; 0 before the first"
    ),
    # dashboards/web
    "sendtrail_web_logins_total": Metric(
        "counter", "Log-ins tried, by how they went", ("result",), {"result": ("right", "wrong", "often")}
    ),
    # every process with a directory of its own; the loader for ClickHouse
    "sendtrail_disk_free_bytes": Metric("gauge", "Free bytes of the disk under a directory", ("disk",)),
    "sendtrail_disk_size_bytes": Metric("gauge", "Size of the disk under a directory", ("disk",)),
}


def begin(*parts: Part) -> None:
    """Export every metric of these parts from now on, not only from its first use on."""
    makers = {"counter": counter, "gauge": gauge, "histogram": histogram}
    for name, metric in METRICS.items():
        if name.split("_")[1] in parts:
            makers[metric.kind](name)


@cache
def counter(name: str) -> Counter:
    """The counter of that name. Raises KeyError for a name outside METRICS."""
    metric = METRICS[name]
    made = Counter(name, metric.help, metric.labels)
    _make_series(made, metric)
    return made


@cache
def gauge(name: str) -> Gauge:
    """The gauge of that name. Raises KeyError for a name outside METRICS."""
    metric = METRICS[name]
    made = Gauge(name, metric.help, metric.labels)
    _make_series(made, metric)
    return made


@cache
def histogram(name: str) -> Histogram:
    """The histogram of that name. Raises KeyError for a name outside METRICS."""
    metric = METRICS[name]
    return Histogram(name, metric.help, metric.labels, buckets=metric.buckets)


def show(name: str, values: Mapping[int, float]) -> None:
    """Set a gauge by partition, and take away partitions that are not among `values`: another process has them."""
    made = gauge(name)
    for gone in _shown[name] - values.keys():
        made.remove(str(gone))
    _shown[name] = set(values)
    for partition, value in values.items():
        made.labels(str(partition)).set(value)


_shown: defaultdict[str, set[int]] = defaultdict(set)


def _make_series(made: Counter | Gauge, metric: Metric) -> None:
    """Every series there can be, where that is known."""
    if metric.labels and metric.values.keys() == set(metric.labels):
        for values in product(*(metric.values[label] for label in metric.labels)):
            made.labels(*values)
