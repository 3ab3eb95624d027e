"""Dashboard: accepted = stored + duplicate + rejected, and what was rejected."""

from grafana_foundation_sdk.builders import dashboard as build

from dashboards.grafana.parts import AnyPanel, add, begin, figure, grid, lines, metric, rows, series

UID = "sendtrail-audit"
_FIGURES = {
    "events": ("Events", "Events in the records loaded in the time shown, sent again ones too."),
    "stored": ("Stored", "Those that became rows."),
    "duplicate": ("Duplicate", "Those that were there already, by the stream worker or by the loader."),
    "rejected": ("Rejected", "Those that could not be events: rows of rejects, with their bytes and a reason."),
}


def dashboard() -> build.Dashboard:
    """Audit."""
    told = (
        "Nothing lost, nothing twice: what the line says of itself, from table audit. "
        "`sendtrail audit` compares with spools and topics too."
    )
    return add(begin(UID, "Audit", told, "now-24h"), *_balance(), *_line(), *_rejects())


def _balance() -> list[AnyPanel]:
    return [
        *(figure(title, help, rows("audit_totals"), field) for field, (title, help) in _FIGURES.items()),
        figure(
            "Difference",
            "Events - stored - duplicate - sent again - rejected: 0, or the line is wrong.",
            rows("audit_totals"),
            "difference",
            bad_above=1,
        ),
        figure(
            "Last hour",
            "Events that do not add up now, as the loader's watch finds (SendtrailAuditDifference).",
            metric("max(sendtrail_audit_difference_events)", instant=True),
            bad_above=1,
        ),
        lines("Outcomes", "What became of events, by time of loading.", [series("audit_over_time")], stacked=True),
        lines(
            "What the watch finds",
            "Events of the last hour that do not add up, source records that none covers "
            "(SendtrailChainGap), seconds since it looked (SendtrailAuditStale).",
            [
                metric("max by (check) (sendtrail_audit_difference_events)", "{{check}}"),
                metric("max(sendtrail_audit_missing_records)", "missing records"),
                metric("time() - max(sendtrail_audit_timestamp_seconds > 0)", "seconds since"),
            ],
        ),
    ]


def _line() -> list[AnyPanel]:
    return [
        grid(
            "Segments by edge",
            "Spool segments finished in the time shown: accepted against arrived. A segment that "
            "began before the time shown looks short.",
            rows("audit_segments"),
        ),
        lines(
            "Age when loaded",
            "Seconds from an event's minute to its record's time in tracking.enriched. Feeds may be "
            "days late, hits are not.",
            [series("audit_delay")],
            "s",
        ),
        grid(
            "Partitions",
            "How far each partition of tracking.events is loaded, and source records that none covers.",
            rows("audit_positions"),
        ),
    ]


def _rejects() -> list[AnyPanel]:
    newest = rows("rejects_newest", may_be_empty=True, limit=100)
    told = "With their first bytes. docs/operate.md says what each reason means."
    return [
        lines("Rejects", "Rejected events by reason.", [series("rejects_over_time", may_be_empty=True)], stacked=True),
        grid("Newest rejects", told, newest, width=24),
    ]
