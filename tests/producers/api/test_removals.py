"""DELETE /v1/deliveries/{name} and its restore: the key's account alone, at once, and what is refused."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from clickhouse_driver import Client
from starlette.applications import Starlette

from producers.api.access import Access
from producers.api.app import make_app
from producers.api.spool import ApiSpool
from sendtrail import api_keys
from sendtrail.api_keys import ApiKey, ApiKeys, digest_of
from sendtrail.keyring import new_keyring
from sendtrail.naming import key
from sendtrail.settings import ApiSettings, ClickHouseSettings, Config
from tests.support.line import clickhouse_settings, scratch
from tests.support.stack import ClickHouse

pytestmark = pytest.mark.stack

KEYS = new_keyring()


@pytest.fixture(scope="module")
def client(clickhouse: ClickHouse) -> Iterator[Client]:
    with scratch(clickhouse) as made:
        yield made


@pytest.fixture
def api(clickhouse: ClickHouse, client: Client, tmp_path: Path) -> Starlette:
    """The API with keys `own` of the default account and `shop` of that one."""
    settings = clickhouse_settings(clickhouse, client.execute("SELECT currentDatabase()")[0][0])
    return made(settings, tmp_path)


def made(clickhouse: ClickHouseSettings, place: Path) -> Starlette:
    file = place / "keys.toml"
    keys = tuple(
        ApiKey(name, account, digest_of(name), "2026-11-24T09:00:00Z")
        for name, account in (("own", ""), ("shop", "shop"))
    )
    api_keys.save(file, ApiKeys(keys))
    settings = Config({}).section(ApiSettings, keys_file=file, spool_dir=place / "spool")
    spool, access = ApiSpool(settings), Access(settings)
    return make_app(spool, 1 << 20, access, {}, clickhouse, KEYS, "http://t.example", restorable_days=7)


def of(api: Starlette, method: str, path: str, token: str = "own") -> tuple[int, dict[str, Any]]:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(api, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as asked:
            return await asked.request(
                method, f"/v1/deliveries/{path}", headers={"Authorization": f"Bearer {token}"}
            )  # fmt: skip

    reply = anyio.run(ask)
    return reply.status_code, reply.json()


def register(client: Client, name: str, account: str = "") -> int:
    delivery = key(KEYS.naming_key, account, "delivery", name)
    client.execute("INSERT INTO deliveries (delivery_id, account, name) VALUES", [(delivery, account, name)])
    return delivery


def test_deleted_and_restored(client: Client, api: Starlette) -> None:
    delivery = register(client, "spring/söle")
    path = "spring%2Fs%C3%B6le"
    status, told = of(api, "DELETE", path)
    assert (status, told["state"], told["delivery"], told["name"]) == (200, "deleted", str(delivery), "spring/söle")
    assert told["restorable_until"] > "2026"
    assert client.execute(f"SELECT count() FROM v_deliveries WHERE delivery_id = {delivery}") == [(0,)]
    assert of(api, "DELETE", path) == (200, told)
    status, told = of(api, "POST", f"{path}/restore")
    assert (status, told["state"], told["restorable_until"]) == (200, "restored", None)
    assert client.execute(f"SELECT count() FROM v_deliveries WHERE delivery_id = {delivery}") == [(1,)]
    assert client.execute("SELECT asked_by FROM deletions FINAL") == [("API",)]


def test_a_key_reaches_its_own_account_alone(client: Client, api: Starlette) -> None:
    own, others = register(client, "autumn"), register(client, "autumn", "shop")
    assert of(api, "DELETE", "autumn", "shop")[0] == 200
    hidden = client.execute("SELECT delivery_id, asked_by FROM deletions FINAL WHERE state = 'deleted'")
    assert hidden == [(others, "API, account shop")]
    assert own != others
    assert of(api, "DELETE", "autumn", "nobody")[0] == 401
    assert of(api, "POST", "autumn/restore")[0] == 404


@pytest.mark.parametrize(
    ("method", "path", "status", "error"),
    [
        ("DELETE", "nothing", 404, "not_found"),
        ("POST", "nothing/restore", 404, "not_found"),
        ("DELETE", "%ff", 400, "bad_name"),
        ("DELETE", "x" * 200, 400, "bad_name"),
        ("DELETE", "spring/urls", 404, "not_found"),
        ("POST", "spring", 405, "method_not_allowed"),
    ],
)
def test_what_is_refused(api: Starlette, method: str, path: str, status: int, error: str) -> None:
    assert (of(api, method, path)[0], of(api, method, path)[1]["error"]) == (status, error)


def test_without_clickhouse_nothing_is_changed_and_said_so(tmp_path: Path) -> None:
    api = made(Config({}).section(ClickHouseSettings, address="127.0.0.1:1"), tmp_path)
    status, told = of(api, "DELETE", "spring")
    assert (status, told["error"]) == (503, "clickhouse_unavailable")
