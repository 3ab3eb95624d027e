"""Every report, by its name: what the command, the API, the pages and the documentation are made from."""

from collections.abc import Mapping
from typing import Any

from dashboards import (
    report_activity,
    report_clients,
    report_compare,
    report_dashboard,
    report_deliveries,
    report_hot_clicks,
    report_indicators,
    report_machines,
    report_over_time,
    report_recipient,
    report_site,
    report_statistics,
    report_summary,
    report_urls,
    report_who,
)
from dashboards.definition import Definition

#: In the order in which people are shown them.
REPORTS: Mapping[str, Definition[Any]] = {
    one.name: one
    for one in (
        report_deliveries.REPORT,
        report_dashboard.REPORT,
        report_indicators.REPORT,
        report_urls.REPORT,
        report_statistics.REPORT,
        report_over_time.REPORT,
        report_summary.REPORT,
        report_hot_clicks.REPORT,
        report_activity.REPORT,
        report_clients.REPORT,
        report_machines.REPORT,
        report_recipient.REPORT,
        report_compare.REPORT,
        report_site.REPORT,
        report_who.REPORT,
    )
}
