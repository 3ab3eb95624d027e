"""/reports/hot-clicks/message: the message with its heat, a harmless document for a sandboxed frame."""

from http import HTTPStatus
from typing import get_args

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from dashboards.catalogue import REPORTS
from dashboards.definition import Context
from dashboards.drawn import POLICY
from dashboards.heat import Mark
from dashboards.options import OfDeliveries
from dashboards.queries import ReportError, Unreachable
from dashboards.report_hot_clicks import Message, message
from dashboards.web.asking import question
from dashboards.web.site import Site
from dashboards.web.view import View
from sendtrail.contents import Part
from sendtrail.errors import BadName

#: Beside what the document says of itself: no scripts, no origin, shown by our own pages alone.
FRAME_POLICY = f"sandbox; {POLICY}; frame-ancestors 'self'"


class MessagePages:
    """Messages with their heat."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def drawn(self, request: Request) -> Response:
        """One part of the message, `html` or `text`."""
        view = self._site.view(request)
        part = request.query_params.get("part", "html")
        asked = question(REPORTS["hot-clicks"], request.query_params)
        if part not in get_args(Part) or not isinstance(asked.options, OfDeliveries):
            raise HTTPException(HTTPStatus.BAD_REQUEST)
        try:
            made = await run_in_threadpool(self.message, asked.options, view)
        except Unreachable as error:
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE) from error
        except (ReportError, BadName) as error:
            raise HTTPException(HTTPStatus.NOT_FOUND) from error
        if part not in made.parts:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        return HTMLResponse(made.parts[part].document, headers={"Content-Security-Policy": FRAME_POLICY})

    def message(self, asked: OfDeliveries, view: View) -> Message:
        """The message of the first delivery asked for. Raises BadName or ReportError."""
        formats = view.formats

        def say(mark: Mark) -> tuple[str, str]:
            share, hits = formats.value("rate", mark.share), formats.count(mark.hits)
            of_all = formats.text("{label}. Hits: {hits}, {share} of all")
            return f"{share} · {hits}", of_all.format(label=mark.label, hits=hits, share=share)

        with self._site.pool.queries() as queries:
            site, reader = self._site, view.reader
            scope = Context(
                queries, site.naming_key, site.persons, view.zone, reader.accounts, reader.role
            ).scope(asked)  # fmt: skip
            return message(scope, scope.deliveries[0], say)
