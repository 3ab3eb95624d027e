"""The web tag in a real browser: from a click in a mail to the order, over hosts of three owners."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from sendtrail.events import Event
from sendtrail.ids import transaction_id
from sendtrail.instrument import Policy, compile
from sendtrail.links import Link, mint
from sendtrail.settings import EdgeSettings
from tests.dashboards.web.browser.conftest import CHROMIUM
from tests.dashboards.web.browser.serving import SANDBOX
from tests.producers.edge.test_edge_doc import blocks
from tests.support.edges import Edge, running_edge

MAIL, SHOP, EDGE, NEIGHBOUR = "webmail.test", "shop.test", "t.news.test", "www.news.test"
SOON_S = 20
ASK = "May we see that you came from our newsletter? <a href='/privacy'>More</a>"


class Pages:
    """The pages of the mail client and of the shop, on one port under any host name; scripts only from the edge."""

    def __init__(self) -> None:
        self.html: dict[str, str] = {}
        self.policy = ""
        pages = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                html = pages.html.get(self.path.partition("?")[0])
                body = (html or "not here").encode()
                self.send_response(200 if html else 404)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Security-Policy", pages.policy)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@dataclass
class World:
    """An edge, the pages, and somebody with a browser. `sent`: what the browser sent to /w."""

    edge: Edge
    pages: Pages
    context: BrowserContext
    sent: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.context.on(
            "request", lambda request: self.sent.append(request.url) if self._is_ours(request.url) else None
        )

    def _is_ours(self, url: str) -> bool:
        return url.startswith(f"{self.tracking}/w")

    @property
    def tracking(self) -> str:
        return f"http://{EDGE}:{self.edge.port}"

    def shop(self, path: str = "/", host: str = SHOP) -> str:
        return f"http://{host}:{self.pages.port}{path}"

    def token(self) -> str:
        return mint(self.edge.keys.active, Link("web", 17, 7, 99))

    def put(self, path: str, attributes: str = "") -> None:
        """A page of the shop with the web tag."""
        script = f'<script src="{self.tracking}/st.js" data-site="shop" {attributes} defer></script>'
        self.pages.html[path] = f"<!doctype html><title>{path}</title><body><h1>{path}</h1>{script}"

    def click(self, page: Page, destination: str) -> None:
        """Open the mail and click its link."""
        link = self.tracking + self.edge.path("click", destination)
        self.read(page, f'<!doctype html><title>Mail</title><a href="{link}">Our offers</a>', destination)

    def read(self, page: Page, mail: str, destination: str) -> None:
        """Open a mail and click its link, which leads to this page."""
        self.pages.html["/mail"] = mail
        page.goto(self.shop("/mail", MAIL))
        page.click("a")
        page.wait_for_url(destination.partition("?")[0] + "*")

    def hits(self, count: int) -> list[Event]:
        """The visits and orders in the spool, once there are so many."""
        until(lambda: len(self._hits()) >= count)
        found = self._hits()
        assert len(found) == count
        return found

    def _hits(self) -> list[Event]:
        return [event for event in self.edge.events() if event.kind in ("web", "transaction")]


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + SOON_S
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A running Chromium to which every host name is this machine."""
    if not CHROMIUM.exists():
        pytest.skip(f"there is no Chromium at {CHROMIUM}")
    with sync_playwright() as playwright:
        rules = ["--host-resolver-rules=MAP * 127.0.0.1"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SANDBOX + rules)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def pages() -> Iterator[Pages]:
    made = Pages()
    yield made
    made.close()


@pytest.fixture
def world(chromium: Browser, pages: Pages, tmp_path: Path) -> Iterator[World]:
    origins = [f"shop=http://{host}:{pages.port}" for host in (SHOP, NEIGHBOUR)]
    cookies = {"tracking": {"visitor_cookies": "session"}, "cookie": {"secure": False, "click_days": 30}}
    with running_edge(tmp_path / "spool", EdgeSettings(port=0, sites=origins), cookies) as edge:
        context = chromium.new_context()
        tracking = f"http://{EDGE}:{edge.port}"
        pages.policy = f"default-src 'none'; script-src {tracking}; connect-src {tracking}; img-src {tracking}"
        yield World(edge, pages, context)
        context.close()


