"""GET /v1/reports/{name}: the reports for programs, as JSON, CSV or NDJSON. The same text as the command's."""

import threading
from http import HTTPStatus
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from dashboards.catalogue import REPORTS
from dashboards.export.forms import FORMS, OF_A_PART, give
from dashboards.queries import ReportError, Unreachable
from dashboards.shape import Report
from dashboards.web.access.answers import Refusal, problem
from dashboards.web.asking import FORMAT, question
from dashboards.web.openapi import describe
from dashboards.web.site import Site
from dashboards.web.view import View
from sendtrail.errors import BadName

#: Chromium takes a few hundred MB: so many at once, the others wait.
_MOST_PRINTED = 2


class ReportApi:
    """The endpoints for programs."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._printers = threading.Semaphore(_MOST_PRINTED)

    async def names(self, request: Request) -> Response:
        """Which reports there are."""
        return JSONResponse({"reports": [_about(name) for name in REPORTS]})

    async def openapi(self, request: Request) -> Response:
        """The machine-readable description."""
        return JSONResponse(describe())

    async def report(self, request: Request) -> Response:
        """One report. Refusals are problems (RFC 9457)."""
        name = request.path_params["name"]
        if name not in REPORTS:
            return problem(Refusal(404, f"there is no report {name!r}; there are {', '.join(REPORTS)}"))
        view = self._site.view(request)
        asked = question(REPORTS[name], request.query_params)
        form = request.query_params.get(FORMAT, "json")
        if not asked.report.allows(view.reader.role, asked.part):
            return problem(Refusal(403, f"report {name} shows recipients here: it takes the role analyst"))
        if form not in FORMS:
            return problem(Refusal(400, f"format: there are {', '.join(FORMS)}"))
        if asked.options is None:
            return problem(Refusal(400, str(asked.bad)))
        try:
            built = await self._site.build(asked.report, asked.options, view, asked.part)
            text = await run_in_threadpool(self._give, _only(built, asked.part), form, view)
            return Response(text, headers=_headers(built, form, asked.part), media_type=FORMS[form])
        except Unreachable as error:
            return problem(Refusal(HTTPStatus.SERVICE_UNAVAILABLE, str(error), {"Retry-After": "5"}))
        except (ReportError, BadName) as error:
            return problem(Refusal(404, str(error)))

    def _give(self, built: Report, form: str, view: View) -> bytes:
        if form != "pdf":
            return give(built, form, view.formats)
        with self._printers:
            return give(built, form, view.formats, self._site.chromium)


def _headers(built: Report, form: str, part: str) -> dict[str, str]:
    """A file's name for what is to be kept."""
    if form == "json":
        return {}
    name = f"{built.name}-{part or built.parts[0].key}" if form in OF_A_PART else built.name
    return {"Content-Disposition": f'attachment; filename="{name}.{form}"'}


def _only(built: Report, part: str) -> Report:
    """The report with one part. Raises ReportError naming those there are."""
    try:
        return built.only(part) if part else built
    except KeyError as error:
        raise ReportError(error.args[0]) from error


def _about(name: str) -> dict[str, Any]:
    report = REPORTS[name]
    return {"name": name, "title": report.title, "answers": report.answers, "role": report.role,
            "parts": list(report.parts)}  # fmt: skip
