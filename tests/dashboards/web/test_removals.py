"""Deleting and restoring on the pages, exporting and erasing a recipient: who may, and nothing happens by a link."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from random import Random

import httpx
import pytest
from clickhouse_driver import Client

from dashboards.web.app import make_app
from dashboards.web.site import Site
from sendtrail.settings import Config, ReportSettings, WebSettings
from tests.dashboards.happenings import insert, register, store_indicators
from tests.dashboards.web.conftest import LOCAL, browser, site_on
from tests.dashboards.world import REGISTERED, make
from tests.support.line import clickhouse_settings, scratch
from tests.support.stack import ClickHouse

pytestmark = pytest.mark.asyncio

DELIVERY = REGISTERED[0]


@pytest.fixture(scope="module")
def own(clickhouse: ClickHouse) -> Iterator[Client]:
    """A small world that may be changed."""
    with scratch(clickhouse) as made:
        register(made, REGISTERED)
        insert(made, make(seed=3, hits=400).happenings, Random(5))
        store_indicators(made)
        yield made


@pytest.fixture
def pages(clickhouse: ClickHouse, own: Client, report_settings: ReportSettings) -> Iterator[Site]:
    made = site_on(clickhouse_settings(clickhouse, own.execute("SELECT currentDatabase()")[0][0]), report_settings)
    yield made
    made.pool.close()


def token_of(page: str) -> str:
    found = re.search(r'name="csrf"[^>]* value="([^"]+)"', page)
    assert found is not None
    return found[1]


async def test_a_delivery_is_deleted_and_had_back(pages: Site, tmp_path: Path) -> None:
    async with browser(pages, tmp_path, Origin=LOCAL) as client:
        listed = await client.get("/reports/deliveries")
        assert DELIVERY.label in listed.text
        assert 'formaction="/deliveries/delete"' in listed.text
        assert "tick deliveries" in (await client.get("/deliveries/delete")).text
        asked = await client.get("/deliveries/delete", params={"delivery": DELIVERY.delivery})
        assert DELIVERY.label in asked.text
        assert DELIVERY.label in (await client.get("/reports/deliveries")).text  # a question changes nothing
        form = {"csrf": token_of(asked.text), "delivery": str(DELIVERY.delivery)}
        assert (await client.post("/deliveries/delete", data=form | {"csrf": "x"})).status_code == 403
        done = await client.post("/deliveries/delete", data=form)
        assert (done.status_code, done.headers["location"]) == (303, "/deliveries/deleted")
        assert DELIVERY.label not in (await client.get("/reports/deliveries")).text
        assert (await client.get(f"/reports/dashboard?delivery={DELIVERY.delivery}")).status_code == 404
        deleted = await client.get("/deliveries/deleted")
        assert DELIVERY.label in deleted.text
        back = await client.post(f"/deliveries/{DELIVERY.delivery}/restore", data={"csrf": token_of(deleted.text)})
        assert (back.status_code, back.headers["location"]) == (303, f"/reports/dashboard?delivery={DELIVERY.delivery}")
        assert DELIVERY.label in (await client.get("/reports/deliveries")).text
        assert (await client.get(f"/deliveries/delete?delivery={1 << 64}")).status_code == 404
        assert "tick deliveries" in (await client.get("/deliveries/delete?delivery=4242")).text
        unknown = {"csrf": token_of(asked.text), "delivery": "4242"}
        assert (await client.post("/deliveries/delete", data=unknown)).status_code == 404


async def test_a_recipient_is_exported_and_erased(pages: Site, own: Client, tmp_path: Path) -> None:
    key, name = own.execute(
        "SELECT any(recipient_key), any(recipient_name) FROM message_state WHERE recipient_name != ''"
    )[0]
    async with browser(pages, tmp_path, Origin=LOCAL) as client:
        page = await client.get("/reports/recipient", params={"recipient": key})
        assert f'href="/recipients/{key}/export"' in page.text
        packed = await client.get(f"/recipients/{key}/export")
        with zipfile.ZipFile(io.BytesIO(packed.content)) as file:
            assert {"about.txt", "columns.csv", "events.csv", "message_state.csv"} <= set(file.namelist())
            assert name in file.read("message_state.csv").decode()
        told = json.loads((await client.get(f"/v1/recipients/{key}/export?format=json")).content)
        assert told["recipient_key"] == str(key)
        assert all(one["meaning"] for one in told["tables"]["events"]["columns"].values())
        asked = await client.get(f"/recipients/{key}/erase")
        form = {"csrf": token_of(asked.text)}
        await client.post(f"/recipients/{key}/erase", data=form)  # not sure
        assert own.execute("SELECT count() FROM erasures") == [(0,)]
        assert (await client.post(f"/recipients/{key}/erase", data={"sure": "yes", "csrf": "x"})).status_code == 403
        await client.post(f"/recipients/{key}/erase", data=form | {"sure": "yes"})
        waiting = own.execute("SELECT recipient_key, recipient_name, asked_by, isNull(done) FROM erasures FINAL")
        assert waiting == [(key, name, "pages, nobody logged in", 1)]
        assert "is being done" in (await client.get("/recipients/erasures")).text
        assert (await client.get("/recipients/4242424242/erase")).status_code == 404


#: Method and path of everything that takes an analyst.
TAKES_AN_ANALYST = (
    ("GET", "/deliveries/delete?delivery=1"), ("POST", "/deliveries/delete"), ("GET", "/deliveries/deleted"),
    ("POST", "/deliveries/1/restore"), ("GET", "/recipients/1/erase"), ("POST", "/recipients/1/erase"),
    ("GET", "/recipients/erasures"), ("GET", "/recipients/1/export"), ("GET", "/v1/recipients/1/export"),
    ("POST", "/v1/recipients/1/erase"), ("DELETE", "/v1/deliveries/1"), ("POST", "/v1/deliveries/1/restore"),
)  # fmt: skip


async def test_a_viewer_is_refused(pages: Site, tmp_path: Path) -> None:
    settings = Config({}).section(
        WebSettings, secret_file=tmp_path / "secret", user_header="X-Remote-User",
        trusted_proxy_networks=["127.0.0.1"], proxy_default_role="viewer", allowed_hosts=["127.0.0.1"],
    )  # fmt: skip
    transport = httpx.ASGITransport(make_app(pages, settings), raise_app_exceptions=False)
    headers = {"X-Remote-User": "vera", "Origin": LOCAL}
    async with httpx.AsyncClient(transport=transport, base_url=LOCAL, headers=headers) as client:
        listed = (await client.get("/reports/deliveries")).text
        assert "/deliveries/delete" not in listed
        token = token_of(listed)
        for method, path in TAKES_AN_ANALYST:
            reply = await client.request(method, path, headers={"X-CSRF-Token": token})
            assert reply.status_code == 403, path
