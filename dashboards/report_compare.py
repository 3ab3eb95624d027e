"""Report `compare`: selected deliveries cumulated, and side by side with a hint on chance (METRICS, report 12)."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from string import ascii_uppercase
from typing import Annotated, Literal

from msgspec import Meta

from dashboards.base import Numbers
from dashboards.definition import Context, Definition
from dashboards.indicators import Indicators, indicators
from dashboards.options import OfDistinct
from dashboards.report_indicators import FIGURES, MONEY, SECTIONS, money
from dashboards.report_indicators import notes as indicator_notes
from dashboards.scope import Scope, report, together
from dashboards.shape import Chart, Column, Note, Record, Report, Table, sections_of
from dashboards.significance import LEVEL, Proportion, against

Against = Literal["best", "first"]
MOST = 10  # deliveries side by side: one column each

COUNTS = [name for name, column in FIGURES.items() if column.kind == "count"]
RATES = [name for name, column in FIGURES.items() if column.kind == "rate"]
#: Rates that are a share of messages, each counted once: only they can be tested. Name -> part, whole.
SHARES = {
    "success_rate": ("success", "processed"),
    "open_rate": ("recipient_open", "success"),
    "click_rate": ("recipient_click", "success"),
    "raw_reactivity": ("recipient_click", "recipient_open"),
    "ctr": ("recipient_click", "delivered"),
    "unsubscribe_rate": ("unsubscribed", "success"),
}
LESS_IS_BETTER = {"unsubscribe_rate"}

LEGEND = [
    Column("letter", "letter", "text", "under which the delivery stands in the other tables"),
    Column("delivery", "delivery", "text", "its label, else its name, else its key"),
    Column("key", "key", "text", "64-bit key, in decimal", shown=False),
    Column("contact_date", "contact date", "time", "as registered"),
    Column("to_deliver", "to deliver", "count", "the registry's figure, else messages with any feed event"),
    Column("success", "success", "count", "messages sent or delivered"),
]
_NAMED = [
    Column("indicator", "key", "text", "as in report indicators", shown=False),
    Column("title", "indicator", "text", "the same for people"),
]
_TOGETHER = Column("together", "together", "count", "of all of them, as in part cumulated", gives_way=1)
_JUDGED = [
    Column("reference", "against", "text", "letter of the delivery the others are tested against", shown=False),
    Column("p", "p", "number", "the least adjusted p of these tests; empty = not tested", shown=False),
    Column("hint", "chance?", "text", "what the tests say, in words"),
]
LETTERS = ascii_uppercase[:MOST]


def _of_delivery(letter: str) -> Note:
    return Note("of delivery {letter}", letter=letter)


def counts_columns(letters: str) -> list[Column]:
    """Columns of part `counts`: one per delivery, under its letter in lower case."""
    each = [Column(letter.lower(), letter, "count", _of_delivery(letter)) for letter in letters]
    return [*_NAMED, *each, _TOGETHER]


def rates_columns(letters: str) -> list[Column]:
    """Columns of part `rates`, likewise."""
    each = [Column(letter.lower(), letter, "rate", _of_delivery(letter)) for letter in letters]
    return [*_NAMED, *each, *_JUDGED]


def build(scope: Scope, reference: Against) -> Report:
    """The report. One delivery, or more than ten, are only cumulated."""
    counted, found = together(scope)
    parts: list[Table | Record] = [cumulated(counted)]
    notes = indicator_notes(scope, counted, found)
    if 1 < len(scope.deliveries) <= MOST:
        letters = LETTERS[: len(scope.deliveries)]
        each = [indicators([base]) for base in found.bases]
        parts = [legend(scope, found, letters), rates(each, letters, reference), counts(each, counted, letters), *parts]
        notes.append(_TESTED[reference])
    elif len(scope.deliveries) > MOST:
        notes.append(Note("More than {most} deliveries are not shown side by side.", most=MOST))
    sums = money(scope, counted)
    return report(scope, "compare", "Comparison", [*parts, sums] if sums.rows else parts, found, notes)


_TESTED: dict[Against, Note] = {
    "best": Note(
        "Rates are tested by two-proportion z-tests of the best against each of the others, at {level} %, with Holm's "
        "correction over all pairs.", level=round(LEVEL * 100)),
    "first": Note(
        "Rates are tested by two-proportion z-tests of the first against each of the others, at {level} %, with Holm's "
        "correction.", level=round(LEVEL * 100)),
}  # fmt: skip


def cumulated(counted: Indicators) -> Record:
    """Messages and counts added up, persons a union, forwards and estimates sums of each delivery's own."""
    return Record("cumulated", "Cumulated", sections_of(SECTIONS, counted))


def legend(scope: Scope, found: Numbers, letters: str) -> Table:
    """Which letter is which delivery."""
    rows = [
        [letter, one.title, str(one.delivery), one.contact_date, base.to_deliver, base.success]
        for letter, one, base in zip(letters, scope.deliveries, found.bases, strict=True)
    ]
    return Table("deliveries", "Deliveries compared", LEGEND, rows)


