"""Dashboard: which links are clicked."""

from grafana_foundation_sdk.builders import dashboard as build

from dashboards.grafana.overview import RATES
from dashboards.grafana.parts import add, begin, choosing, figure, grid, lines, rows, series

UID = "sendtrail-links"


def dashboard() -> build.Dashboard:
    """Links."""
    made = choosing(begin(UID, "Links", "Clicks by label, URL, category and position of the chosen deliveries."))
    made = add(
        made,
        figure("Clicks", "Click hits in the cut, of all time.", rows("link_totals", by="label"), "clicks"),
        figure(
            "Links clicked",
            "Registered links with at least one click in the cut.",
            rows("link_totals", by="label"),
            "links",
        ),
        figure(
            "Not registered",
            "Clicks on links that the registry does not know: the template changed after it was "
            "registered, or never was.",
            rows("link_totals", by="label"),
            "unregistered",
        ),
        lines(
            "Clicks over time",
            "Click hits in the cut in the time shown; the ten most clicked links by label.",
            [series("links_over_time", by="label")],
            stacked=True,
            width=24,
            height=9,
        ),
    )
    for by, help in {
        "label": "By label; a link without one by its URL.",
        "url": "By URL of the template.",
        "category": "By category as registered.",
        "position": "By place in the message: HTML and text are numbered apart.",
    }.items():
        made = add(
            made, grid(f"By {by}", f"Click hits in the cut. {help}", rows("link_table", by=by, limit=100), RATES)
        )
    return add(
        made,
        grid(
            "Opt-out and mirror links",
            "Hits in the cut that are no clicks: pages seen, opt-outs confirmed.",
            rows("other_link_table"),
            width=24,
        ),
    )
