"""POST /v1/instrument: a message in, one recipient's with tracked links out; its URLs -> the registry's spool."""

import binascii
import hashlib
import threading
from base64 import b64decode, b64encode
from collections import OrderedDict
from typing import Annotated, Any

import msgspec
import tomli_w
from msgspec import Meta
from msgspec.structs import replace
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from producers.api.access import account_of
from producers.api.answers import answer, refuse, spool_full
from producers.api.body import JSON, Body, Refusal, read_body
from producers.api.deliveries import json_of
from producers.api.events import Clock
from producers.api.items import ItemReader, readable
from producers.api.spool import ApiSpool
from sendtrail.contents import MAX_BYTES, PARTS, Content
from sendtrail.deliveries import DeliveryUrl
from sendtrail.errors import BadAttributes, BadLink, BadName, Invalid, KeysError, PolicyError
from sendtrail.instrument.attributes import checked_attributes
from sendtrail.instrument.mime import MessageTemplate, compile_message
from sendtrail.instrument.policy import Policy
from sendtrail.instrument.policy_file import policy_of
from sendtrail.instrument.providers import Provider
from sendtrail.instrument.template import Template, compile
from sendtrail.keyring import Keyring

_TEMPLATES = 64
_DELIVERIES = 10_000
_URLS_OF_A_DELIVERY = 1_000
_CONTENT_EVERY_MS = 60_000


