"""Every report with its parts and columns: what documentation and machine readers are told."""

from collections.abc import Mapping, Sequence

from dashboards import by_domain, report_deliveries, report_indicators, report_recipient, report_statistics, report_urls
from dashboards.shape import Column

FIGURES = [column for columns in report_indicators.SECTIONS.values() for column in columns]

#: Report -> part -> columns. A part may be missing from a report that has nothing to put there.
CATALOGUE: Mapping[str, Mapping[str, Sequence[Column]]] = {
    "deliveries": {"deliveries": report_deliveries.COLUMNS},
    "indicators": {
        "indicators": [*FIGURES, *report_indicators.TIMES.values()],
        "excluded": report_indicators.EXCLUDED,
        "transactions": report_indicators.MONEY,
        "shares": report_indicators.SHARES,
        "domains": by_domain.COLUMNS,
    },
    "urls": {
        "rates": report_urls.AVERAGES,
        "links": report_urls.LINKS,
        "other_links": report_urls.OTHER_LINKS,
    },
    "statistics": {
        "starts": report_statistics.STARTS,
        "cumulated": report_statistics.CUMULATED,
        "elapsed": report_statistics.ELAPSED,
    },
    "recipient": {"hits": report_recipient.COLUMNS},
}
