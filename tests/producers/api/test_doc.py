"""docs/api.md does what it says: every block is run, in order, against an API with the tables behind it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from sendtrail.naming import key
from sendtrail.settings import ClickHouseSettings
from tests.producers.api.loaders import audit, event, insert
from tests.producers.api.running import ApiProcess, payloads
from tests.support.line import clickhouse_settings, migrated
from tests.support.stack import ClickHouse

DOC = Path(__file__).parents[3] / "docs" / "api.md"
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_every_block_runs(clickhouse: ClickHouse, database: str, tmp_path: Path) -> None:
    api = ApiProcess(tmp_path)
    registered = key(api.keys.naming_key, "", "delivery", "spring-sale")
    with migrated(clickhouse, database) as client:
        insert(client, "events", [event(b"a" * 16, (0, 3, 0), kind="complained", recipient_name="anna@example.com")])
        insert(client, "audit", [audit(0, 3)])
        insert(client, "deliveries", [{"delivery_id": registered, "name": "spring-sale"}])  # as the loader would
    api.environment |= _variables(clickhouse_settings(clickhouse, database))
    with api:
        said = {code: _run(language, code, tmp_path, api) for language, code in BLOCK.findall(DOC.read_text())}
        kinds = [(event.kind, event.message_name) for event in api.events()]
        consents = payloads(api.spool / "consents")
    assert kinds[:2] == [("sent", "m-1"), ("bounced", "m-2")]
    assert kinds[2:2502] == [("sent", f"m-{number}") for number in range(2500)]
    assert kinds[2502:] == [("sent", "anna"), ("sent", "ben"), ("sent", "m-9")]
    assert len(consents) == 1
    page = next(text for code, text in said.items() if "page.json" in code)
    assert page.startswith("complaint\tanna@example.com\t2026-10-20T12:00:00.000Z\n")
    assert json.loads(page.partition("\n")[2])["more"] is False
    keys = next(text for code, text in said.items() if "api-keys new" in code)
    assert "mailer" in keys
    assert '{"account":""}' in keys
    assert "the key 'mailer' is revoked" in keys


def _variables(settings: ClickHouseSettings) -> dict[str, str]:
    return {
        "SENDTRAIL_CLICKHOUSE_ADDRESS": settings.address, "SENDTRAIL_CLICKHOUSE_USER": settings.user,
        "SENDTRAIL_CLICKHOUSE_PASSWORD": settings.secret(), "SENDTRAIL_CLICKHOUSE_DATABASE": settings.database,
        "SENDTRAIL_LOCAL_DATA": "nowhere",
    }  # fmt: skip


def _run(language: str, code: str, directory: Path, api: ApiProcess) -> str:
    address = str(api.client.base_url).rstrip("/")
    environ = os.environ | api.environment | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "SENDTRAIL_FEED_URL": address,
        "no_proxy": "127.0.0.1", "COLUMNS": "120",
    }  # fmt: skip
    command = ["sh", "-ec"] if language == "sh" else [sys.executable, "-c"]
    done = subprocess.run(
        [*command, code.replace("http://127.0.0.1:8081", address)], cwd=directory, env=environ, capture_output=True,
        text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, code + done.stdout + done.stderr
    assert '"error"' not in done.stdout
    return done.stdout
