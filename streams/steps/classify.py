"""A hit -> human, machine or unknown, with reasons and the version of the rules."""

from functools import lru_cache

from sendtrail.events import FLAG_HONEYPOT, HITS, Class, Event
from streams.items import Item, Known
from streams.rules import NetworkRule, Rules, Says
from streams.steps.name_client import client_of, is_spider, proxy_of

_CACHED_AGENTS = 65_536
CONFIRMED = ("form", "one_click")  # how an opt-out was made, not only looked at
Verdict = tuple[Class, tuple[str, ...]]


def classify(item: Item, known: Known) -> None:
    """Judge by the request alone; what other hits show comes later, as re-labels."""
    event = item.event
    if event.kind in HITS:
        found, rules = item.found, known.rules
        network = rules.networks.of(event.address) if rules.networks.judging and event.address else None
        found.class_, found.class_reasons = verdict(event, rules, network)
        found.class_ruleset = rules.version


def verdict(event: Event, rules: Rules, network: NetworkRule | None) -> Verdict:
    """What a hit's own request says. `network`: the listed one of its address, if one is known."""
    if event.kind == "optout" and event.how in CONFIRMED:
        return "human", ("confirmed",)  # an opt-out made is honoured and counted, whoever pressed the button
    agent = agent_verdict(event.user_agent, event.kind, rules)
    if not (event.hints or event.provider_hints or event.flags & FLAG_HONEYPOT or network):
        return agent
    said = _said(event, rules, network)
    return _together(said, agent) if said else agent


def _said(event: Event, rules: Rules, network: NetworkRule | None) -> list[Says]:
    """What all but the agent says, the request's own facts first."""
    said = [says for hint, says in rules.requests.items() if hint in event.hints]
    if event.flags & FLAG_HONEYPOT:
        said += rules.honeypot
    said += [rules.providers[hint] for hint in event.provider_hints if hint in rules.providers]
    if network is not None and network.judges(event.kind):
        said.append((network.class_, network.reason))
    return said


def _together(said: list[Says], agent: Verdict) -> Verdict:
    """A machine if anything says so, unknown if anything does; a reason that does not bear that out is left out."""
    class_: Class = "machine" if agent[0] == "machine" or any(one == "machine" for one, _ in said) else "unknown"
    reasons = [reason for one, reason in said if one == class_]
    return class_, tuple(dict.fromkeys([*reasons, *agent[1]]))


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
            return rule.class_, (rule.reason,)
    if is_spider(agent):
        return "machine", ("known_bot",)
    if not client_of(agent, kind, rules).client:
        return "unknown", ("unknown_agent",)
    return "human", ()
