"""Dashboard: which links are clicked."""

from grafana_foundation_sdk.builders import dashboard as build

from dashboards.grafana.overview import RATES
from dashboards.grafana.parts import add, begin, choosing, figure, grid, lines, rows, series

UID = "sendtrail-links"


_FIGURES = {
    "clicks": ("Clicks", "Click hits in the cut, of all time."),
    "links": ("Links clicked", "Registered links with at least one click in the cut."),
    "unregistered": (
        "Not registered",
        "Clicks on links that the registry does not know: the template changed after it was registered, or never was.",
    ),
}
_BY = {
    "label": "By label; a link without one by its URL.",
    "url": "By URL of the template.",
    "category": "By category as registered.",
    "position": "By place in the message: HTML and text are numbered apart.",
}


def dashboard() -> build.Dashboard:
    """Links."""
    made = choosing(begin(UID, "Links", "Clicks by label, URL, category and position of the chosen deliveries."))
    for field, (title, help) in _FIGURES.items():
        made = add(made, figure(title, help, rows("link_totals", by="label"), field))
    told = "Click hits in the cut in the time shown; the ten most clicked links by label."
    over_time = [series("links_over_time", by="label")]
    made = add(made, lines("Clicks over time", told, over_time, stacked=True, width=24, height=9))
    for by, help in _BY.items():
        query = rows("link_table", by=by, limit=100)
        made = add(made, grid(f"By {by}", f"Click hits in the cut. {help}", query, RATES))
    told = "Hits in the cut that are no clicks: pages seen, opt-outs confirmed."
    return add(made, grid("Opt-out and mirror links", told, rows("other_link_table"), width=24))
