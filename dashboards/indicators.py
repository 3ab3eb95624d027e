"""Indicator formulas, pure: base numbers of deliveries -> what a report shows (METRICS, Indicators).

Rates are exact fractions, None where the denominator is 0: never 0 % and never an error.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

Cut = Literal["people", "all"]
Rate = Fraction | None
SuccessFrom = Literal["feed", "registry", "to_deliver"]


@dataclass(frozen=True)
class Base:
    """Base numbers of one delivery in one cut. Distinct messages unless said; seeds and proofs are in none of them.

    `registered_…` are the sender's own figures, None where not given. `fed` counts messages with any feed event
    but `prepared`. `hits_people` and `hits_all` are counts of hits whatever the cut.
    """

    delivery: int = 0
    registered_to_deliver: int | None = None
    registered_success: int | None = None
    targeted: int | None = None
    messages: int = 0
    fed: int = 0
    text: int = 0
    sent: int = 0
    deferred: int = 0
    delivered: int = 0
    bounced_soft: int = 0
    bounced_hard: int = 0
    rejected: int = 0
    complained: int = 0
    unsubscribed: int = 0
    recipient_open: int = 0
    total_open: int = 0
    recipient_click: int = 0
    total_click: int = 0
    person_click: int = 0
    opt_out_clicks: int = 0
    opt_outs: int = 0
    mirror: int = 0
    visits: int = 0
    transactions: int = 0
    hits_people: int = 0
    hits_all: int = 0

    @property
    def to_deliver(self) -> int:
        """The registry's figure, else the distinct messages with any feed event."""
        return self.messages if self.registered_to_deliver is None else self.registered_to_deliver

    @property
    def processed(self) -> int:
        """Messages with any state."""
        return self.sent + self.deferred + self.delivered + self.bounced_soft + self.bounced_hard + self.rejected

    @property
    def success_from(self) -> SuccessFrom:
        """Where `success` comes from: without any feed event but `prepared` it can't come from states."""
        if self.fed:
            return "feed"
        return "to_deliver" if self.registered_success is None else "registry"

    @property
    def success(self) -> int:
        """Messages in state sent or delivered; without a feed the registry's figure, else `to_deliver`."""
        if self.success_from == "feed":
            return self.sent + self.delivered
        return self.to_deliver if self.registered_success is None else self.registered_success

    @property
    def handed_over(self) -> int:
        """Messages given to the recipients' servers: in state sent, delivered or bounced; without a feed, `success`."""
        if self.success_from == "feed":
            return self.sent + self.delivered + self.bounced_soft + self.bounced_hard
        return self.success

    @property
    def estimate(self) -> int:
        """Estimated recipients who opened."""
        return estimated(self.recipient_open, self.to_deliver, self.text)


@dataclass(frozen=True)
class Indicators:
    """Every indicator of a delivery, or of several together, in one cut. Rates are fractions of 1."""

    to_deliver: int
    targeted: int | None
    text: int
    processed: int
    processed_rate: Rate
    success: int
    success_rate: Rate
    success_from: tuple[SuccessFrom, ...]
    sent: int
    deferred: int
    delivered: int
    bounced_soft: int
    bounced_hard: int
    rejected: int
    complained: int
    unsubscribed: int
    unsubscribe_rate: Rate
    recipient_open: int
    total_open: int
    estimated_recipient_open: int
    estimated_total_open: int
    open_rate: Rate
    recipient_click: int
    total_click: int
    click_rate: Rate
    cumulated_click_rate: Rate
    raw_reactivity: Rate
    estimated_reactivity: Rate
    ctr: Rate
    person_click: int
    person_click_rate: Rate
    forwards: int
    opt_out_clicks: int
    opt_out_click_rate: Rate
    opt_outs: int
    mirror: int
    visits: int
    transactions: int
    hits_people: int
    hits_all: int
    machine_hits: int
    machine_share: Rate


@dataclass(frozen=True)
class Money:
    """Transactions of one currency. `amount` in minor units, averages exact fractions of them."""

    currency: str
    transactions: int
    amount: int
    articles: int
    to_deliver: int

    @property
    def average_transaction(self) -> Rate:
        """Amount of a transaction."""
        return rate(self.amount, self.transactions)

    @property
    def articles_per_transaction(self) -> Rate:
        """Pieces of a transaction."""
        return rate(self.articles, self.transactions)

    @property
    def amount_per_message(self) -> Rate:
        """Amount over messages to deliver."""
        return rate(self.amount, self.to_deliver)


def rate(numerator: int, denominator: int) -> Rate:
    """Their quotient, None where the denominator is 0."""
    return None if denominator == 0 else Fraction(numerator, denominator)


def estimated(opens: int, to_deliver: int, text: int) -> int:
    """`opens × to_deliver / (to_deliver − text)`, rounded half up; 0 where every message is text."""
    html = to_deliver - text
    return 0 if html <= 0 else (2 * opens * to_deliver + html) // (2 * html)


def forwards(person_click: int, recipient_click: int) -> int:
    """Persons who clicked beyond the recipients themselves."""
    return max(person_click - recipient_click, 0)


#: Numbers that simply add up.
_SUMS = (
    "to_deliver", "text", "processed", "success", "sent", "deferred", "delivered", "bounced_soft", "bounced_hard",
    "rejected", "complained", "unsubscribed", "recipient_open", "total_open", "recipient_click", "total_click",
    "opt_out_clicks", "opt_outs", "mirror", "visits", "transactions", "hits_people", "hits_all",
)  # fmt: skip


def indicators(bases: Sequence[Base], person_click: int | None = None) -> Indicators:
    """The indicators of deliveries together.

    Messages and counts add up; forwards and estimates are sums of per-delivery values, never the formula on sums.
    `person_click`: the union of their persons, needed where there are several deliveries.
    """
    total: dict[str, Any] = {name: sum(getattr(base, name) for base in bases) for name in _SUMS}
    persons = sum(base.person_click for base in bases) if person_click is None else person_click
    estimate = sum(base.estimate for base in bases)
    machine = total["hits_all"] - total["hits_people"]
    given = [base.targeted for base in bases if base.targeted is not None]
    success = total["success"]
    return Indicators(
        **total,
        targeted=sum(given) if given else None,
        processed_rate=rate(total["processed"], total["to_deliver"]),
        success_rate=rate(success, total["processed"]),
        success_from=tuple(sorted({base.success_from for base in bases})),
        unsubscribe_rate=rate(total["unsubscribed"], success),
        estimated_recipient_open=estimate,
        estimated_total_open=sum(estimated(base.total_open, base.to_deliver, base.text) for base in bases),
        open_rate=rate(total["recipient_open"], success),
        click_rate=rate(total["recipient_click"], success),
        cumulated_click_rate=rate(total["total_click"], success),
        raw_reactivity=rate(total["recipient_click"], total["recipient_open"]),
        estimated_reactivity=rate(total["recipient_click"], estimate),
        ctr=rate(total["recipient_click"], total["delivered"]),
        person_click=persons,
        person_click_rate=rate(persons, success),
        forwards=sum(forwards(base.person_click, base.recipient_click) for base in bases),
        opt_out_click_rate=rate(total["opt_out_clicks"], success),
        machine_hits=machine,
        machine_share=rate(machine, total["hits_all"]),
    )
