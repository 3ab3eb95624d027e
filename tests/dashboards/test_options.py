"""Options of reports: the same from texts as from code, and one clear reason for what can't be asked."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from dashboards.catalogue import REPORTS
from dashboards.definition import Context
from dashboards.options import EARLIEST, LATEST, BadOption, OfDistinct, options_of, read, texts
from dashboards.queries import Queries, ReportError


class Asked(OfDistinct, frozen=True, kw_only=True):
    """Every kind of option."""

    by: Annotated[Literal["url", "label"], Meta(description="Rows.")] = "label"
    top: Annotated[int, Meta(ge=1, le=50)] = 10
    kind: list[Literal["open", "click"]] = []
    since: date | None = None
    search: str = ""


def test_values_from_texts() -> None:
    given_texts = {
        "delivery": ["june", "7"], "cut": ["all"], "live": ["on"], "by": ["url"], "top": ["3", "4"],
        "kind": ["open", "click"], "since": ["2026-11-24"], "search": [""],
    }  # fmt: skip
    asked = read(Asked, given_texts)
    assert asked == Asked(
        delivery=["june", "7"], cut="all", live=True, by="url", top=4, kind=["open", "click"], since=date(2026, 11, 24)
    )


@pytest.mark.parametrize(
    ("given_texts", "option", "said"),
    [
        ({}, "delivery", "is needed"),
        ({"delivery": ["1"], "top": ["0"]}, "top", ">= 1"),
        ({"delivery": ["1"], "top": ["many"]}, "top", "int"),
        ({"delivery": ["1"], "by": ["colour"]}, "by", "colour"),
        ({"delivery": ["1"], "kind": ["open", "close"]}, "kind", "close"),
        ({"delivery": ["1"], "since": ["yesterday"]}, "since", "date"),
        ({"delivery": ["1"], "since": ["1999-12-31"]}, "since", "between 2000-01-01 and 2099-12-31"),
        ({"delivery": ["1"], "since": ["9999-12-31"]}, "since", "between 2000-01-01 and 2099-12-31"),
        ({"delivery": ["1"], "live": ["perhaps"]}, "live", "bool"),
        ({"delivery": ["1"], "nothing": ["1"]}, "nothing", "no such option"),
        ({"delivery": ["1"] * 201}, "delivery", "200"),
    ],
)
def test_what_can_t_be_asked_is_named(given_texts: dict[str, list[str]], option: str, said: str) -> None:
    with pytest.raises(BadOption) as refused:
        read(Asked, given_texts)
    assert refused.value.option == option
    assert said in str(refused.value)


def test_choices_keep_their_order_and_bounds_are_known() -> None:
    known = {option.name: option for option in options_of(Asked)}
    assert next(iter(known)) == "delivery"
    assert (known["by"].choices, known["by"].help) == (("url", "label"), "Rows.")
    assert (known["top"].least, known["top"].most, known["top"].default) == (1, 50, 10)
    assert {name: option.kind for name, option in known.items()} == {
        "delivery": "text", "cut": "choice", "live": "flag", "by": "choice", "top": "number", "kind": "choice",
        "since": "date", "search": "text",
    }  # fmt: skip


@given(
    st.builds(
        Asked,
        delivery=st.lists(st.text(min_size=1, max_size=20).filter(str.strip), min_size=1, max_size=4),
        cut=st.sampled_from(["people", "all"]),
        live=st.booleans(),
        top=st.integers(1, 50),
        kind=st.lists(st.sampled_from(["open", "click"]), max_size=2),
        since=st.none() | st.dates(EARLIEST, LATEST),
        search=st.text(max_size=20).map(str.strip),
    )
)
def test_texts_of_options_read_back(asked: Any) -> None:
    assert read(Asked, texts(asked)) == asked


@pytest.mark.parametrize("name", REPORTS)
def test_every_option_of_every_report_has_help(name: str) -> None:
    for option in options_of(REPORTS[name].options):
        assert option.help, option.name


_DATED = [
    (name, option.name)
    for name, report in REPORTS.items()
    for option in options_of(report.options)
    if option.kind == "date"
]


@pytest.mark.parametrize("day", ["2000-01-01", "2099-12-31"])
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])  # the first and the last to have a day
@pytest.mark.parametrize(("name", "option"), _DATED)
def test_the_first_and_the_last_day_can_be_asked_for(
    queries: Queries, name: str, option: str, day: str, zone: str
) -> None:
    more = {"recipient": ["1"]} if name == "recipient" else {"period": ["month"]} if name == "over-time" else {}
    asked = read(REPORTS[name].options, {**more, option: [day]})
    context = Context(queries, zone=ZoneInfo(zone), role="analyst")
    with suppress(ReportError):  # a span the wrong way round, or of too many periods, is said
        REPORTS[name].answer(context, asked)
