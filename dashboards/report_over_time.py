"""Report `over-time`: what was sent and what came back, per day, week or month (METRICS, report 13)."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from dashboards.definition import Context, Definition
from dashboards.periods import Days, days_of, every
from dashboards.shape import Chart, Column, Note, Report, Table
from dashboards.sums_over_time import DOMAIN_DAYS, Asked, By, Place, by_cohort, by_event
from dashboards.words import OTHERS, UNKNOWN, domain_of

MEASURES = [
    Column("sent", "sent", "count", "by event: sent events; by cohort: messages in state sent, delivered or bounced"),
    Column("delivered", "delivered", "count", "by event: delivered events; by cohort: messages in that state"),
    Column("bounced", "bounced", "count", "by event: bounced events; by cohort: messages in that state"),
    Column("opens", "opens", "count", "open hits"),
    Column("clicks", "clicks", "count", "click hits"),
    Column("complaints", "complaints", "count", "by event: complaints; by cohort: messages with one", gives_way=1),
    Column("unsubscribes", "unsub.", "count",
           "by event: confirmed opt-outs, and unsubscribes of the feed; by cohort: messages with either"),
    Column("opened", "opened", "count", "by cohort: messages with any hit but a one-click unsubscribe", gives_way=2),
    Column("clicked", "clicked", "count", "by cohort: messages with a click hit", gives_way=2),
]  # fmt: skip
_SPLIT = Column("split", "of", "text", "tag, channel or domain, as asked for; empty without a split")
COLUMNS = [Column("period", "period", "day", "its first day, on the reader's clock"), _SPLIT, *MEASURES]
TOTALS = [_SPLIT, *MEASURES]
UNNAMED = {"tag": Note("(no tag)"), "channel": Note("(no channel)")}
_LAST: dict[str, int] = {OTHERS: 1, UNKNOWN: 2}
_TITLES: dict[By, Note] = {"event": Note("When it happened"), "cohort": Note("By the day of sending")}
_NOTES: dict[By, Note] = {
    "event": Note("By event: each event counts when it happened, whichever delivery it belongs to."),
    "cohort": Note(
        "By sending cohort: all that came of a delivery so far counts at its contact date (else its first sent, else "
        "its first hit); a message counts once, in its state of now."
    ),
}
_TAGS = Note("A delivery with several tags counts in each of them.")


def build(context: Context, asked: Asked) -> Report:
    """The report. Raises ReportError for a span that is empty or too long."""
    today = datetime.now(UTC).astimezone(context.zone).date()
    most = DOMAIN_DAYS if asked.split == "domain" else None
    days = days_of(asked.period, asked.first_day, asked.last_day, today, most)
    found = (by_event if asked.by == "event" else by_cohort)(context, asked, days)
    sums = _named(found.sums, asked)
    notes = [_NOTES[asked.by], *([_TAGS] if asked.split == "tag" else [])]
    if not sums:
        notes.append(Note("Nothing from {first} to {last}: choose other days.", first=days.first, last=days.last))
    return Report(
        name="over-time",
        title="Over time",
        cut=asked.cut,
        calculated_at=found.calculated_at,
        distinct_calculated_at=found.distinct,
        parts=[over_time(sums, asked, days), totals(sums, asked)],
        hits=found.hits,
        notes=notes,
    )


def _named(sums: Mapping[Place, Counter[str]], asked: Asked) -> dict[Place, Counter[str]]:
    """The sums under names for people; tags and channels beyond the largest are added up."""
    size: Counter[str] = Counter()
    for (_, split), one in sums.items():
        size[split] += one["sent"] + one["opens"] + one["clicks"]
    kept = set(size) if asked.split == "domain" else {split for split, _ in size.most_common(asked.top)}
    named: dict[Place, Counter[str]] = {}
    for (start, split), one in sums.items():
        name = (domain_of(split) or UNNAMED.get(asked.split or "", "")) if split in kept else OTHERS
        named.setdefault((start, name), Counter()).update(one)
    return named


def _order(sums: Mapping[Place, Counter[str]]) -> list[str]:
    """Splits, the largest first, those that gather the rest last."""
    size: Counter[str] = Counter()
    for (_, split), one in sums.items():
        size[split] += one["sent"] + one["opens"] + one["clicks"]
    return sorted(size, key=lambda split: (_LAST.get(split, 0), -size[split], split))


def over_time(sums: Mapping[Place, Counter[str]], asked: Asked, days: Days) -> Table:
    """One row per period and split; periods without anything are there with zeros."""
    order = _order(sums)
    rows = [
        [start.isoformat(), split, *_values(sums.get((start, split), Counter()), asked.by)]
        for start in every(days, asked.period)
        for split in order
    ]
    alone = ["sent", "delivered", "opens", "clicks"]
    chart = Chart("line", "period", [asked.measure], split="split") if asked.split else Chart("line", "period", alone)
    return Table("over_time", _TITLES[asked.by], COLUMNS, rows, chart=chart)


def totals(sums: Mapping[Place, Counter[str]], asked: Asked) -> Table:
    """One row per split over the whole span."""
    whole: dict[str, Counter[str]] = {split: Counter() for split in _order(sums)}
    for (_, split), one in sums.items():
        whole[split].update(one)
    rows = [[split, *_values(one, asked.by)] for split, one in whole.items()]
    return Table("totals", "The whole span", TOTALS, rows, chart=Chart("bar", "split", [asked.measure]))


def _values(one: Counter[str], by: By) -> Sequence[int | None]:
    """Measures in the order of the columns; events tell no distinct messages."""
    none = ("opened", "clicked") if by == "event" else ()
    return [None if column.key in none else one[column.key] for column in MEASURES]


REPORT = Definition(
    name="over-time",
    title="Over time",
    answers="what was sent, delivered, bounced, opened, clicked and unsubscribed per day, week or month",
    more="By event day or by sending cohort; over all deliveries, or those of a tag, channel or account; split by tag, "
    "channel or e-mail domain. Days are those of the reader's time zone.",
    example="--period week --by cohort --split tag --first-day 2026-01-01",
    options=Asked,
    parts={"over_time": COLUMNS, "totals": TOTALS},
    build=build,
)
