"""Who may call the API: with keys, each for its account and its rate; without, this machine alone."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from sendtrail.deliveries import Delivery
from sendtrail.naming import key
from tests.producers.api.running import ApiProcess
from tests.producers.api.test_app import sent

SENDTRAIL = str(Path(sys.executable).parent / "sendtrail")


def command(api: ApiProcess, *args: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [SENDTRAIL, "api-keys", *args], env=api.environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def new(api: ApiProcess, name: str, *options: str) -> dict[str, str]:
    """Make a key; the headers that send it."""
    return {"Authorization": f"Bearer {command(api, 'new', name, *options).stdout.strip()}"}


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiProcess]:
    with ApiProcess(tmp_path_factory.mktemp("keyed")) as running:
        yield running


@pytest.fixture(scope="module")
def shop(keyed: ApiProcess) -> dict[str, str]:
    """Made while the API runs."""
    assert keyed.client.get("/v1/account").json() == {"account": ""}
    return new(keyed, "shop mailer", "--account", "shop")


def post(api: ApiProcess, items: list[Any], headers: dict[str, str]) -> httpx.Response:
    return api.client.post("/v1/events", json=items, headers=headers)


@pytest.mark.parametrize(
    ("headers", "error"),
    [
        ({}, "no_key"),
        ({"Authorization": "Basic c2hvcDpzaG9w"}, "no_key"),
        ({"Authorization": "Bearer"}, "no_key"),
        ({"Authorization": "Bearer stak_wrong"}, "bad_key"),
        ({"Authorization": "Bearer " + "x" * 5000}, "bad_key"),
        ({"Authorization": "Bearer \xff"}, "bad_key"),
    ],
)
def test_once_there_is_a_key_every_call_needs_one(
    keyed: ApiProcess, shop: dict[str, str], headers: dict[str, str], error: str
) -> None:
    raw = {name: value.encode("latin-1") for name, value in headers.items()}
    before = len(keyed.events())
    for method, path in (("POST", "/v1/events"), ("PUT", "/v1/deliveries/x"), ("GET", "/v1/account"), ("GET", "/no")):
        reply = keyed.client.request(method, path, headers=raw)  # type: ignore[arg-type]  # bytes are taken
        assert (reply.status_code, reply.json()["error"]) == (401, error)
        assert reply.headers["www-authenticate"] == "Bearer"
    assert keyed.client.get("/docs").status_code == keyed.client.get("/openapi.json").status_code == 200
    assert len(keyed.events()) == before


def test_a_key_writes_into_its_account(keyed: ApiProcess, shop: dict[str, str]) -> None:
    assert keyed.client.get("/v1/account", headers=shop).json() == {"account": "shop"}
    assert post(keyed, [sent("42", "7", recipient="1")], shop).json()["accepted"] == 1
    event = keyed.events()[-1]
    naming_key = keyed.keys.naming_key
    assert (event.account, event.delivery) == ("shop", key(naming_key, "shop", "delivery", "42"))
    assert (event.message, event.recipient) == (
        key(naming_key, "shop", "message", "7"), key(naming_key, "shop", "recipient", "1"),
    )  # fmt: skip
    reply = keyed.client.put("/v1/deliveries/42", json={"label": "x"}, headers=shop)
    assert reply.json()["delivery_key"] == event.delivery
    entry = keyed.entries()[-1]
    assert isinstance(entry, Delivery)
    assert (entry.account, entry.delivery, entry.name) == ("shop", event.delivery, "42")


def test_a_large_body_without_a_key_is_refused_and_the_connection_goes_on(
    keyed: ApiProcess, shop: dict[str, str]
) -> None:
    reply = keyed.client.post("/v1/events", content=b" " * 9_000_000, headers={"Content-Type": "application/json"})
    assert reply.status_code == 401
    assert post(keyed, [], shop).status_code == 200


def test_the_same_item_of_two_accounts_is_two_events(keyed: ApiProcess, shop: dict[str, str]) -> None:
    other, item = new(keyed, "other"), sent("same", "1", id="provider-1")
    ids = [post(keyed, [item], headers).json()["results"][0]["event_id"] for headers in (shop, other, shop)]
    assert ids[0] == ids[2] != ids[1]


def test_a_key_has_its_rate_and_the_others_theirs(keyed: ApiProcess, shop: dict[str, str]) -> None:
    slow = new(keyed, "slow", "--requests-per-minute", "3")
    replies = [post(keyed, [], slow) for _ in range(6)]
    assert {reply.status_code for reply in replies[:3]} == {200}
    last = replies[-1]  # a minute may have begun meanwhile, but not two
    assert (last.status_code, last.json()["error"]) == (429, "too_many_requests")
    assert 1 <= int(last.headers["retry-after"]) <= 120
    assert post(keyed, [], shop).status_code == 200


def test_a_revoked_key_is_over_at_once_and_the_last_one_opens_nothing(tmp_path: Path) -> None:
    with ApiProcess(tmp_path) as api:
        one, two = new(api, "one"), new(api, "two")
        assert post(api, [], one).status_code == 200
        command(api, "revoke", "one")
        assert [post(api, [], headers).status_code for headers in (one, two)] == [401, 200]
        command(api, "revoke", "two")
        assert [post(api, [], headers).status_code for headers in (one, two, {})] == [401, 401, 401]
        (tmp_path / "api-keys.toml").unlink()
        assert post(api, [], {}).status_code == 401


def test_a_file_that_becomes_bad_leaves_the_keys_it_had(tmp_path: Path) -> None:
    with ApiProcess(tmp_path) as api:
        one = new(api, "one")
        assert post(api, [], one).status_code == 200
        (tmp_path / "api-keys.toml").write_text("[")
        assert [post(api, [], headers).status_code for headers in (one, {})] == [200, 401]
        assert "the keys before its change remain" in api.log.read_text()


def test_without_keys_only_names_of_this_machine_are_served(api: ApiProcess) -> None:
    port = api.client.base_url.port
    for host in ("127.0.0.1", f"localhost:{port}", f"[::1]:{port}"):
        assert post(api, [], {"Host": host}).status_code == 200
    for host in ("evil.example", f"sendtrail.example:{port}", "127.0.0.1.evil.example", "", "10.0.0.1"):
        reply = post(api, [], {"Host": host})
        assert (reply.status_code, reply.json()["error"]) == (421, "misdirected")
    for header in ("X-Forwarded-For", "Forwarded", "Via"):
        assert post(api, [], {header: "192.0.2.1"}).json()["error"] == "proxied"


@pytest.mark.parametrize("revoked", [False, True])
def test_elsewhere_than_on_loopback_it_takes_a_key_to_start(tmp_path: Path, revoked: bool) -> None:
    api = ApiProcess(tmp_path, host="0.0.0.0")
    if revoked:
        new(api, "one")
        command(api, "revoke", "one")
    run = subprocess.run(
        [sys.executable, "-m", "producers.api.main"], env=api.environment, capture_output=True, text=True, timeout=30,
        check=False,
    )  # fmt: skip
    assert (run.returncode, run.stdout) == (3, "")
    assert "sendtrail api-keys new" in run.stderr
    assert "Traceback" not in run.stderr


def test_with_a_key_it_may_be_reached_by_any_name(tmp_path: Path) -> None:
    api = ApiProcess(tmp_path, host="0.0.0.0")
    one = new(api, "one")
    with api:
        assert post(api, [], one | {"Host": "feed.example"}).status_code == 200


def test_the_command_lists_what_there_is_and_says_what_there_is_not(tmp_path: Path) -> None:
    api = ApiProcess(tmp_path)
    made = json.loads(command(api, "new", "shop", "--account", "s", "--requests-per-minute", "9", "--json").stdout)
    assert made["key"].startswith("stak_")
    (listed,) = [json.loads(line) for line in command(api, "list", "--json").stdout.splitlines()]
    assert listed == {name: value for name, value in made.items() if name != "key"}
    assert "account s" in command(api, "list").stdout
    assert "already" in command(api, "new", "shop", code=1).stderr
    assert "no API key 'none'" in command(api, "revoke", "none", code=1).stderr
    assert "account" in command(api, "new", "long", "--account", "x" * 200, code=1).stderr
