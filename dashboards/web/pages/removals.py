"""What analysts take away: deliveries, which can be had back for a while, and what is stored about a recipient.

The pages only ask: tables `deletions` and `erasures` say who asked for what, and the loader carries it out.
"""

from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Any, TypeVar

from clickhouse_driver import Client
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from dashboards.choice import by_key, visible_to
from dashboards.queries import ReportError, Row, Unreachable
from dashboards.web.site import Site
from dashboards.web.templating import page
from dashboards.web.view import View
from sendtrail.events import MAX_KEY
from sendtrail.removal import deletions as deleting
from sendtrail.removal.deletions import Deletion, RemovalError
from sendtrail.removal.erasures import Erasure, ask, erasures
from sendtrail.removal.personal import as_json, as_zip, now, stored

DELETED = "/deliveries/deleted"
ERASURES = "/recipients/erasures"
_NOBODY = "pages, nobody logged in"
_MOST_SHOWN = 200
T = TypeVar("T")


class Removals:
    """What pages and API have in common: who may, and what is there. Raises HTTPException."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def view(self, request: Request) -> View:
        """The asker's view, if the role reaches."""
        view = self._site.view(request)
        if not view.reader.may("analyst"):
            raise HTTPException(HTTPStatus.FORBIDDEN)
        return view

    async def work(self, do: Callable[[Client], T]) -> T:
        """Something done with a connection, aside."""

        def with_client() -> T:
            with self._site.pool.client() as client:
                return do(client)

        try:
            return await run_in_threadpool(with_client)
        except Unreachable as error:
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, str(error)) from error
        except (ReportError, RemovalError) as error:
            raise HTTPException(HTTPStatus.NOT_FOUND, str(error)) from error

    def delete(self, client: Client, view: View, delivery: int) -> Deletion:
        """Hide a delivery that the reader sees. Raises ReportError, RemovalError."""
        self.seen(client, view, delivery)
        return deleting.delete(client, delivery, who(view), self._site.restorable_days)

    def seen(self, client: Client, view: View, delivery: int) -> str:
        """What people call a delivery that the reader sees. Raises ReportError."""
        found = by_key(self._site.pool.queries_on(client), delivery)
        if not found.seen_by(view.reader.accounts):
            raise ReportError(f"no delivery with key {delivery}")
        return found.title

    def restore(self, client: Client, view: View, delivery: int) -> Deletion:
        """Show a delivery again. Raises RemovalError."""
        if not [one for one in self.deleted(client, view) if one.delivery == delivery]:
            raise RemovalError(f"no deleted delivery with key {delivery}")
        return deleting.restore(client, delivery, who(view))

    def deleted(self, client: Client, view: View) -> list[Deletion]:
        """Deleted deliveries of the reader's accounts that are not purged."""
        accounts = view.reader.accounts
        return [
            one
            for one in deleting.deletions(client)
            if one.state == "deleted" and (accounts is None or (one.name and one.account in accounts))
        ]

    def recipient(self, client: Client, view: View, key: int) -> Row:
        """A recipient in deliveries that the reader sees, with how it is called. Raises ReportError."""
        queries = self._site.pool.queries_on(client, hidden=True)
        row = queries.rows("recipient_known", recipients=[key], **visible_to(view.reader.accounts))[0]
        if not (row["stored"] or row["messages"]):
            raise ReportError(f"no recipient with key {key}")
        return row

    def erase(self, client: Client, view: View, key: int) -> Erasure:
        """Ask that a recipient be erased. Raises ReportError."""
        row = self.recipient(client, view, key)
        return ask(client, key, "", str(row["name"]), who(view))

    def personal(self, client: Client, view: View, key: int, form: str) -> tuple[bytes, str]:
        """Everything stored about a recipient, and the kind of file. Raises ReportError."""
        row = self.recipient(client, view, key)
        tables = list(stored(client, key, str(row["name"])))
        if form == "json":
            return as_json(key, str(row["name"]), tables, now()), "application/json"
        return as_zip(key, str(row["name"]), tables, now()), "application/zip"


def who(view: View) -> str:
    """Who asks, as the tables keep it."""
    return view.reader.name or _NOBODY


