"""Telling Sendtrail what happened to messages, from a sender's own program.

    from sendtrail.feed import Feed

    with Feed("http://127.0.0.1:8081", key="stak_…") as feed:
        for refused in feed.send(items):
            print(refused.number, refused.reason, refused.detail)

`AsyncFeed` is the same for asyncio. Both raise ApiError alone: ApiRefused, ApiUnavailable or BadItem.
"""

from sendtrail.errors import ApiError, ApiRefused, ApiUnavailable, BadItem
from sendtrail.feed.aio import AsyncFeed
from sendtrail.feed.batches import BATCH_BYTES, BATCH_ITEMS, Item
from sendtrail.feed.calls import Refused, Result, Suppressed
from sendtrail.feed.client import Feed

__all__ = [
    "BATCH_BYTES",
    "BATCH_ITEMS",
    "ApiError",
    "ApiRefused",
    "ApiUnavailable",
    "AsyncFeed",
    "BadItem",
    "Feed",
    "Item",
    "Refused",
    "Result",
    "Suppressed",
]
