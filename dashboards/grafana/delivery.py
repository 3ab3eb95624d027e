"""Dashboard: one delivery, or several together."""

from grafana_foundation_sdk.builders import dashboard as build

from dashboards.grafana.overview import RATES, pages
from dashboards.grafana.parts import add, bars, begin, choosing, figure, grid, lines, rows, series, to_dashboard

UID = "sendtrail-delivery"
_RATES = {
    "open_rate": ("Open rate", "Messages opened / success."),
    "click_rate": ("Click rate", "Messages clicked / success."),
    "reactivity": ("Raw reactivity", "Messages clicked / messages opened (CTOR)."),
    "unsubscribe_rate": ("Unsubscribe rate", "Messages unsubscribed, by a confirmed opt-out or by the feed / success."),
    "machine_share": ("Machine share", "Hits by machines / all hits, whatever the cut."),
}


def dashboard() -> build.Dashboard:
    """Delivery."""
    made = choosing(begin(UID, "Delivery", "How one delivery does, or several together: numbers of all time."))
    made = add(
        made,
        figure(
            "Success", "Messages sent or delivered; without a feed as registered.", rows("summed_numbers"), "success"
        ),
    )
    for field, (title, help) in _RATES.items():
        made = add(made, figure(title, help, rows("summed_numbers"), field, "percentunit", decimals=2))
    made = add(
        made,
        bars("Funnel", "Messages: success, delivered, opened, clicked, unsubscribed, in the cut.", rows("funnel")),
        bars("States", "Messages by state; a final state beats sent and deferred.", rows("states")),
        grid(
            "Reasons",
            "Messages that bounced, were rejected or wait, by reason; unknown user and invalid domain are hard.",
            rows("reason_table"),
            width=8,
            height=8,
        ),
        lines("Hits", "Hits in the cut by kind, in the time shown.", [series("hits_over_time")], stacked=True),
        lines("Throughput", "Feed events in the time shown, by kind.", [series("feed_over_time")]),
    )
    hour, day = 3600, 86_400
    periods = [hour, 3 * hour, 6 * hour, day, 3 * day, 7 * day, 30 * day, 0]
    made = add(
        made,
        grid(
            "Since the start",
            "Hits in the cut within each period; each delivery counts from its own start.",
            rows("growth_table", periods=periods),
            width=8,
        ),
        grid(
            "Time until",
            "How long until 10 % … 90 % of the hits so far, in the cut.",
            rows("percent_table"),
            {"opens": "ms", "clicks": "ms", "percent": "percent"},
            width=8,
        ),
        grid(
            "Transactions",
            "In the cut by currency; amount in minor units, never added across.",
            rows("money_table"),
            width=8,
        ),
    )
    made = add(
        made,
        grid("Domains", "Messages and rates by e-mail domain.", rows("domain_numbers"), RATES, width=14),
        grid(
            "Links",
            "The most clicked links in the cut, by label.",
            rows("link_table", by="label", limit=20),
            RATES,
            width=10,
        ),
    )
    links = [to_dashboard("Only this delivery", UID), to_dashboard("Its links", "sendtrail-links"), *pages()]
    return add(
        made,
        grid(
            "Deliveries",
            "What the numbers above are of. A click on a name leads to its pages.",
            rows("delivery_numbers"),
            RATES,
            links,
            linked="delivery",
            hidden=["key"],
            width=24,
        ),
    )
