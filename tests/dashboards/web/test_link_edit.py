"""Links edited on the dashboard: what the feed API would write to another delivery is refused before it is asked."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from clickhouse_driver import Client

from sendtrail.deliveries import DeliveryUrl
from sendtrail.naming import HASHED
from sendtrail.naming import key as key_of
from sendtrail.settings import ReportSettings
from tests.dashboards.happenings import Registered, register, register_urls
from tests.dashboards.web.conftest import LOCAL, browser, site_on
from tests.producers.api.running import ApiProcess
from tests.producers.api.test_access import new
from tests.support.line import clickhouse_settings
from tests.support.stack import ClickHouse

pytestmark = pytest.mark.asyncio

NAMED, UNNAMED, NUMBER, OTHERS = HASHED + 1, HASHED + 2, 7, HASHED + 3
ELSEWHERE, AWAY = "edited by their sender", "The feed API does not answer"


@pytest.mark.parametrize(
    ("delivery", "said"),
    [(NAMED, AWAY), (NUMBER, AWAY), (UNNAMED, "known by its key alone"), (OTHERS, ELSEWHERE)],
)
async def test_a_link_is_written_where_it_was_read(
    client: Client, clickhouse: ClickHouse, report_settings: ReportSettings, tmp_path: Path, delivery: int, said: str
) -> None:  # fmt: skip
    register(client, [
        Registered(NAMED, "june", account=""), Registered(UNNAMED), Registered(NUMBER),
        Registered(OTHERS, "june", account="default"),
    ])  # fmt: skip
    register_urls(client, [(delivery, 11, "https://shop.example/a", "Shop", "shop")])
    [[database]] = client.execute("SELECT currentDatabase()")
    site = site_on(clickhouse_settings(clickhouse, database), report_settings)  # its feed API is away
    async with browser(site, tmp_path) as reader:
        page = (await reader.get(f"/reports/dashboard?delivery={delivery}")).text
        found = re.search(r'name="csrf"[^>]* value="([^"]+)"', page)
        assert found is not None
        form = {"csrf": found[1], "label": "Another", "category": "", "mode": "tracked"}
        reply = await reader.post(f"/deliveries/{delivery}/urls/11", data=form, headers={"Origin": LOCAL})
    site.pool.close()
    assert reply.status_code == 422
    assert said in reply.text


async def test_edits_carry_the_key_of_the_pages(
    client: Client, clickhouse: ClickHouse, report_settings: ReportSettings, tmp_path: Path
) -> None:
    register(client, [Registered(NAMED, "june", account="shop"), Registered(NUMBER, account="")])
    register_urls(client, [(one, 11, "https://shop.example/a", "Shop", "shop") for one in (NAMED, NUMBER)])
    [[database]] = client.execute("SELECT currentDatabase()")
    site = site_on(clickhouse_settings(clickhouse, database), report_settings)
    said = []
    with ApiProcess(tmp_path) as api:
        of_shop, of_all = new(api, "pages", "--account", "shop"), new(api, "other")
        for delivery, sent in ((NAMED, of_shop), (NAMED, of_all), (NUMBER, of_shop), (NUMBER, {})):
            key = sent.get("Authorization", "").removeprefix("Bearer ")
            there = replace(site, api_url=str(api.client.base_url).rstrip("/"), api_key=key)
            async with browser(there, tmp_path) as reader:
                page = (await reader.get(f"/reports/dashboard?delivery={delivery}")).text
                found = re.search(r'name="csrf"[^>]* value="([^"]+)"', page)
                assert found is not None
                form = {"csrf": found[1], "label": "Another", "category": "", "mode": "tracked"}
                headers = {"Origin": LOCAL, "HX-Request": "true"}
                said.append(await reader.post(f"/deliveries/{delivery}/urls/11", data=form, headers=headers))
        (entry,) = api.entries()
    site.pool.close()
    assert isinstance(entry, DeliveryUrl)
    assert (entry.delivery, entry.label) == (key_of(api.keys.naming_key, "shop", "delivery", "june"), "Another")
    assert [reply.status_code for reply in said] == [200, 422, 422, 422]
    assert ELSEWHERE in said[1].text
    assert ELSEWHERE in said[2].text
    assert "web.api_key_file" in said[3].text
