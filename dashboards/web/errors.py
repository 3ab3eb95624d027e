"""What a reader gets where a page can't be given."""

from http import HTTPStatus

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from dashboards.web.access.answers import Refusal, is_api, problem
from dashboards.web.site import Site
from dashboards.web.templating import page

_log = structlog.stdlib.get_logger("web")


class Errors:
    """Pages for people, problems (RFC 9457) for programs."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def http(self, request: Request, error: Exception) -> Response:
        """A refusal: not found, not allowed, a method that is not served."""
        assert isinstance(error, HTTPException)  # noqa: S101  # registered for nothing else
        return self._answer(request, error.status_code, str(error.detail or ""))

    def unexpected(self, request: Request, error: Exception) -> Response:
        """A defect of ours: logged whole, told without detail."""
        _log.error("a page failed", path=request.scope["path"], exc_info=error)
        return self._answer(request, HTTPStatus.INTERNAL_SERVER_ERROR, "")

    def _answer(self, request: Request, status: int, detail: str) -> Response:
        if is_api(request) or not hasattr(request.state, "reader"):
            return problem(Refusal(status, detail or HTTPStatus(status).phrase))
        return page("error.html", self._site.view(request), status, status=status)
