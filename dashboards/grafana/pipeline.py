"""Dashboard: is every process well, and how far is each? From Prometheus alone."""

from grafana_foundation_sdk.builders import dashboard as build

from dashboards.grafana.charts import SPAN, Chart, Figure
from dashboards.grafana.edge import EDGE
from dashboards.grafana.parts import AnyPanel, add, begin, heat, metric
from dashboards.grafana.relay import RELAY

UID = "sendtrail-pipeline"

FIGURES = (
    Figure(
        "Down",
        "Processes that do not answer (SendtrailProcessDown).",
        'count(up{job="sendtrail"} == 0) or vector(0)',
    ),
    Figure(
        "Stopped",
        "Partitions of the loader that wait for an operator (SendtrailPartitionStopped).",
        "sum(sendtrail_loader_stopped_partitions)",
    ),
    Figure(
        "Lost",
        "Hits that no spool could take, since the processes started (SendtrailSpoolLost).",
        "sum(sendtrail_spool_lost_total)",
    ),
    Figure(
        "Oldest in a spool",
        "Age of the segment that waits longest (SendtrailSpoolOld).",
        "max(sendtrail_spool_oldest_seconds)",
        "s",
        300,
    ),
    Figure(
        "Fullest disk, free",
        "Least free share of all disks that are exported (SendtrailDisk).",
        "min(sendtrail_disk_free_bytes / sendtrail_disk_size_bytes)",
        "percentunit",
        None,
    ),
    Figure(
        "Alerts",
        "Alerts of Sendtrail that fire.",
        'count(ALERTS{alertname=~"Sendtrail.*", alertstate="firing"}) or vector(0)',
    ),
)

PRODUCERS = (
    Chart(
        "Requests at the edge",
        "Answers a second, by link kind and status. The edge itself never answers 5xx.",
        "reqps",
        {"{{kind}} {{status}}": "sum by (kind, status) (rate(sendtrail_edge_requests_total[]))"},
    ),
    Chart(
        "Links that do not prove",
        "Requests a second whose link is forged, damaged or revoked, by reason; `internal` is a fault of the edge "
        "(SendtrailRequestsFail). HTTP: what is no request at all.",
        "reqps",
        {
            "{{reason}}": "sum by (reason) (rate(sendtrail_edge_bad_links_total[]))",
            "HTTP: {{reason}}": "sum by (reason) (rate(sendtrail_edge_bad_requests_total[]))",
            "web tag: {{reason}}": "sum by (reason) (rate(sendtrail_edge_bad_web_hits_total[]))",
        },
    ),
    Chart(
        "Hits",
        "Hits a second written to the spool, by kind.",
        "cps",
        {"{{kind}}": "sum by (kind) (rate(sendtrail_edge_hits_total[]))"},
    ),
    Chart(
        "API",
        "Requests a second by route and status; fed items by result, what was refused, by reason.",
        "cps",
        {
            "{{route}} {{status}}": "sum by (route, status) (rate(sendtrail_api_requests_total[]))",
            "items {{result}}": "sum by (result) (rate(sendtrail_api_events_total[]))",
            "item refused: {{reason}}": "sum by (reason) (rate(sendtrail_api_rejects_total[]))",
            "request refused: {{reason}}": "sum by (reason) (rate(sendtrail_api_bad_requests_total[]))",
        },
    ),
    Chart(
        "Waiting in spools",
        "Bytes in each spool (SendtrailSpoolDeep), and bytes sent that Kafka has not acknowledged.",
        "bytes",
        {
            "{{spool}} {{instance}}": "sendtrail_spool_bytes",
            "not acknowledged": "sum(sendtrail_forward_in_flight_bytes)",
        },
    ),
    Chart(
        "Age of spools",
        "Since the longest waiting segment was last written (SendtrailSpoolOld).",
        "s",
        {"{{spool}} {{instance}}": "sendtrail_spool_oldest_seconds"},
    ),
    Chart(
        "Forwarded",
        "Events and packs a second that Kafka acknowledged, and sends that failed and are repeated.",
        "cps",
        {
            "events of {{spool}}": "sum by (spool) (rate(sendtrail_forward_events_total[]))",
            "packs of {{spool}}": "sum by (spool) (rate(sendtrail_forward_packs_total[]))",
            "failed: {{reason}}": "sum by (reason) (rate(sendtrail_forward_errors_total[]))",
        },
    ),
    Chart(
        "Segments and connections",
        "Segments the forwarder has still to send or to close, damaged ends, open connections of the edge.",
        "short",
        {
            "waiting in {{spool}}": "sendtrail_forward_backlog_segments",
            "damaged end in {{spool}}": "increase(sendtrail_forward_torn_total[])",
            "connections": "sum(sendtrail_edge_connections)",
        },
    ),
)

