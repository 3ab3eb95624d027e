"""A user agent -> client, version, OS and device; proxies under their own name."""

from functools import lru_cache
from typing import NamedTuple

from ua_parser import Resolver, load_builtins
from ua_parser.core import Domain
from ua_parser.regex import Resolver as RegexResolver

from sendtrail.events import HITS
from streams.items import Item, Known
from streams.rules import ProxyRule, Rules

_CACHED_AGENTS = 65_536
_LONGEST = 64  # some names are cut out of the agent itself


class Client(NamedTuple):
    """What reports show; empty where the agent does not tell."""

    client: str = ""
    client_version: str = ""
    os: str = ""
    device: str = ""


def name_client(item: Item, known: Known) -> None:
    """Parse the agent of a hit; feed events have none."""
    if item.event.kind in HITS:
        found = item.found
        found.client, found.client_version, found.os, found.device = client_of(
            item.event.user_agent, item.event.kind, known.rules
        )


@lru_cache(_CACHED_AGENTS)
def client_of(agent: str, kind: str, rules: Rules) -> Client:
    """A proxy's OS and device are inventions of the proxy, so they stay empty."""
    proxy = proxy_of(agent, kind, rules)
    if proxy is not None:
        return Client(proxy.name)
    parsed = _parse(agent, Domain.ALL) if agent else None
    if parsed is None:
        return Client()
    browser, system, device = parsed.user_agent, parsed.os, parsed.device
    return Client(
        browser.family[:_LONGEST] if browser else "",
        (browser.major or "")[:_LONGEST] if browser else "",
        system.family[:_LONGEST] if system else "",
        device.family[:_LONGEST] if device and device.family != "Spider" else "",
    )


@lru_cache(_CACHED_AGENTS)
def proxy_of(agent: str, kind: str, rules: Rules) -> ProxyRule | None:
    """The proxy that sends this agent, if one is known."""
    lowered = agent.lower()
    return next((rule for rule in rules.proxies if rule.fits(lowered, kind)), None)


@lru_cache(_CACHED_AGENTS)
def is_spider(agent: str) -> bool:
    """True where the parser's own data calls the device a spider."""
    device = _parse(agent, Domain.DEVICE).device
    return device is not None and device.family == "Spider"


_parse: Resolver = RegexResolver(load_builtins())