def test_from_the_click_to_the_order(world: World) -> None:
    world.put("/offers")
    world.put("/thanks", 'data-order="A-1" data-amount="1999" data-currency="EUR" data-articles="2"')
    page = world.context.new_page()
    offers = f'<p>Hello, <a href="{world.shop("/offers?colour=red&amp;b=%20x#top")}">our offers</a></p>'
    policy = Policy(web_id="st", web_id_hosts=(SHOP,))
    template = compile(html=offers, delivery=17, keyring=world.edge.keys, base_url=world.tracking, policy=policy)
    world.read(page, template.render(7, recipient=99).html or "", world.shop("/offers"))
    (visit,) = world.hits(1)
    assert (visit.kind, visit.delivery, visit.message, visit.recipient) == ("web", 17, 7, 99)
    assert (visit.site, visit.page) == ("shop", world.shop("/offers"))
    assert page.url == world.shop("/offers?colour=red&b=%20x#top")  # what is passed on says nothing of who came
    page.goto(world.shop("/thanks"))
    order = world.hits(2)[1]
    assert (order.kind, order.delivery, order.message) == ("transaction", 17, 7)
    assert (order.order_id, order.amount, order.currency, order.articles) == ("A-1", 1999, "EUR", 2)
    page.reload()
    assert [each.event_id for each in world.hits(3)[1:]] == [transaction_id("", "shop", "A-1")] * 2


def test_somebody_who_comes_by_himself_is_nobody_s(world: World) -> None:
    world.put("/offers")
    page = world.context.new_page()
    page.goto(world.shop("/offers"))
    (visit,) = world.hits(1)
    assert (visit.delivery, visit.message, visit.referrer) == (0, 0, "")


def test_a_site_beside_the_tracking_host_needs_no_id_in_addresses(world: World) -> None:
    world.put("/offers")
    page = world.context.new_page()
    destination = world.shop("/offers", NEIGHBOUR)
    world.click(page, destination)
    (visit,) = world.hits(1)
    assert (visit.delivery, visit.message) == (17, 7)
    click = next(event for event in world.edge.events() if event.kind == "click")
    assert (visit.visitor, visit.visitor_is_new) == (click.visitor, False)
    page.goto(world.shop("/offers"))  # of another owner: no cookie of ours goes there
    assert world.hits(2)[1].delivery == 0


def test_who_is_asked_and_says_no_is_left_alone(world: World) -> None:
    world.put("/offers", f'data-ask="{ASK}"')
    page = world.context.new_page()
    world.click(page, world.shop(f"/offers?st={world.token()}"))
    page.get_by_role("button", name="No").wait_for()
    assert page.evaluate("sendtrail.choice()") == ""
    assert page.evaluate("document.cookie") == ""
    page.get_by_role("button", name="No").click()
    assert page.evaluate("document.cookie") == "st_ok=no"
    page.reload()
    assert page.evaluate("sendtrail.choice()") == "no"
    assert page.get_by_role("button").count() == 0
    page.evaluate("sendtrail.order('A-1', 1, 'EUR')")
    assert world.sent == []
    page.evaluate("sendtrail.allow(); sendtrail.visit('/again')")
    (visit,) = world.hits(1)
    assert (visit.delivery, visit.page) == (17, world.shop("/again"))  # the id is still in the address


