"""ClickHouse -> report pages and report API. Wiring only."""

from importlib.resources import files
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from dashboards.web.access import access, routes
from dashboards.web.api import ReportApi
from dashboards.web.errors import Errors
from dashboards.web.pages.choices import choose
from dashboards.web.pages.live import Live
from dashboards.web.pages.message import MessagePages
from dashboards.web.pages.removals import DELETED, ERASURES, RemovalApi, RemovalPages
from dashboards.web.pages.report import ReportPages
from dashboards.web.pages.urls import UrlPages
from dashboards.web.site import Site
from dashboards.web.templating import page
from sendtrail.settings import WebSettings


def make_app(site: Site, settings: WebSettings) -> Starlette:
    """The ASGI application. Raises SettingsError where the settings would let strangers in."""
    pages, api, errors = ReportPages(site), ReportApi(site), Errors(site)
    live, messages, urls = Live(site), MessagePages(site), UrlPages(site)
    removals, removal_api = RemovalPages(site), RemovalApi(site)

    def show(request: Request, template_name: str, context: dict[str, object], status_code: int = 200) -> Response:
        return page(template_name, site.view(request), status_code, **context)

    return Starlette(
        routes=[
            Route("/", pages.front),
            Route("/reports/hot-clicks/message", messages.drawn),
            Route("/live/dashboard", live.dashboard),
            Route("/deliveries/{key:int}/urls/{id:int}", urls.edit, methods=["POST"]),
            Route("/deliveries/delete", removals.confirm_delete),
            Route("/deliveries/delete", removals.delete, methods=["POST"]),
            Route(DELETED, removals.deleted),
            Route("/deliveries/{key:int}/restore", removals.restore, methods=["POST"]),
            Route(ERASURES, removals.erasures),
            Route("/recipients/{key:int}/erase", removals.confirm_erase),
            Route("/recipients/{key:int}/erase", removals.erase, methods=["POST"]),
            Route("/recipients/{key:int}/export", removals.export),
            Route("/reports/{name}", pages.report, name="report"),
            Route("/view", choose, methods=["POST"]),
            Route("/v1/reports", api.names),
            Route("/v1/reports/{name}", api.report),
            Route("/v1/deliveries/{key:int}", removal_api.delete, methods=["DELETE"]),
            Route("/v1/deliveries/{key:int}/restore", removal_api.restore, methods=["POST"]),
            Route("/v1/recipients/{key:int}/export", removal_api.export),
            Route("/v1/recipients/{key:int}/erase", removal_api.erase, methods=["POST"]),
            Route("/openapi.json", api.openapi),
            *routes(show),
            Mount("/static", _Kept(directory=Path(str(files("dashboards") / "web" / "static")))),
        ],
        middleware=access(settings),
        exception_handlers={HTTPException: errors.http, Exception: errors.unexpected},
    )


class _Kept(StaticFiles):
    """Static files that browsers keep: their addresses change with their content."""

    def file_response(self, *arguments: object, **options: object) -> Response:
        response = super().file_response(*arguments, **options)  # type: ignore[arg-type]
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response
