"""An address -> its network, where one is known without a database; country stays empty."""

from ipaddress import ip_address

from sendtrail.events import HITS
from streams.items import Item, Known
from streams.rules import Rules


def place_network(item: Item, known: Known) -> None:
    """The network of a hit; that of a proxy would say nothing about the reader, so it is left empty."""
    event = item.event
    if event.address and event.kind in HITS and item.found.client not in known.rules.proxy_names:
        item.found.network = network_of(event.address, known.rules)


def network_of(address: str, rules: Rules) -> str:
    """The name of the first network that holds the address; empty for none or for text that is no address."""
    head = address.partition(".")[0] if "." in address else address.partition(":")[0]
    networks = rules.networks.get(head.lower())
    if networks is None:  # nearly all addresses end here, unparsed
        return ""
    try:
        parsed = ip_address(address)
    except ValueError:
        return ""
    return next((name for network, name in networks if parsed in network), "")
