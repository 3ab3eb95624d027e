"""docs/providers.md does what it says: its blocks are run in order in one directory, beside a running API."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from producers.api.providers.all import webhooks
from producers.mta.match import verp_regex
from sendtrail.settings import MtaSettings, ProvidersSettings, load
from tests.producers.api.running import ApiProcess
from tests.producers.mta.imap import PASSWORD, USER, SmallImap
from tests.producers.mta.mails import bounce, ours, sent
from tests.producers.mta.test_postfix import learnt, outcome

DOC = Path(__file__).parent.parent.parent / "docs" / "providers.md"
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", DOC.read_text(), re.MULTILINE | re.DOTALL)
SETTINGS = [code for language, code in BLOCKS if language == "toml"]


@pytest.mark.parametrize("settings", SETTINGS, ids=range(len(SETTINGS)))
def test_settings_are_settings(settings: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sendtrail.toml").write_text(settings)
    config = load({})
    mappings: dict[str, Any] = {"mappings": []} if "acme.toml" in settings else {}
    webhooks(config.section(ProvidersSettings, **mappings), bytes(32))
    pattern = config.section(MtaSettings).verp_pattern
    if pattern:
        verp_regex(pattern)


def _place(tmp_path: Path) -> None:
    """What the blocks find in their directory."""
    for folder in ("new", "cur", "tmp"):
        (tmp_path / "Maildir" / folder).mkdir(parents=True)
    (tmp_path / "bounce.eml").write_bytes(bounce(sent(ours())))
    (tmp_path / "Maildir" / "new" / "1").write_bytes(bounce(sent(ours()), ident="<2@mx.example>"))
    (tmp_path / "mail.log").write_text("\n".join([*learnt(), outcome("sent", "2.0.0", "250 OK"), ""]))


def _environment(api: ApiProcess, mailbox: SmallImap) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SENDTRAIL_")}
    given: dict[str, Any] = {
        "PATH": f"{Path(sys.executable).parent}:{kept['PATH']}", "SENDTRAIL_FEED_URL": api.client.base_url,
        "SENDTRAIL_MTA_IMAP_HOST": "127.0.0.1", "SENDTRAIL_MTA_IMAP_PORT": mailbox.port,
        "SENDTRAIL_MTA_IMAP_USER": USER, "SENDTRAIL_MTA_IMAP_PASSWORD": PASSWORD,
        "SENDTRAIL_MTA_IMAP_CA_FILE": mailbox.ca,
    }  # fmt: skip
    return kept | {name: str(value) for name, value in given.items()}


def test_commands_do_what_they_say(tmp_path: Path) -> None:
    assert shutil.which("curl"), "the page calls curl"
    _place(tmp_path)
    api = ApiProcess(tmp_path)
    api.environment["SENDTRAIL_PROVIDERS_POSTMARK_SECRET"] = "a-long-random-text"
    outputs = []
    with api, SmallImap(tmp_path) as mailbox:
        mailbox.put("a", bounce(sent(ours()), ident="<3@mx.example>"))
        environ = _environment(api, mailbox)
        url = str(api.client.base_url).rstrip("/")
        for language, code in BLOCKS:
            if language not in ("sh", "python"):
                continue
            command = ["sh", "-ec", code.replace("http://127.0.0.1:8081", url)]
            done = subprocess.run(
                command if language == "sh" else [sys.executable, "-c", code], cwd=tmp_path, env=environ,
                capture_output=True, text=True, timeout=60, check=False,
            )  # fmt: skip
            assert done.returncode == 0, code + done.stderr
            outputs.append(done.stdout)
        assert mailbox.flags("a") == "S"
        kinds = [event.kind for event in api.events()]
    custom, listed, tried, mapped, bounced, followed = outputs
    assert "'sendtrail_delivery': '7'" in custom
    assert "/v1/webhooks/postmark" in listed
    assert tried == '{"accepted":1,"rejected":0}'
    assert '"reason": "unknown_user"' in mapped
    assert bounced.splitlines() == ['{"mails": 1, "told": 1, "refused": 0}'] * 2
    assert followed == '{"told": 1, "unmatched": 0, "queued": 1}\n'
    assert kinds == ["delivered", "bounced", "bounced", "bounced", "delivered"]


def test_every_command_and_setting_of_the_page_is_one() -> None:
    text = DOC.read_text()
    fields = {"providers": set(ProvidersSettings.model_fields), "mta": set(MtaSettings.model_fields)}
    for section, name in re.findall(r"`(providers|mta)\.(\w+)`", text):
        assert name in fields[section]
    for name in re.findall(r"`((?:sendgrid|ses|mailgun|postmark|sparkpost|kumomta)_\w+)`", text):
        assert name in fields["providers"]
