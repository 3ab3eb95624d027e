"""Every metric of every process, one closed list: a name that is not here can't be exported."""

from functools import cache
from typing import Literal, NamedTuple

from prometheus_client import Counter, Gauge, Histogram

Kind = Literal["counter", "gauge", "histogram"]


class Metric(NamedTuple):
    """Kind, what it counts (with its unit in the name) and its labels."""

    kind: Kind
    help: str
    labels: tuple[str, ...] = ()


METRICS: dict[str, Metric] = {
    # producers/edge
    "sendtrail_edge_requests_total": Metric(
        "counter", "Requests answered, by link kind and status", ("kind", "status")
    ),
    "sendtrail_edge_bad_links_total": Metric("counter", "Requests whose link does not prove, by reason", ("reason",)),
    "sendtrail_edge_bad_requests_total": Metric("counter", "Requests refused as HTTP, by reason", ("reason",)),
    "sendtrail_edge_hits_total": Metric("counter", "Hits written to the spool", ("kind",)),
    "sendtrail_edge_connections": Metric("gauge", "Open connections"),
    "sendtrail_spool_bytes": Metric("gauge", "Bytes waiting in a spool", ("spool",)),
    "sendtrail_spool_lost_total": Metric("counter", "Events lost because the spool could not be written", ("spool",)),
    # producers/forward
    "sendtrail_forward_events_total": Metric("counter", "Events acknowledged by Kafka", ("spool",)),
    "sendtrail_forward_packs_total": Metric("counter", "Packs acknowledged by Kafka", ("spool",)),
    "sendtrail_forward_errors_total": Metric("counter", "Sends that failed and are repeated", ("reason",)),
    "sendtrail_forward_in_flight_bytes": Metric("gauge", "Bytes sent and not acknowledged"),
    "sendtrail_forward_backlog_segments": Metric("gauge", "Segments waiting", ("spool",)),
    "sendtrail_forward_torn_total": Metric("counter", "Segments with a torn or damaged tail", ("spool",)),
    # producers/api
    "sendtrail_api_requests_total": Metric("counter", "API requests, by route and status", ("route", "status")),
    "sendtrail_api_events_total": Metric("counter", "Fed items, by result", ("result",)),
    # streams
    "sendtrail_streams_events_total": Metric("counter", "Source events, by outcome", ("outcome",)),
    "sendtrail_streams_rejects_total": Metric("counter", "Rejected events, by reason", ("reason",)),
    "sendtrail_streams_records_total": Metric("counter", "Enriched records acknowledged"),
    "sendtrail_streams_done_offset": Metric("gauge", "Next source offset to process", ("partition",)),
    "sendtrail_streams_lag_records": Metric("gauge", "Source records not yet processed", ("partition",)),
    "sendtrail_streams_stale_dropped_total": Metric("counter", "Buffered records of a past assignment, dropped"),
    "sendtrail_streams_twice_dropped_total": Metric("counter", "Records delivered twice, dropped"),
    "sendtrail_streams_gaps_total": Metric("counter", "Empty offset ranges inside the log", ("kind",)),
    "sendtrail_streams_rebuilt_total": Metric("counter", "Partitions whose state was caught up from the source"),
    "sendtrail_streams_batch_seconds": Metric("histogram", "Time per batch of packs"),
    # sinks
    "sendtrail_loader_rows_total": Metric("counter", "Rows inserted", ("table",)),
    "sendtrail_loader_inserts_total": Metric("counter", "Inserts acknowledged", ("table",)),
    "sendtrail_loader_plans_total": Metric("counter", "Plans finished, by how", ("how",)),
    "sendtrail_loader_replayed_total": Metric("counter", "Records dropped because their source range is loaded"),
    "sendtrail_loader_gap_dropped_total": Metric("counter", "Records dropped because they run ahead of the chain"),
    "sendtrail_loader_foreign_dropped_total": Metric("counter", "Records dropped because they are none of streams"),
    "sendtrail_loader_stopped_partitions": Metric("gauge", "Partitions stopped for an operator"),
    "sendtrail_loader_lag_records": Metric("gauge", "Enriched records not yet loaded", ("partition",)),
    "sendtrail_loader_errors_total": Metric("counter", "ClickHouse errors, by code", ("code",)),
    "sendtrail_loader_insert_seconds": Metric("histogram", "Time per insert", ("table",)),
    "sendtrail_registry_records_total": Metric("counter", "Records of tracking.deliveries read", ("outcome",)),
    "sendtrail_loader_late_duplicates_total": Metric("counter", "Events below the id window that were stored before"),
}


@cache
def counter(name: str) -> Counter:
    """The counter of that name. Raises KeyError for a name outside METRICS."""
    metric = METRICS[name]
    return Counter(name, metric.help, metric.labels)


@cache
def gauge(name: str) -> Gauge:
    """The gauge of that name. Raises KeyError for a name outside METRICS."""
    metric = METRICS[name]
    return Gauge(name, metric.help, metric.labels)


@cache
def histogram(name: str) -> Histogram:
    """The histogram of that name, in seconds. Raises KeyError for a name outside METRICS."""
    metric = METRICS[name]
    return Histogram(name, metric.help, metric.labels)
