"""Contents that the API keeps for edges."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from producers.api.spool import ApiSpool
from sendtrail.content_files import path_of
from sendtrail.contents import Content
from sendtrail.settings import ApiSettings
from sendtrail.spool_files import segment_files
from tests.producers.api.running import ApiProcess


def test_a_content_put_is_a_file_for_edges(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENDTRAIL_ANSWERS_CONTENTS_DIR", str(tmp_path / "contents"))
    with ApiProcess(tmp_path) as api:
        path = "/v1/deliveries/7/content"
        assert api.client.put(path, json={"html": "<p>ä</p>", "text": "ä"}).status_code == httpx.codes.OK
        assert path_of(tmp_path / "contents", 7, "html").read_text() == "<p>ä</p>"
        assert path_of(tmp_path / "contents", 7, "text").read_text() == "ä"
        assert api.client.put(path, json={"html": ""}).status_code == httpx.codes.OK
    assert [path.name for path in (tmp_path / "contents").iterdir()] == ["7.txt"]


def test_a_content_that_can_not_be_kept_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "contents").write_text("a file, not a directory")
    spool = ApiSpool(ApiSettings(spool_dir=tmp_path / "spool"), tmp_path / "contents")
    content = Content(delivery=7, part="html", content="<p>")
    assert not spool.add_contents([content])
    (tmp_path / "contents").unlink()
    assert spool.add_contents([content])
    spool.close()
    assert segment_files(tmp_path / "spool" / "contents")


def test_without_a_directory_nothing_is_kept(tmp_path: Path) -> None:
    spool = ApiSpool(ApiSettings(spool_dir=tmp_path / "spool"))
    assert spool.add_contents([Content(delivery=7, part="html", content="<p>")])
    spool.close()
    assert [path.name for path in tmp_path.iterdir()] == ["spool"]