class Ask(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What a request asks for. `mime`: a whole message in base64, in place of `html` and `text`."""

    delivery: Any = None
    message: Any = None
    recipient: Any = None
    html: str | None = None
    text: str | None = None
    mime: str | None = None
    policy: dict[str, Any] = {}
    values: dict[str, Any] = {}
    attributes: dict[str, str] = {}
    consent: bool = True
    seed: bool = False
    proof: bool = False
    headers_for: Provider | None = None
    register: bool = True
    domain: Annotated[str, Meta(max_length=256)] = ""
    time: Any = None


class InstrumentApi:
    """The endpoint. Compiled templates are kept for the next recipient. `clock` gives UTC milliseconds."""

    def __init__(self, spool: ApiSpool, keyring: Keyring, base_url: str, max_body_bytes: int, clock: Clock) -> None:
        self._spool = spool
        self._keyring = keyring
        self._base_url = base_url
        self._max_body_bytes = max_body_bytes
        self._clock = clock
        self._lock = threading.Lock()
        self._templates: OrderedDict[bytes, Template | MessageTemplate] = OrderedDict()
        self._registered: OrderedDict[int, _Registered] = OrderedDict()

    async def instrument(self, request: Request) -> Response:
        """Instrument a message for one recipient."""
        body = await read_body(request, (JSON,), self._max_body_bytes)
        if isinstance(body, Refusal):
            return refuse(body)
        return await run_in_threadpool(self._answer, account_of(request), body)

    def _answer(self, account: str, body: Body) -> Response:
        ask = _read(body.data)
        if isinstance(ask, Refusal):
            return refuse(ask)
        try:
            checked_attributes(ask.attributes)
            compiled = self._compiled(account, ask)
            content = _rendered(compiled, ask)
            template = compiled if isinstance(compiled, Template) else compiled.template
            kept = template is None or self._keep(account, template, ask)
        except BadName as error:
            return refuse(Refusal(400, "bad_name", str(error)))
        except (PolicyError, BadAttributes, binascii.Error) as error:
            return refuse(Refusal(400, "bad_field", str(error), _field_of(error)))
        except (KeysError, BadLink) as error:
            return refuse(Refusal(503, "not_configured", str(error)))
        if isinstance(kept, Invalid):
            return refuse(Refusal(400, "bad_field", kept.detail, "time"))
        return answer(content) if kept else spool_full()

    def _compiled(self, account: str, ask: Ask) -> Template | MessageTemplate:
        """Raises BadName, PolicyError, binascii.Error, KeysError, BadLink."""
        identity = msgspec.json.encode([account, ask.delivery, ask.html, ask.text, ask.mime, ask.policy])
        digest = hashlib.blake2b(identity, digest_size=16).digest()
        with self._lock:
            known = self._templates.get(digest)
        if known is not None:
            return known
        how: dict[str, Any] = {
            "delivery": ask.delivery, "account": account, "keyring": self._keyring, "base_url": self._base_url,
            "policy": _policy(ask.policy),
        }  # fmt: skip
        made: Template | MessageTemplate
        if ask.mime is not None:
            made = compile_message(b64decode(ask.mime, validate=True), **how)
        else:
            made = compile(html=ask.html, text=ask.text, **how)
        with self._lock:
            self._templates[digest] = made
            while len(self._templates) > _TEMPLATES:
                self._templates.popitem(last=False)
        return made

    def _keep(self, account: str, template: Template, ask: Ask) -> bool | Invalid:
        """Register what is new of the template, and feed the `prepared` item of a request that says its time.

        False where the spool can't be written. Raises BadName, BadAttributes.
        """
        now_ms = self._clock()
        if ask.time is not None:
            item = template.prepared(
                ask.message, ask.time, ask.recipient, domain=ask.domain, seed=ask.seed, proof=ask.proof,
                attributes=ask.attributes,
            )  # fmt: skip
            event = ItemReader(self._keyring.naming_key, account).read(msgspec.json.encode(item), now_ms)
            if isinstance(event, Invalid):
                return event
            if not self._spool.add_events([event]):
                return False
        return not ask.register or self._register(template, now_ms)

    def _register(self, template: Template, now_ms: int) -> bool:
        with self._lock:
            known = self._registered.setdefault(template.delivery_key, _Registered())
            self._registered.move_to_end(template.delivery_key)
            while len(self._registered) > _DELIVERIES:
                self._registered.popitem(last=False)
            new = known.new_urls(template.urls)
        if new and not self._spool.add_entries([replace(entry, updated_ms=now_ms) for entry in new]):
            return False
        parts = template.contents()
        digest = hashlib.blake2b(msgspec.json.encode(parts), digest_size=16).digest()
        if digest != known.content and now_ms - known.content_ms >= _CONTENT_EVERY_MS:
            contents = [
                Content(delivery=template.delivery_key, part=part, content=parts[part], updated_ms=now_ms)
                for part in PARTS
                if part in parts and len(parts[part].encode()) <= MAX_BYTES
            ]
            if contents and not self._spool.add_contents(contents):
                return False
            known.content, known.content_ms = digest, now_ms
        known.urls.update((entry.url_id, entry.mode) for entry in new)
        return True


class _Registered:
    """What this process has registered of a delivery."""

    def __init__(self) -> None:
        self.urls: set[tuple[int, str]] = set()
        self.content = b""
        self.content_ms = -_CONTENT_EVERY_MS

    def new_urls(self, urls: list[DeliveryUrl]) -> list[DeliveryUrl]:
        room = _URLS_OF_A_DELIVERY - len(self.urls)
        return [entry for entry in urls if (entry.url_id, entry.mode) not in self.urls][: max(0, room)]


def _read(data: bytes) -> Ask | Refusal:
    content = json_of(data)
    if isinstance(content, Refusal):
        return content
    try:
        ask = msgspec.convert(content, type=Ask)
    except msgspec.ValidationError as error:
        return Refusal(400, "bad_field", readable(error))
    if ask.delivery is None or ask.message is None:
        name = "delivery" if ask.delivery is None else "message"
        return Refusal(400, "bad_name", f"{name} is missing", name)
    if (ask.mime is None) == (ask.html is None and ask.text is None):
        return Refusal(400, "bad_field", "give html, text or both, or mime", "html")
    return ask


def _policy(table: dict[str, Any]) -> Policy:
    """The policy of a JSON object, with the keys of a policy file. Raises PolicyError."""
    try:
        return policy_of(tomli_w.dumps(table))
    except (TypeError, ValueError) as error:
        raise PolicyError(f"policy: {error}") from error


def _rendered(compiled: Template | MessageTemplate, ask: Ask) -> dict[str, Any]:
    """The answer. Raises BadName."""
    how: dict[str, Any] = {"values": ask.values, "consent": ask.consent, "seed": ask.seed, "proof": ask.proof}
    found: dict[str, Any] = {}
    if isinstance(compiled, MessageTemplate):
        mail = compiled.render(ask.message, ask.recipient, provider=ask.headers_for, **how)
        found["mime"] = b64encode(mail.data).decode()
        headers, warnings, template = mail.headers, mail.warnings, compiled.template
    else:
        rendered = compiled.render(ask.message, ask.recipient, **how)
        found |= {name: part for name, part in (("html", rendered.html), ("text", rendered.text)) if part is not None}
        headers, warnings, template = rendered.headers, rendered.warnings, compiled
        if ask.headers_for is not None:
            named = {"seed": ask.seed, "proof": ask.proof}
            headers += compiled.headers_for(ask.headers_for, ask.message, ask.recipient, **named).headers
    found["headers"] = [{"name": name, "value": value} for name, value in headers]
    found["warnings"] = [notice._asdict() for notice in warnings]
    found["urls"] = template.url_fields() if template is not None else []
    return found


def _field_of(error: Exception) -> str:
    if isinstance(error, PolicyError):
        return "policy"
    return "attributes" if isinstance(error, BadAttributes) else "mime"
