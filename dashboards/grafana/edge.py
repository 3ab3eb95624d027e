"""Row of the dashboard *Pipeline health*: the edge's processes, who crowds it."""

from dashboards.grafana.charts import Chart

EDGE = (
    Chart(
        "Workers of the edge",
        "Processes that serve the port, and how often one ended unasked and was started again (SendtrailEdgeWorkers).",
        "short",
        {
            "workers {{instance}}": "sendtrail_edge_workers",
            "ended {{instance}}": "increase(sendtrail_edge_worker_exits_total[])",
        },
    ),
    Chart(
        "Floods",
        "Hits a second stored with the mark `flood`: one link from one address, over and over. Reports leave them out.",
        "cps",
        {"{{instance}}": "sum by (instance) (rate(sendtrail_edge_flood_hits_total[]))"},
    ),
    Chart(
        "Segments with damage",
        "Bytes in a segment could not be read; it is kept aside for an operator (SendtrailSpoolDamaged).",
        "short",
        {"{{spool}}": "sum by (spool) (increase(sendtrail_forward_damaged_total[]))"},
    ),
)
