"""POST /deliveries/{key}/urls/{id}: mode, label and category of a link, edited after sending, through the feed API."""

from http import HTTPStatus
from typing import Any, get_args
from urllib.parse import quote

import httpx
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from dashboards.choice import Delivery, by_key
from dashboards.queries import ReportError, Unreachable
from dashboards.shape import Note
from dashboards.web.asking import page_of
from dashboards.web.site import Site
from dashboards.web.templating import page
from dashboards.web.view import View
from sendtrail.deliveries import UrlMode
from sendtrail.naming import HASHED

MODES: tuple[str, ...] = get_args(UrlMode)
_TIMEOUT_S = 10.0
_AWAY = Note("The feed API does not answer: try again.")
_NO_NAME = Note("This delivery is known by its key alone: its links can be edited once it is registered.")
_OTHER_ACCOUNT = Note("Links of other accounts than the default one are edited by their sender.")
_NO_KEY = Note("The feed API takes edits with an API key only: an operator sets web.api_key_file.")


class UrlPages:
    """Edits of links. The API is their only writer: the entry goes through its spool like the sender's own."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def edit(self, request: Request) -> Response:
        """Write one link anew; its row with what is stored now, or the reason why not."""
        view = self._site.view(request)
        if not view.reader.may("analyst"):
            raise HTTPException(HTTPStatus.FORBIDDEN)
        try:
            key, url_id = int(request.path_params["key"]), int(request.path_params["id"])
            delivery, link = await run_in_threadpool(self._find, view, key, url_id)
        except Unreachable as error:
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE) from error
        except (ReportError, ValueError, LookupError) as error:
            raise HTTPException(HTTPStatus.NOT_FOUND) from error
        form = await request.form()
        link |= {name: str(form.get(name, link[name])).strip()[:256] for name in ("label", "category", "mode")}
        problem = await self._put(delivery, link, view)
        if request.headers.get("hx-request") != "true" and not problem:
            return RedirectResponse(f"{page_of('dashboard')}?delivery={key}&part=urls", HTTPStatus.SEE_OTHER)
        status = HTTPStatus.OK if not problem else HTTPStatus.UNPROCESSABLE_ENTITY
        return page("url_row.html", view, status, link=link, modes=MODES, saved=not problem, problem=problem)

    def _find(self, view: View, key: int, url_id: int) -> tuple[Delivery, dict[str, Any]]:
        """The delivery and the link as stored. Raises LookupError where this reader has none such."""
        with self._site.pool.queries() as queries:
            delivery = by_key(queries, key)
            if not delivery.seen_by(view.reader.accounts):
                raise LookupError(key)
            rows = queries.rows("template_links", deliveries=[key], people=1)
        row = next(row for row in [*rows, {}] if not row or (row["url_id"] == url_id and row["registered"]))
        if not row:
            raise LookupError(url_id)
        names = ("url", "label", "category", "mode", "clicks", "hits")
        return delivery, {name: row[name] for name in names} | {"delivery_key": str(key), "url_id": str(url_id)}

    async def _put(self, delivery: Delivery, link: dict[str, Any], view: View) -> str:
        """Why the API did not take it; empty where it did."""
        name = quote(delivery.name or str(delivery.delivery), safe="")
        entry = {key: link[key] for key in ("url", "label", "category", "mode")} | {"url_id": int(link["url_id"])}
        key = self._site.api_key
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        base = f"{self._site.api_url}/v1"
        try:
            async with httpx.AsyncClient(timeout=_TIMEOUT_S, trust_env=False, headers=headers) as api:
                account = await _account(api, base) if key else ""
                if refused := _not_by_the_api(delivery, account):
                    return view.formats.text(refused)
                answer = await api.put(f"{base}/deliveries/{name}/urls", json=[entry])
        except httpx.HTTPStatusError as error:
            answer = error.response
        except (httpx.HTTPError, ValueError):
            return view.formats.text(_AWAY)
        if answer.status_code == HTTPStatus.UNAUTHORIZED:
            return view.formats.text(_NO_KEY)
        return "" if answer.is_success else _said(answer)


async def _account(api: httpx.AsyncClient, base: str) -> str:
    """The account of the pages' key: the API writes to no other. Raises httpx.HTTPError, ValueError."""
    answer = await api.get(f"{base}/account")
    return str(answer.raise_for_status().json()["account"])


def _not_by_the_api(delivery: Delivery, account: str) -> Note | None:
    """Why the API would write to another delivery: it knows one account alone, and makes keys of names."""
    if delivery.account != account:
        return _OTHER_ACCOUNT
    return _NO_NAME if not delivery.name and delivery.delivery >= HASHED else None


def _said(answer: httpx.Response) -> str:
    try:
        return str(answer.json().get("detail", answer.status_code))
    except ValueError:
        return str(answer.status_code)


def rows_of(part: Any) -> list[dict[str, Any]]:
    """The rows of the dashboard's part `urls`, by column."""
    keys = [column.key for column in part.columns]
    return [dict(zip(keys, row, strict=True)) for row in part.rows]
