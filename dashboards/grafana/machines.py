"""Dashboard: what machines do, and what was judged again."""

from grafana_foundation_sdk.builders import dashboard as build

from dashboards.grafana.overview import RATES
from dashboards.grafana.parts import add, begin, choosing, figure, grid, lines, of_row, rows, series

UID = "sendtrail-machines"
_FIGURES = {
    "hits": ("Hits", "All hits in the time shown."),
    "machines": ("By machines", "Hits of class machine."),
    "humans": ("By humans", "Hits of class human."),
    "unknown": ("Unknown", "Hits of class unknown; the cut people counts them."),
}


def dashboard() -> build.Dashboard:
    """Machine traffic."""
    made = choosing(begin(UID, "Machine traffic", "Hits by scanners, proxies and other machines; why, and where from."))
    for field, (title, help) in _FIGURES.items():
        made = add(made, figure(title, help, rows("machine_totals"), field))
    made = add(
        made,
        figure(
            "Machine share",
            "Hits by machines / all hits in the time shown.",
            rows("machine_totals"),
            "share",
            "percentunit",
            decimals=1,
        ),
        lines("Classes", "Hits by class.", [series("classes_over_time")], stacked=True),
        lines(
            "Machine share by kind",
            "Hits by machines / all hits, of opens, clicks and opt-outs.",
            [series("machine_share_over_time")],
            unit="percentunit",
        ),
    )
    for title, dim, help in (
        ("Reasons", "reason", "Why hits were judged so. A hit can have several reasons."),
        ("Rules", "ruleset", "Versions of the rules that judged."),
        ("Networks", "network", "Where machine hits come from, as far as networks are known."),
        ("Clients", "client", "What machines say they are."),
    ):
        query = rows("machine_values", dim=dim, limit=50)
        told = f"{help} Machine hits on the days shown; share: of all hits with that value."
        made = add(made, grid(title, told, query, RATES))
    return add(
        made,
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
    )