def test_who_is_asked_and_says_yes_is_counted_from_the_first_page(world: World) -> None:
    world.put("/offers", f'data-ask="{ASK}" data-yes="Gladly" data-no="No thanks"')
    page = world.context.new_page()
    world.click(page, world.shop(f"/offers?st={world.token()}"))
    region = page.get_by_role("region", name="shop")
    assert region.get_by_role("link", name="More").is_visible()
    assert world.sent == []
    region.get_by_role("button", name="Gladly").click()
    (visit,) = world.hits(1)
    assert (visit.delivery, visit.page) == (17, world.shop("/offers"))
    assert page.url == world.shop("/offers")
    page.goto(world.shop("/offers"))
    assert world.hits(2)[1].delivery == 17
    assert page.get_by_role("button").count() == 0


def test_a_page_that_asks_by_its_own_means(world: World) -> None:
    world.put("/offers", 'data-consent="wait"')
    page = world.context.new_page()
    page.goto(world.shop("/offers"))
    assert page.get_by_role("button").count() == 0
    assert world.sent == []
    page.evaluate("sendtrail.allow()")
    world.hits(1)
    page.evaluate("sendtrail.refuse(); sendtrail.visit()")
    assert page.evaluate("document.cookie") == "st_ok=no"
    assert len(world.sent) == 1


@pytest.mark.parametrize("beacon", ["undefined", "() => false"])
def test_without_beacons_a_pixel_is_asked_for(world: World, beacon: str) -> None:
    world.put("/thanks", 'data-order="Ö-2" data-amount="1" data-currency="JPY"')
    world.context.add_init_script(f"navigator.sendBeacon = {beacon}")
    page = world.context.new_page()
    page.goto(world.shop("/thanks"))
    (order,) = world.hits(1)
    assert (order.kind, order.order_id, order.currency) == ("transaction", "Ö-2", "JPY")
    assert "/w?hit=" in world.sent[0]


def test_a_browser_that_asks_not_to_be_tracked_keeps_no_id(world: World) -> None:
    world.put("/offers")
    world.context.add_init_script("Object.defineProperty(navigator, 'globalPrivacyControl', { value: true })")
    page = world.context.new_page()
    page.goto(world.shop(f"/offers?st={world.token()}"))
    assert world.hits(1)[0].delivery == 17  # the address said so
    assert page.evaluate("document.cookie") == ""
    page.goto(world.shop("/offers"))
    assert world.hits(2)[1].delivery == 0
    page.evaluate("sendtrail.allow()")
    page.goto(world.shop(f"/offers?st={world.token()}"))
    assert "st=" in page.evaluate("document.cookie")


def test_what_was_said_before_the_script_came_is_heard(world: World) -> None:
    world.put("/offers")
    world.context.add_init_script("window.sendtrail = [['order', 'A-3', 500, 'EUR', { extra: { voucher: 'MAY' } }]]")
    page = world.context.new_page()
    page.goto(world.shop("/offers"))
    order = next(hit for hit in world.hits(2) if hit.kind == "transaction")
    assert (order.order_id, order.amount, order.attributes) == ("A-3", 500, {"voucher": "MAY"})


def test_a_page_s_own_parameter_of_that_name_is_left_alone(world: World) -> None:
    world.put("/offers")
    page = world.context.new_page()
    page.goto(world.shop("/offers?st=CA"))
    (visit,) = world.hits(1)
    assert (visit.delivery, visit.hints) == (0, [])
    assert page.url == world.shop("/offers?st=CA")
    assert page.evaluate("document.cookie") == ""


def test_the_tags_of_the_docs(world: World) -> None:
    page = world.context.new_page()
    for number, tag in enumerate(blocks("Web tag", "html"), 1):
        world.pages.html["/doc"] = "<!doctype html>" + tag.replace("https://t.example.com", world.tracking)
        page.goto(world.shop("/doc"))
        world.hits(number)
    orders = [hit for hit in world.hits(3) if hit.kind == "transaction"]
    assert [(one.order_id, one.amount, one.currency, one.articles) for one in orders] == [
        ("A-1001", 4990, "EUR", 3), ("A-1001", 4990, "EUR", 0),
    ]  # fmt: skip
