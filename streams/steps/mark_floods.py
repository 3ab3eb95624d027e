"""A hit the edge saw in a flood of one link from one address -> marked `flood`: stored, not counted."""

from streams.items import Item, Known

HINT = "flood"


def mark_floods(item: Item, known: Known) -> None:
    """Only the edge sees requests as they come; here its hint becomes the mark that reports know."""
    if HINT in item.event.hints:
        item.found.marks += ("flood",)
