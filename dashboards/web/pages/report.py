"""/reports/{name}: every report as a page, with its form, charts, tables and exports."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from dashboards.catalogue import REPORTS
from dashboards.options import OfDeliveries
from dashboards.queries import ReportError, Unreachable
from dashboards.shape import Note, Report
from dashboards.web.asking import Question, page_of, question
from dashboards.web.pages.message import MessagePages
from dashboards.web.pages.urls import MODES, rows_of
from dashboards.web.paging import pager, sorts
from dashboards.web.shown import Shown, notes_of, parts
from dashboards.web.site import Site
from dashboards.web.templating import page
from dashboards.web.view import View
from sendtrail.errors import BadName

#: Rows of a table on a page; the rest is in its exports.
MAX_ROWS = 500
#: Reports whose page is more than parts one below the other.
_OWN_TEMPLATES = {
    "deliveries": "deliveries.html",
    "dashboard": "dashboard.html",
    "hot-clicks": "hot-clicks.html",
    "recipient": "recipient.html",
}
_ORDERS = {"dashboard": ("summary", "problems", "funnel", "throughput", "urls", "header")}


class ReportPages:
    """The pages of reports."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._messages = MessagePages(site)

    async def front(self, request: Request) -> Response:
        """The first page: the deliveries."""
        return RedirectResponse(page_of("deliveries"))

    async def report(self, request: Request) -> Response:
        """A report's page, also where it can't be given: then it says why, and how to go on."""
        name = request.path_params["name"]
        if name not in REPORTS:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        view = self._site.view(request)
        asked = question(REPORTS[name], request.query_params)
        if not asked.report.allows(view.reader.role, asked.part):
            raise HTTPException(HTTPStatus.FORBIDDEN)
        if asked.options is None:
            return self._unanswered(asked, view)
        try:
            built = await self._site.build(asked.report, asked.options, view, asked.part)
        except Unreachable:
            return page("away.html", view, HTTPStatus.SERVICE_UNAVAILABLE, question=asked)
        except (ReportError, BadName) as error:
            return page("refused.html", view, HTTPStatus.NOT_FOUND, question=asked, why=_said(error, view))
        values = content(asked, built, view) | await self._more(asked, built, view)
        prints = self._site.chromium is not None
        return page(_OWN_TEMPLATES.get(name, "report.html"), view, site_prints=prints, **values)

    async def _more(self, asked: Question, built: Report, view: View) -> dict[str, Any]:
        """What the pages of their own print beside the parts."""
        if asked.report.name == "deliveries":
            rows = rows_of(built.part("deliveries"))
            return {"tags": {row["key"]: row["tags"] for row in rows}}
        if asked.report.name == "dashboard":
            shown = asked.part == "urls" and view.reader.may("analyst")
            links = rows_of(built.part("urls")) if shown else []
            return {
                "editable": shown,
                "links": links,
                "modes": MODES,
                "saved": False,
                "problem": "",
            }
        if asked.report.name == "hot-clicks" and isinstance(asked.options, OfDeliveries):
            drawn = await run_in_threadpool(self._messages.message, asked.options, view)
            return {"message": drawn}
        return {}

    def _unanswered(self, asked: Question, view: View) -> Response:
        """A form to fill in where something is missing, with the reason where something is wrong."""
        missing = asked.bad is not None and asked.bad.option not in asked.given
        status = HTTPStatus.OK if missing else HTTPStatus.BAD_REQUEST
        return page("asking.html", view, status, question=asked, why="" if missing else str(asked.bad))


def _said(error: Exception, view: View) -> str:
    """Why a report can't be given, in the reader's language where the words are ours."""
    why = error.args[0] if error.args else ""
    return view.formats.text(why) if isinstance(why, Note) else str(error)


def _in_order(name: str, shown: list[Shown]) -> list[Shown]:
    """What is looked at first stands first on the page."""
    order = _ORDERS.get(name, ())
    return sorted(shown, key=lambda part: order.index(part.key) if part.key in order else 0)


def content(asked: Question, built: Report, view: View) -> dict[str, Any]:
    """What the template of a report prints."""

    def leads(report: str, options: Mapping[str, str]) -> str:
        return asked.neighbour(report, **options) if REPORTS[report].allows(view.reader.role) else ""

    return {
        "question": asked,
        "report": built,
        "parts": _in_order(built.name, parts(built, view.formats, asked.columns, MAX_ROWS, leads)),
        "pager": pager(asked, built),
        "sorts": sorts(asked),
        "notes": notes_of(built, view.formats),
    }