STREAMS = (
    Chart(
        "Events",
        "Source events a second by outcome, and enriched records.",
        "cps",
        {
            "{{outcome}}": "sum by (outcome) (rate(sendtrail_streams_events_total[]))",
            "records": "sum(rate(sendtrail_streams_records_total[]))",
        },
    ),
    Chart(
        "Rejects",
        "Rejected events a second by reason (SendtrailRejects).",
        "cps",
        {"{{reason}}": "sum by (reason) (rate(sendtrail_streams_rejects_total[]))"},
    ),
    Chart(
        "Held for rejects",
        "Partitions that wait for an operator because too many of their events were rejects (SendtrailRejectsHeld).",
        "short",
        {"partitions": "sum(sendtrail_streams_held_partitions)"},
    ),
    Chart(
        "Lag of the worker",
        "Records of tracking.events not yet processed, and the seconds they take at this speed (SendtrailStreamsLag).",
        "short",
        {"records": "sum(sendtrail_streams_lag_records)", "seconds": "sendtrail:streams_lag:seconds"},
    ),
    Chart(
        "Processed, not committed",
        "Records by which the group's commit is behind (SendtrailStreamsCommitStalled).",
        "short",
        {"partition {{partition}}": "sendtrail_streams_done_offset - sendtrail_streams_committed_offset"},
    ),
    Chart(
        "Deduplication state",
        "Bytes on disk by worker (SendtrailDedupState).",
        "bytes",
        {"{{instance}}": "sum by (instance) (sendtrail_streams_state_bytes)"},
    ),
    Chart(
        "Checkpoints of that state",
        "Taken, restored, not taken (SendtrailCheckpointsFail), found damaged (SendtrailStateDamaged), in an hour.",
        "short",
        {"{{outcome}}": "sum by (outcome) (increase(sendtrail_streams_checkpoints_total[1h]))"},
    ),
    Chart(
        "Age of the oldest checkpoint",
        "Of the partitions' newest ones: about what a worker without state has to read again.",
        "s",
        {"oldest": "time() - min(max by (partition) (sendtrail_streams_checkpoint_time_seconds))"},
    ),
    Chart(
        "Time per batch",
        "Of the worker: half of all batches, and 95 %.",
        "s",
        {
            "half": "histogram_quantile(0.5, sum by (le) (rate(sendtrail_streams_batch_seconds_bucket[])))",
            "95 %": "histogram_quantile(0.95, sum by (le) (rate(sendtrail_streams_batch_seconds_bucket[])))",
        },
    ),
    Chart(
        "Dropped and looked into",
        "Records of past assignments, records delivered twice, ranges not delivered, partitions rebuilt. All harmless, "
        "none should be frequent.",
        "short",
        {
            "stale": "sum(increase(sendtrail_streams_stale_dropped_total[]))",
            "twice": "sum(increase(sendtrail_streams_twice_dropped_total[]))",
            "gap: {{kind}}": "sum by (kind) (increase(sendtrail_streams_gaps_total[]))",
            "rebuilt": "sum(increase(sendtrail_streams_rebuilt_total[]))",
        },
    ),
)

