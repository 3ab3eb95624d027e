"""An address -> its network, by the lists of the rules or a geo database, and its country, by the database."""

from sendtrail.events import HITS
from streams.items import Item, Known


def place_network(item: Item, known: Known) -> None:
    """Of a hit. That of a proxy would say nothing about the reader: it is left empty, or has a name and no country."""
    event, rules = item.event, known.rules
    if not event.address or event.kind not in HITS or item.found.client in rules.proxy_names:
        return
    found, rule = item.found, rules.networks.of(event.address)
    if rule is not None:
        found.network = rule.name
        if rule.proxy:
            return
    if known.geo is not None:
        place = known.geo.of(event.address)
        found.country = place.country
        found.network = found.network or place.network
