"""Dashboard: what machines do, and what was judged again."""

from grafana_foundation_sdk.builders import dashboard as build

from dashboards.grafana.overview import RATES
from dashboards.grafana.parts import AnyPanel, add, begin, choosing, figure, grid, lines, of_row, rows, series

UID = "sendtrail-machines"
_FIGURES = {
    "hits": ("Hits", "All hits in the time shown."),
    "machines": ("By machines", "Hits of class machine."),
    "humans": ("By humans", "Hits of class human."),
    "unknown": ("Unknown", "Hits of class unknown; the cut people counts them."),
}


_VALUES = (
    ("Reasons", "reason", "Why hits were judged so. A hit can have several reasons."),
    ("Rules", "ruleset", "Versions of the rules that judged."),
    ("Networks", "network", "Where machine hits come from, as far as networks are known."),
    ("Clients", "client", "What machines say they are."),
)


def dashboard() -> build.Dashboard:
    """Machine traffic."""
    made = choosing(begin(UID, "Machine traffic", "Hits by scanners, proxies and other machines; why, and where from."))
    return add(made, *_hits(), *_values(), *_events())


def _hits() -> list[AnyPanel]:
    share = "Hits by machines / all hits in the time shown."
    return [
        *(figure(title, help, rows("machine_totals"), field) for field, (title, help) in _FIGURES.items()),
        figure("Machine share", share, rows("machine_totals"), "share", "percentunit", decimals=1),
        lines("Classes", "Hits by class.", [series("classes_over_time")], stacked=True),
        lines(
            "Machine share by kind",
            "Hits by machines / all hits, of opens, clicks and opt-outs.",
            [series("machine_share_over_time")],
            unit="percentunit",
        ),
    ]


def _values() -> list[AnyPanel]:
    told = "Machine hits on the days shown; share: of all hits with that value."
    return [
        grid(title, f"{help} {told}", rows("machine_values", dim=dim, limit=50), RATES) for title, dim, help in _VALUES
    ]


def _events() -> list[AnyPanel]:
    return [
        grid(
            "Bursts",
            "The minutes with most machine hits in one delivery.",
            rows("machine_bursts", limit=30),
            links=[of_row("Report: machines", "machines")],
            linked="delivery",
            hidden=["key"],
        ),
        grid(
            "Judged again",
            "Events in the time shown whose class, reasons or repeat mark were changed by a later look.",
            rows("relabels_by_class"),
        ),
    ]
