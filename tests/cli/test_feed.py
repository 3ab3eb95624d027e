"""`sendtrail feed` as a person types it, against a real API."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import zstandard

from sendtrail.local.process import free_port
from tests.line.running import until
from tests.producers.api.running import ApiProcess
from tests.producers.api.test_access import new

SENDTRAIL = str(Path(sys.executable).parent / "sendtrail")
TIME = 1_790_000_000_000


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiProcess]:
    with ApiProcess(tmp_path_factory.mktemp("feeding")) as running:
        yield running


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SENDTRAIL_")}
    return kept | {"COLUMNS": "200", "no_proxy": "127.0.0.1"}


def feed(
    api: ApiProcess, *args: str, cwd: Path, code: int = 0, data: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    address = str(api.client.base_url)
    done = subprocess.run(
        [SENDTRAIL, "feed", *args, "--api", address, "--wait", "20"], cwd=cwd, env=environment(), input=data,
        capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    assert b"Traceback" not in done.stderr
    return done


def items(delivery: str, count: int) -> list[dict[str, Any]]:
    return [{"kind": "sent", "time": TIME, "delivery": delivery, "message": f"m{number}"} for number in range(count)]


def ndjson(found: list[Any]) -> bytes:
    return b"".join(json.dumps(item).encode() + b"\n" for item in found)


def ids(api: ApiProcess, delivery: str) -> list[str]:
    return [event.event_id for event in api.events() if event.delivery_name == delivery]


def test_lines_are_fed_and_feeding_them_again_changes_nothing(api: ApiProcess, tmp_path: Path) -> None:
    (tmp_path / "sent.ndjson.gz").write_bytes(gzip.compress(ndjson(items("lines", 2500))))
    for _ in range(2):
        done = feed(api, "sent.ndjson.gz", "--json", cwd=tmp_path)
        counts = json.loads(done.stdout)
        assert (counts["accepted"], counts["refused"], done.stderr) == (2500, 0, b"")
    assert len(set(ids(api, "lines"))) == 2500


def test_refused_items_are_told_with_their_lines(api: ApiProcess, tmp_path: Path) -> None:
    good = items("refused", 3)
    lines = [good[0], {**good[0], "time": None}, good[1], "text", good[2]]
    done = feed(api, "-", cwd=tmp_path, code=1, data=ndjson(lines) + b"{broken\n")
    assert done.stdout.startswith(b"3 accepted, 3 refused")
    told = done.stderr.decode().splitlines()
    assert [line.split(":")[0:2] for line in told] == [
        ["line 2", " time_missing"], ["line 4", " undecodable"], ["line 6", " undecodable"],
    ]  # fmt: skip
    feed(api, "-", "--refused", "bad.ndjson", cwd=tmp_path, code=1, data=ndjson(lines))
    first, second = [json.loads(line) for line in (tmp_path / "bad.ndjson").read_text().splitlines()]
    assert (first["line"], first["reason"], second["line"]) == (2, "time_missing", 4)
    assert json.loads(first["text"]) == lines[1]


def test_csv_by_the_names_of_its_columns(api: ApiProcess, tmp_path: Path) -> None:
    text = "event;when;user\nsent;1790000000000;anna\nbounced;1790000000001;ben\nsent;;carl\n"
    (tmp_path / "log.csv.zst").write_bytes(zstandard.compress(text.encode()))
    mapped = ["--map", "kind=event", "--map", "time=when", "--map", "message=user", "--set", "delivery=csv"]
    done = feed(api, "log.csv.zst", *mapped, cwd=tmp_path, code=1)
    assert done.stderr.startswith(b"line 4: time_missing")
    found = [event for event in api.events() if event.delivery_name == "csv"]
    assert [(event.kind, event.message_name) for event in found] == [("sent", "anna"), ("bounced", "ben")]


def test_columns_that_do_not_fit_end_it_before_anything_is_sent(api: ApiProcess, tmp_path: Path) -> None:
    done = feed(api, "-", cwd=tmp_path, code=1, data=b"kind,time,delivery,nr\nsent,5,d,m\n")
    assert b"sendtrail: column 'nr' is no field of an item" in done.stderr
    assert b"--map" in feed(api, "-", "--map", "kind", cwd=tmp_path, code=2, data=b"").stderr
    assert b"for CSV" in feed(api, "-", "--set", "kind=sent", cwd=tmp_path, code=2, data=b"{}").stderr


@pytest.mark.parametrize(
    "content",
    [None, gzip.compress(b"{}\n" * 9999, mtime=0)[:-20], b"\x1f\x8bno", zstandard.compress(b"{}\n" * 9999)[:-9]],
    ids=["missing", "cut gzip", "no gzip", "cut zstd"],
)
def test_a_file_that_cannot_be_read_is_said(api: ApiProcess, tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "sent.ndjson").write_bytes(content)
    done = feed(api, "sent.ndjson", cwd=tmp_path, code=1)
    assert b"sendtrail: sent.ndjson" in done.stderr


def test_an_api_that_is_away_is_code_4_and_says_how_to_go_on(tmp_path: Path) -> None:
    address = f"http://127.0.0.1:{free_port()}"
    (tmp_path / "sent.ndjson").write_bytes(ndjson(items("away", 2)))
    command = [SENDTRAIL, "feed", "sent.ndjson", "--api", address, "--wait", "0"]
    done = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, timeout=60, check=False)
    assert done.returncode == 4
    assert b"does not answer" in done.stderr
    assert b"--from-line 1" in done.stderr


def test_with_a_key_and_without(tmp_path: Path) -> None:
    with ApiProcess(tmp_path) as api:
        made = new(api, "mailer")["Authorization"].removeprefix("Bearer ")
        (tmp_path / "key").write_text(made + "\n")
        (tmp_path / "sent.ndjson").write_bytes(ndjson(items("keyed", 2)))
        assert b"401" in feed(api, "sent.ndjson", cwd=tmp_path, code=1).stderr
        feed(api, "sent.ndjson", "--key-file", "key", cwd=tmp_path)
        assert len(ids(api, "keyed")) == 2


def test_killed_in_the_middle_every_item_is_taken_and_none_is_another(tmp_path: Path) -> None:
    """The API is killed again and again while it is fed; the sender tries on."""
    lines = ndjson(items("killed", 15_000)).splitlines(keepends=True)
    with ApiProcess(tmp_path, port=free_port(), fsync="batch") as api:
        command = [SENDTRAIL, "feed", "-", "--api", str(api.client.base_url), "--json"]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, cwd=tmp_path, env=environment(), stdin=pipe, stdout=pipe) as feeding:
            assert feeding.stdin is not None
            assert feeding.stdout is not None
            for part in range(3):
                before = len(api.events())
                feeding.stdin.write(b"".join(lines[part * 5_000 : (part + 1) * 5_000]))
                feeding.stdin.flush()
                until(lambda before=before: len(api.events()) > before, "some of it is taken")  # type: ignore[misc]
                api.kill()  # more of it is under way, or waits
                api.start()
            feeding.stdin.close()
            counts = json.loads(feeding.stdout.read())
        assert (feeding.returncode, counts["accepted"], counts["refused"]) == (0, len(lines), 0)
        names = {event.event_id: event.message_name for event in api.events()}
    assert sorted(names.values()) == sorted(f"m{number}" for number in range(len(lines)))
