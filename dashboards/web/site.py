"""What every endpoint of the pages needs: connections, settings, and how a report is built for a reader."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from dashboards.definition import Context, Definition
from dashboards.options import Options
from dashboards.shape import Report
from dashboards.web.pool import Pool
from dashboards.web.view import View, view_of


@dataclass(frozen=True)
class Site:
    """The installation behind the pages.

    `persons`: visitor cookies are on. `default_zone`: of readers who chose none. `api_url`: of the feed API.
    `chromium`: prints PDF, None where there is none. `api_key`: for the feed API, "" where it asks for none.
    `restorable_days`: how long a deleted delivery can be had back.
    """

    pool: Pool
    naming_key: bytes | None
    persons: bool
    default_zone: str
    api_url: str
    chromium: Path | None = None
    restorable_days: float = 7.0
    api_key: str = field(default="", repr=False)

    def view(self, request: Request) -> View:
        """How the sender of a request looks at reports."""
        return view_of(request, self.default_zone)

    async def build(self, report: Definition[Any], asked: Options, view: View, part: str = "") -> Report:
        """The report, or a part of it, as this reader may see it.

        Raises BadName, or ReportError (Unreachable and NotAllowed among them).
        """
        return await run_in_threadpool(self.build_now, report, asked, view, part)

    def build_now(self, report: Definition[Any], asked: Options, view: View, part: str = "") -> Report:
        """The same in the calling thread."""
        with self.pool.queries() as queries:
            reader = view.reader
            context = Context(queries, self.naming_key, self.persons, view.zone, reader.accounts, reader.role, part)
            return report.answer(context, asked)
