"""Addresses of a table's other pages and other orders."""

from collections.abc import Sequence
from dataclasses import dataclass

from dashboards.options import options_of
from dashboards.shape import Report, Table
from dashboards.web.asking import Question

LIMIT, OFFSET, SORT, ORDER = "limit", "offset", "sort", "order"


@dataclass(frozen=True)
class Pager:
    """Which rows are shown, of how many, and where those before and after are; empty texts where there are none."""

    first: int
    last: int
    matches: int
    before: str
    after: str


@dataclass(frozen=True)
class Sorted:
    """Where a click on a column's title leads; `order`: as in aria-sort, empty where the table has another order."""

    href: str
    order: str

    @property
    def sign(self) -> str:
        """An arrow beside the title."""
        return {"ascending": " ↑", "descending": " ↓", "other": " •"}.get(self.order, "")


def pager(question: Question, report: Report) -> Pager | None:
    """For the report's table with pages; None where all rows are shown."""
    for part in report.parts:
        if not isinstance(part, Table) or part.page is None:
            continue
        page, shown = part.page, len(part.rows[: part.total_from])
        if page.matches <= shown and not page.offset:
            return None
        before = max(page.offset - page.limit, 0)
        after = page.offset + page.limit
        return Pager(
            first=page.offset + 1 if shown else page.offset,
            last=page.offset + shown,
            matches=page.matches,
            before=question.address(offset=str(before) if before else "") if page.offset else "",
            after=question.address(offset=str(after)) if after < page.matches else "",
        )
    return None


def sorts(question: Question) -> dict[str, Sorted]:
    """Column -> its order's address, for a report whose option `sort` names columns.

    Where the report has no option for the direction, an order by a column has one direction of its own; only times
    have both, as `newest` and `oldest`.
    """
    known = {option.name: option for option in options_of(question.report.options)}
    if SORT not in known or question.options is None:
        return {}
    now, order = getattr(question.options, SORT), getattr(question.options, ORDER, "descending")
    choices = known[SORT].choices
    if ORDER in known:
        return {key: _sorted(question, key, now, order) for key in choices}
    times = {"newest": "descending", "oldest": "ascending"}
    found = {
        key: Sorted(question.address(sort=key, offset=""), "other" if key == now else "")
        for key in choices
        if key not in times
    }
    if set(times) <= {*choices}:
        found["time"] = Sorted(
            question.address(sort="oldest" if now == "newest" else "newest", offset=""), times.get(now, "")
        )
    return found


def _sorted(question: Question, key: str, now: str, order: str) -> Sorted:
    if key != now:
        return Sorted(question.address(sort=key, order=_first(key), offset=""), "")
    other = "ascending" if order == "descending" else "descending"
    return Sorted(question.address(sort=key, order=other, offset=""), order)


def _first(key: str) -> str:
    """Texts start with A, numbers and times with the largest."""
    return "ascending" if key in _TEXTS else "descending"


_TEXTS: Sequence[str] = ("label", "name", "recipient", "domain", "delivery", "url", "link")