def counts(each: Sequence[Indicators], counted: Indicators, letters: str) -> Table:
    """Every count, one column per delivery, and together."""
    rows = [
        [name, Note(FIGURES[name].title), *(getattr(one, name) for one in each), getattr(counted, name)]
        for name in COUNTS
    ]
    return Table("counts", "Counts side by side", counts_columns(letters), rows)


def rates(each: Sequence[Indicators], letters: str, reference: Against) -> Table:
    """Every rate, one column per delivery, and whether they differ by more than chance."""
    rows = []
    for name in RATES:
        judged = judge(name, each, letters, reference)
        values = [getattr(one, name) for one in each]
        p = None if judged.p is None else Fraction(judged.p)
        rows.append([name, Note(FIGURES[name].title), *values, judged.reference, p, judged.hint])
    chart = Chart(kind="bar", x="title", values=[letter.lower() for letter in letters])
    return Table("rates", "Rates side by side", rates_columns(letters), rows, chart=chart)


@dataclass(frozen=True)
class Judged:
    """What the tests of a rate say. `p`: the least adjusted one."""

    hint: Note
    reference: str = ""
    p: float | None = None


_NOT_A_SHARE = Note("not tested: no share of messages")
_TOO_FEW = Note("too few messages to tell")


def judge(name: str, each: Sequence[Indicators], letters: str, reference: Against) -> Judged:
    """Test one rate of several deliveries; those without that rate, or with parts beyond the whole, are left out."""
    if name not in SHARES:
        return Judged(_NOT_A_SHARE)
    part, whole = SHARES[name]
    shares = [Proportion(getattr(one, part), getattr(one, whole)) for one in each]
    known = [(letter, share) for letter, share in zip(letters, shares, strict=True) if share.is_one]
    if len(known) < 2 or (reference == "first" and known[0][0] != letters[0]):
        return Judged(_TOO_FEW)
    order = sorted(known, key=lambda one: one[1].part / one[1].whole, reverse=name not in LESS_IS_BETTER)
    picked = known.index(order[0]) if reference == "best" else 0
    found = against([share for _, share in known], picked, reference == "best")
    p_values = {letter: p for (letter, _), p in zip(known, found, strict=True) if p is not None}
    named = known[picked][0]
    if not p_values:
        return Judged(_TOO_FEW, named)
    clear = [letter for letter, _ in known if p_values.get(letter, 1.0) < LEVEL]
    ahead = {letter for letter, _ in order[: order.index(known[picked])]}
    better = [letter for letter in clear if letter in ahead]
    return Judged(_said(named, better, [letter for letter in clear if letter not in ahead], p_values), named,
                  min(p_values.values()))  # fmt: skip


def _said(named: str, better: Sequence[str], worse: Sequence[str], p_values: dict[str, float]) -> Note:
    """The sentence about the reference `named` and those clearly better or worse than it."""
    if not better and not worse:
        return Note("no clear difference ({p})", p=_p(min(p_values.values())))
    if len(p_values) == 1:
        winner = better[0] if better else named
        return Note("{winner} is better, unlikely to be chance ({p})", winner=winner, p=_p(min(p_values.values())))
    if not better:
        return Note("{winner} is better than {losers}, unlikely to be chance (p < {level})",
                    winner=named, losers=", ".join(worse), level=LEVEL)  # fmt: skip
    winners = ", ".join(better)
    if not worse:
        return Note("better than {named}: {winners}; unlikely to be chance (p < {level})",
                    named=named, winners=winners, level=LEVEL)  # fmt: skip
    return Note("better than {named}: {winners}; worse: {losers}; unlikely to be chance (p < {level})",
                named=named, winners=winners, losers=", ".join(worse), level=LEVEL)  # fmt: skip


def _p(value: float) -> Note:
    return Note("p < {limit}", limit=0.001) if value < 0.001 else Note("p = {p:.3f}", p=round(value, 3))


class Asked(OfDistinct, frozen=True, kw_only=True):
    """What this report can be asked."""

    against: Annotated[
        Against, Meta(description="Test the delivery with the best rate against the others, or the first one.")
    ] = "best"


def _build(context: Context, asked: Asked) -> Report:
    return build(context.scope(asked), asked.against)


_MORE = "The columns a, b, c … are the deliveries in the order asked for."
REPORT = Definition(
    name="compare",
    title="Comparison",
    answers="deliveries added up, and side by side with a hint whether their rates differ by more than chance",
    more="Messages and counts add up, persons are a union, forwards and estimates are sums of each delivery's own. "
    f"Up to {MOST} deliveries are shown side by side. {_MORE}",
    example="-d june-news -d july-news --part rates",
    options=Asked,
    parts={
        "deliveries": LEGEND,
        "rates": rates_columns("AB"),
        "counts": counts_columns("AB"),
        "cumulated": list(FIGURES.values()),
        "transactions": MONEY,
    },
    build=_build,
)
