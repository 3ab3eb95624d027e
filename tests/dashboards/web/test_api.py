"""GET /v1/reports: formats, parts, refusals, and a description that says what there is."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from dashboards.catalogue import REPORTS
from dashboards.options import options_of
from dashboards.web.site import Site
from tests.dashboards.web.conftest import browser

pytestmark = pytest.mark.asyncio


async def test_formats_have_the_same_rows(site: Site, tmp_path: Path) -> None:
    async with browser(site, tmp_path) as program:
        address = "/v1/reports/urls?delivery=1&top=3&part=links"
        rows = (await program.get(address)).json()["parts"]["links"]
        lines = [json.loads(line) for line in (await program.get(f"{address}&format=ndjson")).text.splitlines()]
        table = await program.get(f"{address}&format=csv")
    assert rows
    assert lines == rows
    read = list(csv.DictReader(io.StringIO(table.text)))
    assert [row["clicks"] for row in read] == [str(row["clicks"]) for row in rows]
    assert table.headers["content-disposition"] == 'attachment; filename="urls-links.csv"'


@pytest.mark.parametrize(
    ("address", "status", "said"),
    [
        ("/v1/reports/nothing", 404, "there are deliveries"),
        ("/v1/reports/urls", 400, "delivery: is needed"),
        ("/v1/reports/urls?delivery=1&top=0", 400, "top"),
        ("/v1/reports/urls?delivery=1&colour=red", 400, "colour: no such option"),
        ("/v1/reports/urls?delivery=1&cut=robots", 400, "cut"),
        ("/v1/reports/urls?delivery=1&format=exe", 400, "format"),
        ("/v1/reports/urls?delivery=1&part=nothing", 404, "it has rates, links"),
        ("/v1/reports/urls?delivery=no-such", 404, "no delivery"),
    ],
)
async def test_refusals_are_problems_that_say_what_is_wrong(
    site: Site, tmp_path: Path, address: str, status: int, said: str
) -> None:
    async with browser(site, tmp_path) as program:
        answer = await program.get(address)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert said in answer.json()["detail"]


async def test_the_description_names_every_report_and_option(site: Site, tmp_path: Path) -> None:
    async with browser(site, tmp_path) as program:
        paths = (await program.get("/openapi.json")).json()["paths"]
        names = [one["name"] for one in (await program.get("/v1/reports")).json()["reports"]]
    assert names == list(REPORTS)
    for name, report in REPORTS.items():
        described = {one["name"] for one in paths[f"/v1/reports/{name}"]["get"]["parameters"]}
        assert {option.name for option in options_of(report.options)} <= described
