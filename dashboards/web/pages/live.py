"""/live/dashboard: a delivery's counters as server-sent events, seconds old, for as long as its page is open."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from dashboards.catalogue import REPORTS
from dashboards.queries import ReportError, Unreachable
from dashboards.shape import Report
from dashboards.web.asking import Question, question
from dashboards.web.shown import parts
from dashboards.web.site import Site
from dashboards.web.templating import render
from dashboards.web.view import View
from sendtrail.errors import BadName

EVERY_S = 2.0
#: The browser comes back by itself, and who it is is looked at again.
LONGEST_S = 600.0
MOST_STREAMS = 200
PART = "summary"
#: A comment (WHATWG HTML, 9.2): nothing to show, but the connection lives.
_STILL_HERE = ": nothing new\n\n"


@dataclass
class _Counted:
    """The newest counters of a question, for all who look at it."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    at: float = 0.0
    report: Report | None = None
    readers: int = 0


class Live:
    """Streams of counters. Those who look at the same deliveries share one calculation."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._counted: dict[object, _Counted] = {}

    async def dashboard(self, request: Request) -> Response:
        """The stream; 204 where there is nothing to follow, so that the browser stops asking."""
        view, asked = self._site.view(request), question(REPORTS["dashboard"], request.query_params)
        if asked.options is None:
            return Response(status_code=HTTPStatus.NO_CONTENT)
        if sum(each.readers for each in self._counted.values()) >= MOST_STREAMS:
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(self._events(asked, view), media_type="text/event-stream", headers=headers)

    async def _events(self, asked: Question, view: View) -> AsyncIterator[str]:
        key = (asked.address(), view.reader.accounts)
        counted = self._counted.setdefault(key, _Counted())
        counted.readers += 1
        until = time.monotonic() + LONGEST_S
        try:
            while time.monotonic() < until:
                fragment = await self._fragment(counted, asked, view)
                yield _event(fragment) if fragment else _STILL_HERE
                await asyncio.sleep(EVERY_S)
        finally:
            counted.readers -= 1
            if not counted.readers:
                self._counted.pop(key, None)

    async def _fragment(self, counted: _Counted, asked: Question, view: View) -> str:
        """The counters as HTML; empty where they can't be calculated at this moment: what is shown may stay."""
        try:
            report = await self._report(counted, asked, view)
        except Unreachable:
            return render("live.html", view, report=counted.report, parts=[], away=True)
        except (ReportError, BadName):
            return ""
        return render("live.html", view, report=report, parts=parts(report, view.formats), away=False)

    async def _report(self, counted: _Counted, asked: Question, view: View) -> Report:
        async with counted.lock:
            if counted.report is None or time.monotonic() - counted.at > EVERY_S / 2:
                assert asked.options is not None  # noqa: S101  # checked before the stream began
                counted.report = await self._site.build(asked.report, asked.options, view, PART)
                counted.at = time.monotonic()
            return counted.report


def _event(html: str) -> str:
    """One event (WHATWG HTML, 9.2): every line of its data begins with `data:`."""
    return "".join(f"data: {line}\n" for line in html.splitlines() or [""]) + "\n"
