"""Dashboard: all deliveries that are chosen, over the time shown."""

from grafana_foundation_sdk.builders import dashboard as build

from dashboards.grafana.parts import add, bars, begin, choosing, figure, grid, lines, of_row, rows, series, to_dashboard

UID = "sendtrail-overview"
RATES = {
    "open_rate": "percentunit", "click_rate": "percentunit", "reactivity": "percentunit",
    "unsubscribe_rate": "percentunit", "machine_share": "percentunit", "share": "percentunit",
}  # fmt: skip
_FIGURES = {
    "sent": ("Sent", "Sent events of the feed in the time shown."),
    "bounced": ("Bounced", "Bounce events of the feed in the time shown, hard and soft."),
    "opens": ("Opens", "Open hits in the time shown and the cut; repeats and seeds are none."),
    "clicks": ("Clicks", "Click hits in the time shown and the cut; opt-out and mirror links are apart."),
    "unsubscribes": ("Opt-outs", "Confirmed opt-outs in the time shown: on the page or by one click."),
}


def dashboard() -> build.Dashboard:
    """Tracking overview."""
    made = choosing(begin(UID, "Tracking overview", "What is sent, and what comes back, of all chosen deliveries."))
    for field, (title, help) in _FIGURES.items():
        made = add(made, figure(title, help, rows("totals"), field))
    share = "Hits by machines / all hits in the time shown, whatever the cut."
    made = add(made, figure("Machine share", share, rows("totals"), "machine_share", "percentunit", decimals=1))
    made = add(
        made,
        lines("Hits", "Hits in the cut by kind.", [series("hits_over_time")], stacked=True),
        lines("Feed", "What senders and providers report, by kind.", [series("feed_over_time")]),
    )
    made = add(
        made,
        grid(
            "Deliveries",
            "The chosen deliveries, newest first: distinct messages as last calculated, seconds ago; rates over "
            "success. A click on a name leads to its pages.",
            rows("delivery_numbers"),
            RATES,
            [to_dashboard("Dashboard of this delivery", "sendtrail-delivery"), *pages()],
            linked="delivery",
            hidden=["key"],
            width=24,
            height=12,
        ),
    )
    domains = "Messages and rates by e-mail domain; the rest is Others, without a domain Unknown."
    clients = rows("client_table", dim="client", limit=12)
    return add(
        made,
        grid("Domains", domains, rows("domain_numbers"), RATES, width=16),
        bars("Clients", "Opens and clicks in the cut by mail client or browser, of all time.", clients, height=9),
    )


def pages() -> list[build.DashboardLink]:
    """The report pages of a row's delivery."""
    return [
        of_row(title, report)
        for title, report in (
            ("Report: delivery", "dashboard"), ("Report: indicators", "indicators"), ("Report: URLs", "urls"),
            ("Report: statistics", "statistics"), ("Report: hot clicks", "hot-clicks"), ("Report: summary", "summary"),
            ("Report: machines", "machines"),
        )
    ]  # fmt: skip
