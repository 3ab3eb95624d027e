"""Mails of a mailbox -> the feed API, which takes them before they are marked."""

from collections import Counter
from collections.abc import Iterator
from itertools import islice

import msgspec

from producers.mta.bounces import told_of
from producers.mta.mailbox import Mail, Mailbox
from producers.mta.match import Matcher
from producers.mta.told import BOUNCES, tell
from sendtrail.feed import Feed

_BATCH = 50  # mails in memory at once


def collect(mailbox: Mailbox, matcher: Matcher, feed: Feed) -> Counter[str]:
    """Tell everything that waits; how many mails, outcomes and refused ones there were. Raises as Feed and Mailbox."""
    counts: Counter[str] = Counter(mails=0, told=0, refused=0)
    for mails in _batches(mailbox.unseen()):
        told = {mail.handle: told_of(mail.content, matcher) for mail in mails}
        tell(feed, BOUNCES, (msgspec.json.encode(one) for several in told.values() for one in several))
        for handle, several in told.items():
            refused = sum(one.refused is not None for one in several)
            mailbox.mark(handle, matched=not refused)
            counts.update(mails=1, told=len(several) - refused, refused=refused)
    return counts


def _batches(mails: Iterator[Mail]) -> Iterator[list[Mail]]:
    while batch := list(islice(mails, _BATCH)):
        yield batch
