"""Log-in, log-out and a foreign site, as Chromium itself sends and refuses."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from dashboards.web.access.users import Users, save
from tests.dashboards.web.access.site import ANA, PASSWORD
from tests.dashboards.web.access.test_process import serving

CHROMIUM = Path("/usr/bin/chromium")

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no Chromium at /usr/bin/chromium")


@pytest.fixture
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser.new_page()
        browser.close()


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    save(tmp_path / "users.toml", Users([ANA]))
    with serving(tmp_path, users_file=str(tmp_path / "users.toml")) as port:
        yield f"http://127.0.0.1:{port}"


def log_in(page: Page, address: str, password: str) -> None:
    page.goto(f"{address}/reports/deliveries")
    page.fill("#name", "ana")
    page.fill("#password", password)
    page.press("#password", "Enter")
    page.wait_for_load_state()


def test_in_and_out_and_no_way_back(page: Page, address: str) -> None:
    log_in(page, address, "wrong password")
    assert page.url == f"{address}/login"
    assert "The name or the password is wrong." in page.inner_text("[role=alert]")
    assert page.input_value("#password") == ""
    log_in(page, address, PASSWORD)
    assert page.url == f"{address}/reports/deliveries"
    assert page.locator("#password").count() == 0
    assert page.evaluate("document.cookie") == ""
    page.evaluate("document.querySelector('form[action=\"/logout\"]').requestSubmit()")
    page.wait_for_url(f"{address}/login")
    page.go_back()
    page.wait_for_load_state()
    assert page.url.startswith(f"{address}/login?next=")


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """Another site: its only page is empty."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>elsewhere</title><body></body>")

        def log_message(self, format: str, *args: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://localhost:{server.server_address[1]}/"
    server.shutdown()
    thread.join()
    server.server_close()


def test_another_site_can_link_but_not_act_fetch_or_frame(page: Page, address: str, elsewhere: str) -> None:
    log_in(page, address, PASSWORD)
    reports = f"{address}/openapi.json"
    page.goto(elsewhere)
    asked = "address => fetch(address, {mode: 'no-cors', credentials: 'include'}).then(() => 'read', () => 'refused')"
    assert page.evaluate(asked, reports) == "refused"
    with page.expect_response(reports) as framed:
        page.evaluate(
            "address => { document.body.append(Object.assign(document.createElement('iframe'), {src: address})) }",
            reports,
        )
    assert framed.value.status == 403
    page.evaluate(
        "address => { document.body.innerHTML = `<form method=post action=${address}></form>` }", f"{address}/logout"
    )
    with page.expect_navigation() as posted:
        page.evaluate("document.forms[0].submit()")
    assert posted.value.status == 403
    assert "another site" in page.inner_text("main")
    page.goto(elsewhere)
    page.evaluate("address => { document.body.innerHTML = `<a href=${address}>reports</a>` }", reports)
    with page.expect_navigation() as linked:
        page.click("a")
    assert linked.value.status == 200
