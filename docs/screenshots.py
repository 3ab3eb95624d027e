"""Pictures of the report pages: `make screenshots`. A stack of its own on free ports, gone afterwards.

Those that README and docs show go to docs/img, one of every report for looking at to docs/img/all (not in git).
`python docs/screenshots.py ADDRESS` takes them of pages that are running already.
"""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import httpx
from past_days import send_past_days
from playwright.sync_api import Browser, sync_playwright

from dashboards.catalogue import REPORTS
from dashboards.export.pdf import chromium
from dashboards.web.asking import MENU, THESE
from sendtrail.cli.up import build
from sendtrail.settings import load

IMG = Path(__file__).parent / "img"
ALL = IMG / "all"
READERS = 1_500
WIDE, PHONE = 1440, 390


@dataclass(frozen=True)
class Picture:
    """One picture; `path` with {newest}, {older} and {reader} filled in. `height`: at most so much of the page."""

    name: str
    path: str
    width: int = WIDE
    height: int = 900
    theme: Literal["light", "dark"] = "light"
    top: str = ""  # of which element the picture begins


#: What README and docs show.
KEPT = (
    Picture("deliveries", "/reports/deliveries", height=640),
    Picture("deliveries-dark", "/reports/deliveries", height=640, theme="dark"),
    Picture("dashboard", "/reports/dashboard?delivery={older}", height=1150),
    Picture("dashboard-phone", "/reports/dashboard?delivery={older}", PHONE, 844),
    Picture("hot-clicks", "/reports/hot-clicks?delivery={older}", height=860),
    Picture("hot-clicks-phone", "/reports/hot-clicks?delivery={older}", PHONE, 844, top="#part-message"),
    Picture("statistics", "/reports/statistics?delivery={older}", height=760),
    Picture("activity", "/reports/activity?delivery={older}&delivery={oldest}", height=860),
    Picture("machines", "/reports/machines?delivery={older}", height=860),
    Picture("compare", "/reports/compare?delivery={older}&delivery={oldest}", height=900),
    Picture("recipient", "/reports/recipient?recipient={reader}", height=860),
)


def every_report() -> Iterator[Picture]:
    """Each report at both widths; the tabs of the dashboard; three of them in the dark."""
    for name in REPORTS:
        query = "?delivery={older}" if name in MENU[THESE] else "?recipient={reader}" if name == "recipient" else ""
        for width, suffix in ((WIDE, ""), (PHONE, "-phone")):
            yield Picture(f"{name}{suffix}", f"/reports/{name}{query}", width, 3_000)
        if name in ("deliveries", "dashboard", "hot-clicks"):
            yield Picture(f"{name}-dark", f"/reports/{name}{query}", WIDE, 3_000, "dark")
    for part in ("messages", "logs", "urls"):
        for width, suffix in ((WIDE, ""), (PHONE, "-phone")):
            path = f"/reports/dashboard?delivery={{older}}&part={part}"
            yield Picture(f"dashboard-{part}{suffix}", path, width, 1_500)


def main() -> int:
    """Take them all."""
    with _given(sys.argv[1]) if sys.argv[1:] else _own_stack() as address, sync_playwright() as playwright:
        names = _names(address)
        browser = playwright.chromium.launch(executable_path=chromium(None), args=["--no-sandbox"])
        for folder, pictures in ((IMG, KEPT), (ALL, every_report())):
            folder.mkdir(parents=True, exist_ok=True)
            for picture in pictures:
                _take(browser, address, picture, names, folder / f"{picture.name}.png")
        browser.close()
    size = sum(file.stat().st_size for file in IMG.glob("*.png"))
    print(f"{len(KEPT)} pictures in {IMG}, {size / 1e6:.1f} MB; the others in {ALL}")
    return 0


@contextmanager
def _given(address: str) -> Iterator[str]:
    yield address.rstrip("/")


@contextmanager
def _own_stack() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix=".sendtrail-pictures-", dir=".") as folder:
        config = load().with_tables({"reports": {"timezone": "Europe/Madrid"}})
        stack = build(Path(folder), True, print, config)
        try:
            stack.start()
            send_past_days(stack, config, READERS)
            yield f"http://127.0.0.1:{stack.ports.web}"
        finally:
            stack.stop()


def _names(address: str) -> dict[str, str]:
    """Deliveries and a reader worth showing: who clicked most often in the last but one."""

    def ask(path: str) -> dict[str, list[dict[str, str]]]:
        answer = httpx.get(address + path, timeout=60).raise_for_status()
        found: dict[str, list[dict[str, str]]] = answer.json()["parts"]
        return found

    listed = [quote(row["name"]) for row in ask("/v1/reports/deliveries")["deliveries"]]
    newest, older, oldest = listed[0], listed[len(listed) // 2], listed[-1]
    clickers = ask(f"/v1/reports/who?delivery={older}&which=clicked&sort=clicks&limit=1")
    return {"newest": newest, "older": older, "oldest": oldest, "reader": next(iter(clickers.values()))[0]["recipient"]}


def _take(browser: Browser, address: str, picture: Picture, names: dict[str, str], file: Path) -> None:
    viewport = {"width": picture.width, "height": 900 if picture.width == WIDE else 844}
    context = browser.new_context(viewport=viewport, color_scheme=picture.theme, locale="en-GB")  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(address + picture.path.format(**names), timeout=120_000)
    page.wait_for_timeout(900)  # charts, frames, and the first live counters
    height = page.evaluate("document.documentElement.scrollHeight")
    begin = page.locator(picture.top).bounding_box() if picture.top else None
    y = max(0.0, begin["y"] - 8) if begin else 0.0
    clip = {"x": 0, "y": y, "width": picture.width, "height": min(height - y, picture.height)}
    page.screenshot(path=file, full_page=True, clip=clip)  # type: ignore[arg-type]
    context.close()


if __name__ == "__main__":
    sys.exit(main())
