"""Row of the dashboard *Pipeline health*: mail through the SMTP relay."""

from dashboards.grafana.charts import Chart

RELAY = (
    Chart(
        "Mail through the relay",
        "Mails a second by what became of them (SendtrailRelay); `again`: maybe a second copy, the log says when.",
        "cps",
        {"{{outcome}}": "sum by (outcome) (rate(sendtrail_relay_mails_total[]))"},
    ),
    Chart(
        "Senders at the relay",
        "Open connections, and mails that were passed on and whose event the spool has not yet (SendtrailRelay).",
        "short",
        {
            "connections": "sum(sendtrail_relay_connections)",
            "not yet in the spool": "sum(sendtrail_relay_owed_events)",
        },
    ),
)
