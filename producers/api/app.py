"""The feed API: what senders tell -> spool. Wiring only."""

from collections.abc import Mapping
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from producers.api import deliveries, webhooks
from producers.api.access import Access, Gate, account_of
from producers.api.answers import CountRequests, answer, on_error, on_http_exception
from producers.api.body import JSON, ReadOn
from producers.api.consent import ConsentApi
from producers.api.deliveries import DeliveriesApi
from producers.api.events import Clock, EventsApi, now_ms
from producers.api.instrument import InstrumentApi
from producers.api.providers.webhook import Webhook
from producers.api.removals import RemovalsApi
from producers.api.spool import ApiSpool
from producers.api.suppressions import SuppressionsApi
from producers.api.webhooks import WebhooksApi
from producers.mta import told
from sendtrail.deliveries import OWN_HITS
from sendtrail.keyring import Keyring
from sendtrail.settings import ClickHouseSettings

_HERE = Path(__file__).parent


def make_app(
    spool: ApiSpool,
    max_body_bytes: int,
    access: Access,
    hooks: Mapping[str, Webhook],
    clickhouse: ClickHouseSettings,
    keyring: Keyring,
    base_url: str,
    clock: Clock = now_ms,
    restorable_days: float = 7.0,
) -> Starlette:
    """The ASGI application."""
    common = (spool, keyring.naming_key, max_body_bytes, clock)
    registered = DeliveriesApi(*common, sources=(OWN_HITS, *hooks))
    hooked = WebhooksApi(*common, hooks)
    instrumented = InstrumentApi(spool, keyring, base_url, max_body_bytes, clock)
    removals = RemovalsApi(clickhouse, keyring.naming_key, restorable_days)
    return Starlette(
        routes=[
            Route("/v1/events", EventsApi(*common).events, methods=["POST"]),
            Route(deliveries.PATH + "{rest:path}", registered.deliveries, methods=["PUT"]),
            Route(deliveries.PATH + "{rest:path}", removals.delete_delivery, methods=["DELETE"]),
            Route(deliveries.PATH + "{rest:path}/restore", removals.restore_delivery, methods=["POST"]),
            Route(webhooks.PATH + "{name}", hooked.webhooks, methods=["POST"]),
            Route(webhooks.PATH + "{name}/{secret}", hooked.webhooks, methods=["POST"]),
            Route(told.PATH + "{source}", hooked.mta, methods=["POST"]),
            Route("/v1/instrument", instrumented.instrument, methods=["POST"]),
            Route("/v1/consent", ConsentApi(*common).consent, methods=["POST"]),
            Route("/v1/suppressions", SuppressionsApi(clickhouse).suppressions),
            Route("/v1/account", account),
            Route("/openapi.json", openapi),
            Route("/docs", docs),
        ],
        middleware=[
            Middleware(CountRequests),
            Middleware(ReadOn, most_bytes=4 * max_body_bytes),
            Middleware(Gate, access=access),
        ],
        exception_handlers={HTTPException: on_http_exception, Exception: on_error},
    )


async def account(request: Request) -> Response:
    """Which account a key is for: the way to try a key."""
    return answer({"account": account_of(request)})


async def openapi(request: Request) -> Response:
    """The machine-readable description."""
    return Response((_HERE / "openapi.json").read_bytes(), media_type=JSON)


async def docs(request: Request) -> Response:
    """A page for people."""
    return HTMLResponse((_HERE / "docs.html").read_text())