SINKS = (
    Chart(
        "Rows",
        "Rows a second inserted, by table, and inserts a second.",
        "cps",
        {
            "{{table}}": "sum by (table) (rate(sendtrail_loader_rows_total[]))",
            "inserts into {{table}}": "sum by (table) (rate(sendtrail_loader_inserts_total[]))",
        },
    ),
    Chart(
        "Lag of the loader",
        "Records of tracking.enriched not yet loaded, and the seconds they take at this speed (SendtrailLoaderLag).",
        "short",
        {"records": "sum(sendtrail_loader_lag_records)", "seconds": "sendtrail:loader_lag:seconds"},
    ),
    Chart(
        "Since the last commit",
        "Seconds since a plan was last finished (SendtrailLoaderCommitStalled). It grows while nothing is sent, too.",
        "s",
        {"{{instance}}": "time() - (sendtrail_loader_commit_timestamp_seconds > 0)"},
    ),
    Chart(
        "Plans",
        "Plans finished a second, by how; `repaired` and `failed` should not be.",
        "cps",
        {"{{how}}": "sum by (how) (rate(sendtrail_loader_plans_total[]))"},
    ),
    Chart(
        "Time per insert",
        "Of ClickHouse, views included: 95 % of the inserts, by table.",
        "s",
        {
            "{{table}}": "histogram_quantile(0.95, "
            "sum by (le, table) (rate(sendtrail_loader_insert_seconds_bucket[])))",
        },
    ),
    Chart(
        "ClickHouse errors",
        "Refused inserts a second, by the server's code (SendtrailClickHouseErrors).",
        "cps",
        {"{{code}}": "sum by (code) (rate(sendtrail_loader_errors_total[]))"},
    ),
    Chart(
        "Dropped by the loader",
        "Records whose source range is loaded already, that run ahead of the chain (SendtrailChainGap), that are "
        "none of streams; late events that were stored before.",
        "short",
        {
            "replayed": "sum(increase(sendtrail_loader_replayed_total[]))",
            "ahead": "sum(increase(sendtrail_loader_gap_dropped_total[]))",
            "overlapping, cut": "sum(increase(sendtrail_loader_overlaps_total[]))",
            "foreign": "sum(increase(sendtrail_loader_foreign_dropped_total[]))",
            "late duplicates": "sum(increase(sendtrail_loader_late_duplicates_total[]))",
        },
    ),
    Chart(
        "Missing in the chain",
        "Source records that no enriched record covers; nothing behind them is loaded (SendtrailChainGap).",
        "short",
        {"partition {{partition}}": "sendtrail_loader_missing_records"},
    ),
    Chart(
        "Insert window used",
        "Of the blocks ClickHouse remembers, how many went by since the intent of a plan that is tried again "
        "(SendtrailInsertWindow).",
        "percentunit",
        {"{{instance}}": "sendtrail_loader_insert_window_use_ratio"},
    ),
    Chart(
        "Registry",
        "Records of tracking.deliveries read a second, by outcome.",
        "cps",
        {"{{outcome}}": "sum by (outcome) (rate(sendtrail_registry_records_total[]))"},
    ),
)

ROOM = (
    Chart(
        "Log-ins",
        "Log-ins tried at the report pages, by how they went; `often` is past the limit on tries.",
        "short",
        {"{{result}}": "sum by (result) (increase(sendtrail_web_logins_total[]))"},
    ),
    Chart(
        "Free disk",
        "Share of each disk that is free (SendtrailDisk, SendtrailDiskFull).",
        "percentunit",
        {"{{disk}} {{instance}}": "sendtrail_disk_free_bytes / sendtrail_disk_size_bytes"},
    ),
    Chart(
        "Memory",
        "Resident memory of each process.",
        "bytes",
        {"{{stage}} {{instance}}": 'process_resident_memory_bytes{job="sendtrail"}'},
    ),
    Chart(
        "Processor",
        "Cores that each process uses.",
        "short",
        {"{{stage}} {{instance}}": 'rate(process_cpu_seconds_total{job="sendtrail"}[])'},
    ),
)


def dashboard() -> build.Dashboard:
    """Pipeline health."""
    told = "From the edge to ClickHouse, process by process. What to do about each alert is in docs/operate.md."
    made = add(begin(UID, "Pipeline health", told, "now-3h", "15s"), *(each.panel() for each in FIGURES))
    made = add(made.with_row(build.Row("Edge, API, forwarder")), *(each.panel() for each in PRODUCERS))
    made = add(made.with_row(build.Row("The edge in production")), *(each.panel() for each in EDGE))
    made = add(made.with_row(build.Row("SMTP relay")), *(each.panel() for each in RELAY))
    made = add(made.with_row(build.Row("Stream worker")), *(each.panel() for each in STREAMS), _window())
    made = add(made.with_row(build.Row("Loader and ClickHouse")), *(each.panel() for each in SINKS))
    return add(made.with_row(build.Row("Report pages and room")), *(each.panel() for each in ROOM))


def _window() -> AnyPanel:
    """The one histogram that is more than a quantile."""
    told = "Age of the oldest id in each record / id window. At 1 deduplication ends (SendtrailDedupWindow)."
    buckets = f"sum by (le) (increase(sendtrail_streams_window_use_ratio_bucket{SPAN}))"
    return heat("Use of the id window", told, metric(buckets, "{{le}}", heat=True), width=8)
