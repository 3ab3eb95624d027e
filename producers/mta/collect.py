"""Mails of a mailbox -> the feed API, which takes them before they are marked."""

from collections import Counter
from collections.abc import Iterator
from itertools import islice

import msgspec

from producers.mta.bounces import told_of
from producers.mta.mailbox import Mailbox
from producers.mta.match import Matcher
from producers.mta.told import BOUNCES, Told, tell
from sendtrail.feed import Feed

_BATCH = 50  # mails told at once; the mails themselves are in memory one by one


def collect(mailbox: Mailbox, matcher: Matcher, feed: Feed) -> Counter[str]:
    """Tell everything that waits; how many mails, outcomes and refused ones there were. Raises as Feed and Mailbox."""
    counts: Counter[str] = Counter(mails=0, told=0, refused=0)
    read = ((mail.handle, told_of(mail.content, matcher)) for mail in mailbox.unseen())
    for batch in _batches(read):
        tell(feed, BOUNCES, (msgspec.json.encode(one) for _, told in batch for one in told))
        for handle, told in batch:
            refused = sum(one.refused is not None for one in told)
            mailbox.mark(handle, matched=not refused)
            counts.update(mails=1, told=len(told) - refused, refused=refused)
    return counts


def _batches(read: Iterator[tuple[str, list[Told]]]) -> Iterator[list[tuple[str, list[Told]]]]:
    while batch := list(islice(read, _BATCH)):
        yield batch
