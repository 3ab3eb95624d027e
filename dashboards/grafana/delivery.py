"""Dashboard: one delivery, or several together."""

from grafana_foundation_sdk.builders import dashboard as build

from dashboards.grafana.overview import RATES, pages
from dashboards.grafana.parts import (
    AnyPanel,
    add,
    bars,
    begin,
    choosing,
    figure,
    grid,
    lines,
    rows,
    series,
    to_dashboard,
)
from dashboards.since import PERIODS

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
    return add(made, *_rates(), *_messages(), *_since_the_start(), *_parts(), _deliveries())


def _rates() -> list[AnyPanel]:
    told = "Messages sent or delivered; without a feed as registered."
    return [
        figure("Success", told, rows("summed_numbers"), "success"),
        *(
            figure(title, help, rows("summed_numbers"), field, "percentunit", decimals=2)
            for field, (title, help) in _RATES.items()
        ),
    ]


def _messages() -> list[AnyPanel]:
    return [
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
    ]


def _since_the_start() -> list[AnyPanel]:
    return [
        grid(
            "Since the start",
            "Hits in the cut within each period; each delivery counts from its own start.",
            rows("growth_table", periods=list(PERIODS.values())),
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
    ]


def _parts() -> list[AnyPanel]:
    links = rows("link_table", by="label", limit=20)
    return [
        grid("Domains", "Messages and rates by e-mail domain.", rows("domain_numbers"), RATES, width=14),
        grid("Links", "The most clicked links in the cut, by label.", links, RATES, width=10),
    ]


def _deliveries() -> AnyPanel:
    links = [to_dashboard("Only this delivery", UID), to_dashboard("Its links", "sendtrail-links"), *pages()]
    return grid(
        "Deliveries",
        "What the numbers above are of. A click on a name leads to its pages.",
        rows("delivery_numbers"),
        RATES,
        links,
        linked="delivery",
        hidden=["key"],
        width=24,
    )
