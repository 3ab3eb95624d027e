"""What the commands beside a mail server tell the API: POST /v1/mta/{source}, a JSON array of these."""

from collections.abc import Iterable, Iterator
from typing import Annotated

import msgspec
from msgspec import Meta

from sendtrail.events import BounceReason, FeedKind, RejectReason, Short
from sendtrail.feed import Feed

#: Sources: part of every event's id.
BOUNCES, POSTFIX, KUMOMTA = "bounces", "postfix", "kumomta"
PATH = "/v1/mta/"

_REQUEST_BYTES = 2 * 1024 * 1024  # of items; the API takes several times as many


class Told(msgspec.Struct, omit_defaults=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that happened to a message, or with `refused` why it could not be told what.

    `metadata`: as of `sendtrail.provider_metadata`; empty where nothing says whose it is. `original`: what was read.
    """

    kind: FeedKind = "bounced"
    time_ms: Annotated[int, Meta(ge=0)] | None = None
    id: Short = ""
    metadata: dict[str, str] = {}
    email: str = ""
    reason: BounceReason | None = None
    diagnostic: str = ""
    refused: RejectReason | None = None
    original: str = ""


def tell(feed: Feed, source: str, items: Iterable[bytes]) -> None:
    """Tell items, each as its JSON, in as many requests as they need; afterwards all are in the API's spool.

    Raises as Feed.
    """
    for batch in _batches(items):
        feed.call("POST", PATH + source, batch)


def _batches(items: Iterable[bytes]) -> Iterator[list[msgspec.Raw]]:
    batch: list[msgspec.Raw] = []
    size = 0
    for item in items:
        if batch and size + len(item) > _REQUEST_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(msgspec.Raw(item))
        size += len(item)
    if batch:
        yield batch