class RemovalPages:
    """The pages: each question is a page of its own, so that nothing happens by one click or by a foreign site."""

    def __init__(self, site: Site) -> None:
        self._common = Removals(site)
        self._site = site

    async def confirm_delete(self, request: Request) -> Response:
        """Which deliveries are to be deleted, and what that means."""
        view = self._common.view(request)
        keys = _keys(request.query_params.getlist("delivery"))

        def look(client: Client) -> list[tuple[int, str]]:
            found = []
            for key in keys:
                with suppress(ReportError):  # one that was deleted meanwhile is not asked about
                    found.append((key, self._common.seen(client, view, key)))
            return found

        chosen = await self._common.work(look)
        return page("delete.html", view, chosen=chosen, days=self._site.restorable_days)

    async def delete(self, request: Request) -> Response:
        """Delete them, and show where they can be had back."""
        view = self._common.view(request)
        keys = _keys((await request.form()).getlist("delivery"))
        await self._common.work(lambda client: [self._common.delete(client, view, key) for key in keys])
        return RedirectResponse(DELETED, HTTPStatus.SEE_OTHER)

    async def deleted(self, request: Request) -> Response:
        """The deliveries that can be had back."""
        view = self._common.view(request)
        found = await self._common.work(lambda client: self._common.deleted(client, view))
        return page("deleted.html", view, deletions=found)

    async def restore(self, request: Request) -> Response:
        """Have one back."""
        view, key = self._common.view(request), _key(request)
        await self._common.work(lambda client: self._common.restore(client, view, key))
        return RedirectResponse(f"/reports/dashboard?delivery={key}", HTTPStatus.SEE_OTHER)

    async def confirm_erase(self, request: Request) -> Response:
        """Who is to be erased, and what that means."""
        view, key = self._common.view(request), _key(request)
        found = await self._common.work(lambda client: self._common.recipient(client, view, key))
        return page("erase.html", view, recipient=found["name"] or str(key), key=str(key), messages=found["messages"],
                    stored=found["stored"])  # fmt: skip

    async def erase(self, request: Request) -> Response:
        """Ask for it; only with the box ticked."""
        view, key = self._common.view(request), _key(request)
        if (await request.form()).get("sure") != "yes":
            return RedirectResponse(f"/recipients/{key}/erase", HTTPStatus.SEE_OTHER)
        await self._common.work(lambda client: self._common.erase(client, view, key))
        return RedirectResponse(ERASURES, HTTPStatus.SEE_OTHER)

    async def erasures(self, request: Request) -> Response:
        """What was asked for, by whom, and whether it is done; no names."""
        view = self._common.view(request)
        found = await self._common.work(erasures)
        waiting = any(one.done is None for one in found)
        return page("erasures.html", view, erasures=found[:_MOST_SHOWN], waiting=waiting)

    async def export(self, request: Request) -> Response:
        """Everything stored about a recipient, as a file."""
        view, key = self._common.view(request), _key(request)
        form = "json" if request.query_params.get("format") == "json" else "zip"
        content, kind = await self._common.work(lambda client: self._common.personal(client, view, key, form))
        headers = {"Content-Disposition": f'attachment; filename="recipient-{key}.{form}"'}
        return Response(content, headers=headers, media_type=kind)


class RemovalApi:
    """The same for programs; refusals are problems (RFC 9457)."""

    def __init__(self, site: Site) -> None:
        self._common = Removals(site)
        self.export = RemovalPages(site).export

    async def delete(self, request: Request) -> Response:
        """Hide a delivery; twice is as once."""
        view, key = self._common.view(request), _key(request)
        hidden = await self._common.work(
            lambda client: [one for one in self._common.deleted(client, view) if one.delivery == key]
        )
        return JSONResponse(_facts(hidden[0] if hidden else await self._common.work(
            lambda client: self._common.delete(client, view, key)
        )))  # fmt: skip

    async def restore(self, request: Request) -> Response:
        """Show it again."""
        view, key = self._common.view(request), _key(request)
        return JSONResponse(_facts(await self._common.work(lambda client: self._common.restore(client, view, key))))

    async def erase(self, request: Request) -> Response:
        """Ask that a recipient be erased; the loader does it within seconds."""
        view, key = self._common.view(request), _key(request)
        asked = await self._common.work(lambda client: self._common.erase(client, view, key))
        return JSONResponse({"erasure": str(asked.erasure_id), "asked": asked.asked.isoformat()}, HTTPStatus.ACCEPTED)


def _facts(one: Deletion) -> dict[str, Any]:
    until = one.purge_after.isoformat() if one.state == "deleted" else None
    return {"delivery": str(one.delivery), "state": one.state, "restorable_until": until}


def _keys(values: list[Any]) -> list[int]:
    """Keys of a form or an address. Raises HTTPException for what is none."""
    texts = [value for value in values if isinstance(value, str)]
    if not all(text.isascii() and text.isdecimal() and int(text) <= MAX_KEY for text in texts):
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return list(dict.fromkeys(map(int, texts)))


def _key(request: Request) -> int:
    """The key in a path. Raises HTTPException for what is none."""
    key: int = request.path_params["key"]
    if key > MAX_KEY:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return key
