"""PDF, printed by the real Chromium and read back; and that the page it prints can load nothing."""

from __future__ import annotations

import io
import socket
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from babel import Locale
from pypdf import PdfReader

from dashboards.export.pdf import NoChromium, as_pdf, chromium
from dashboards.shape import Chart, Column, Report, Subject, Table
from dashboards.web.formats import Formats
from dashboards.web.printing import printable


@pytest.fixture
def printer() -> Path:
    try:
        return chromium()
    except NoChromium as error:
        pytest.skip(str(error))


def report(label: str = "June") -> Report:
    columns = [Column("link", "link"), Column("clicks", "clicks", "count")]
    rows = [[f"link {n}", n * 1000] for n in range(1, 80)]
    table = Table("links", "Clicks by link", columns, rows, chart=Chart("bar", "link", ["clicks"]))
    return Report("urls", "URLs", "people", datetime(2026, 11, 24, tzinfo=UTC), [table], [Subject("1", "j", label)])


def text_of(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


def test_a_report_prints_with_its_chart_and_every_row(printer: Path) -> None:
    pdf = as_pdf(printable(report(), Formats("en", Locale("es"), UTC)), printer)
    found = text_of(pdf)
    assert all(f"link {n}" in found for n in range(1, 80))
    assert "79.000" in found  # as the Spanish locale writes it
    assert any("/XObject" in page.get("/Resources", {}) for page in PdfReader(io.BytesIO(pdf)).pages)


def test_the_page_says_what_data_says_and_runs_nothing_of_it(printer: Path) -> None:
    hostile = "</title></script><script>document.body.textContent='taken'</script><img src=x onerror=alert(1)>"
    page = printable(report(hostile), Formats("en", Locale("en"), UTC))
    assert "<script>document.body" not in page
    assert "link 79" in text_of(as_pdf(page, printer))


def test_the_printer_asks_nobody(printer: Path) -> None:
    asked = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        over = threading.Event()

        def listen() -> None:
            while not over.is_set():
                try:
                    asked.append(server.accept()[0].recv(200))
                except TimeoutError:
                    continue

        listener = threading.Thread(target=listen)
        listener.start()
        address = f"http://127.0.0.1:{server.getsockname()[1]}/pixel.gif"
        page = (
            f'<link rel="stylesheet" href="{address}"><img src="{address}"><iframe src="{address}"></iframe><p>here</p>'
        )
        assert "here" in text_of(as_pdf(page, printer))
        over.set()
        listener.join()
    assert asked == []


def test_without_chromium_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoChromium, match=r"install it, or set reports\.chromium"):
        chromium()
    with pytest.raises(NoChromium, match="there is no"):
        chromium(tmp_path / "none")
