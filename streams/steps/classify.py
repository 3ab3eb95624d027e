"""A hit -> human, machine or unknown, with reasons and the version of the rules."""

from functools import lru_cache

from sendtrail.events import FLAG_HONEYPOT, HITS, Class, Event
from streams.items import Item, Known
from streams.rules import Rules
from streams.steps.name_client import client_of, is_spider, proxy_of

_CACHED_AGENTS = 65_536
#: Requests that show nothing to anybody, and one link asked for by one address over and over.
_HINTED = ("head", "prefetch", "flood")
#: What a provider says of its own hits; a mere proxy (Gmail's) shows pictures to a person, so it is not among them.
_SAID_BY_PROVIDER = frozenset(
    ("sg_machine_open", "user_agent_parsed.is_prefetched", "client-info.bot=apple", "client-info.bot=generic")
)
_CONFIRMED = ("form", "one_click")
Verdict = tuple[Class, tuple[str, ...]]


def classify(item: Item, known: Known) -> None:
    """Judge by the request alone; bursts and networks come later, as re-labels."""
    event = item.event
    if event.kind in HITS:
        found = item.found
        found.class_, found.class_reasons = _verdict(event, known.rules)
        found.class_ruleset = known.rules.version


def _verdict(event: Event, rules: Rules) -> Verdict:
    if event.kind == "optout" and event.how in _CONFIRMED:
        return "human", ("confirmed",)  # an opt-out made is honoured and counted, whoever pressed the button
    verdict = agent_verdict(event.user_agent, event.kind, rules)
    if not _SAID_BY_PROVIDER.isdisjoint(event.provider_hints):
        return "machine", ("provider", *verdict[1])
    if not event.hints and not event.flags & FLAG_HONEYPOT:
        return verdict
    facts = tuple(hint for hint in _HINTED if hint in event.hints)
    if event.flags & FLAG_HONEYPOT:
        facts += ("honeypot",)
    return ("machine", facts + verdict[1]) if facts else verdict


@lru_cache(_CACHED_AGENTS)
def agent_verdict(agent: str, kind: str, rules: Rules) -> Verdict:
    """What the agent alone says."""
    if not agent:
        return "unknown", ("no_agent",)
    proxy = proxy_of(agent, kind, rules)
    if proxy is not None:
        return proxy.class_, (proxy.reason,)
    lowered = agent.lower()
    for rule in rules.agents:
        if rule.fits(lowered):
            return "machine", (rule.reason,)
    if is_spider(agent):
        return "machine", ("known_bot",)
    if not client_of(agent, kind, rules).client:
        return "unknown", ("unknown_agent",)
    return "human", ()
