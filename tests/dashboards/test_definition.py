"""Who may read a report, and which of its parts."""

from datetime import UTC, datetime

import pytest

from dashboards.definition import Context, Definition, NotAllowed
from dashboards.options import Options
from dashboards.queries import Queries
from dashboards.roles import Role
from dashboards.shape import Report


def built(context: Context, asked: Options) -> Report:
    return Report(context.part or "usual", "Title", asked.cut, datetime.now(UTC), [])


def definition(role: Role = "viewer") -> Definition[Options]:
    return Definition(
        "one", "One", "something", Options, {"sums": [], "rows": []}, built, role,
        on_request=("rows",), analyst_parts=("rows",),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("least", "reader", "part", "allowed"),
    [
        ("viewer", "viewer", "", True),
        ("viewer", "viewer", "sums", True),
        ("viewer", "viewer", "rows", False),
        ("viewer", "analyst", "rows", True),
        ("analyst", "viewer", "", False),
        ("analyst", "viewer", "sums", False),
        ("analyst", "analyst", "sums", True),
    ],
)
def test_parts_that_show_recipients_are_for_analysts(
    queries: Queries, least: Role, reader: Role, part: str, allowed: bool
) -> None:
    context = Context(queries, role=reader, part=part)
    if allowed:
        assert definition(least).answer(context, Options()).name == (part or "usual")
    else:
        with pytest.raises(NotAllowed, match="report one"):
            definition(least).answer(context, Options())
    assert definition(least).allows(reader, part) is allowed
