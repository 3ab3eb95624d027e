"""A page of a longer list: its rows, how many there are in all, and what a reader is told of it."""

from collections.abc import Callable

from dashboards.queries import Row
from dashboards.shape import Note, Page


def paged(ask: Callable[[int, int], list[Row]], limit: int, offset: int) -> tuple[list[Row], Page]:
    """`limit` rows after the first `offset`, as `ask(limit, offset)` gives them; `matches` of each: how many there are.

    Behind the end there is no row to say so; the first one is asked then.
    """
    rows = ask(limit, offset)
    first = rows or (ask(1, 0) if offset else [])
    return rows, Page(offset, limit, first[0]["matches"] if first else 0)


def shown(page: Page, rows: int) -> list[Note]:
    """Which rows of the list are there; nothing where all are."""
    if rows == page.matches:
        return []
    if not rows:
        return [Note("Shown: none of {matches}; the last one is before this page.", matches=page.matches)]
    first, last = page.offset + 1, page.offset + rows
    return [Note("Shown: {first} to {last} of {matches}.", first=first, last=last, matches=page.matches)]
