"""What a rules file may hold: its tables and keys, and what each fires on. Data only; steps apply it."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from sendtrail.events import Class, HitKind, How, Kind

#: Names of reasons stand in columns and reports, with a comma between.
Reason = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Name = Annotated[str, Meta(max_length=64, pattern=r"^[^,\x00-\x1f]+$")]
Texts = Annotated[list[Annotated[str, Meta(min_length=1)]], Meta(min_length=1)]
NotHuman = Literal["machine", "unknown"]


class ExampleEvent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An event of an example. `at`: milliseconds after the first. `times`: so many of it, `every_ms` apart, each of
    the next link or message where `each` says so. `apart`: the rule fires on others of the example, not on this one.
    """

    kind: Kind = "open"
    at: int = 0
    user_agent: str = ""
    address: str = "8.8.8.8"
    hints: list[str] = []
    provider_hints: list[str] = []
    honeypot: bool = False
    how: How | None = None
    link: Annotated[int, Meta(ge=0)] = 0
    message: Annotated[int, Meta(ge=0)] = 1
    times: Annotated[int, Meta(ge=1, le=10_000)] = 1
    every_ms: Annotated[int, Meta(ge=0)] = 100
    each: Literal["", "link", "message"] = ""
    apart: bool = False


Example = ExampleEvent | list[ExampleEvent]


class Examples(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A rule's test: in each example of `fires` it fires on every hit but those `apart`, in `spares` on none."""

    fires: list[Example] = []
    spares: list[Example] = []


class ProxyRule(Examples, frozen=True, forbid_unknown_fields=True):
    """A fetcher that stands between us and the reader. `name` is shown as the client; it is not geolocated."""

    name: Name
    class_: Class = msgspec.field(name="class")
    reason: Reason
    contains: Texts | None = None
    equals: Texts | None = None
    kinds: list[HitKind] = []

    def fits(self, agent: str, kind: str) -> bool:
        """`agent` in lower case; no kinds = all of them."""
        if self.kinds and kind not in self.kinds:
            return False
        return agent in map(str.lower, self.equals or ()) or any(text.lower() in agent for text in self.contains or ())


class AgentRule(Examples, frozen=True, forbid_unknown_fields=True):
    """Programs by what their agent says."""

    reason: Reason
    contains: Texts
    class_: Class = msgspec.field(default="machine", name="class")

    def fits(self, agent: str) -> bool:
        """`agent` in lower case."""
        return any(text.lower() in agent for text in self.contains)


class RequestRule(Examples, frozen=True, forbid_unknown_fields=True):
    """Requests by what the edge saw of them: one of its hints, or the link that no person sees."""

    reason: Reason
    hints: Texts | None = None
    honeypot: bool = False
    class_: NotHuman = msgspec.field(default="machine", name="class")


class ProviderRule(Examples, frozen=True, forbid_unknown_fields=True):
    """Hits by what the provider's feed says of them."""

    reason: Reason
    hints: Texts
    class_: NotHuman = msgspec.field(default="machine", name="class")


class NetworkRule(Examples, frozen=True, forbid_unknown_fields=True):
    """A network by its ranges, or by files of them. `name` is shown in reports.

    `certainty`: certain = its hits are machines', probable = of class unknown, neither = only named. `kinds`: of hits
    that are judged by it; none = all. `proxy`: where it stands says nothing of the reader, so no country is given.
    `shared`: so many stand behind one address that the address tells nothing (rule many_messages).
    """

    name: Name
    ranges: list[str] = []
    files: list[str] = []
    certainty: Literal["", "certain", "probable"] = ""
    reason: Reason | Literal[""] = ""
    kinds: list[HitKind] = []
    proxy: bool = False
    shared: bool = False

    def judges(self, kind: str) -> bool:
        """True if a hit of that kind gets its class from it."""
        return bool(self.certainty) and (not self.kinds or kind in self.kinds)

    @property
    def class_(self) -> Class:
        """Of the hits it judges."""
        return "machine" if self.certainty == "certain" else "unknown"


class BurstRule(Examples, frozen=True, forbid_unknown_fields=True):
    """Clicks on at least so many links of a message within so many milliseconds of event time."""

    links: Annotated[int, Meta(ge=2)]
    within_ms: Annotated[int, Meta(ge=1)]


class GroupRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What hits of one message say about each other (judge.py). `examples`: of all but the bursts, by reason."""

    burst: list[BurstRule] = []
    honeypot_ms: Annotated[int, Meta(ge=0)] = 10_000
    before_delivery: bool = True
    before_delivery_ms: Annotated[int, Meta(ge=0)] = 2_000
    lift: bool = True
    examples: dict[Literal["honeypot", "before_delivery", "clicked_later"], Examples] = {}


class AddressRule(Examples, frozen=True, forbid_unknown_fields=True):
    """Links of at least so many messages followed from one address within so many milliseconds of event time."""

    messages: Annotated[int, Meta(ge=2)]
    within_ms: Annotated[int, Meta(ge=1, le=1_800_000)]
    at_least: Annotated[int, Meta(ge=2)] = 10

    def limit(self, partitions: int) -> int:
        """Of one partition: messages are spread evenly, but a few say nothing."""
        return max(self.at_least, -(-self.messages // partitions))


class RulesFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One *.toml. With a `version` its folder is a ruleset of its own; without one it adds to the built-in rules."""

    version: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.-]{1,40}$")] | None = None
    proxy: list[ProxyRule] = []
    agent: list[AgentRule] = []
    request: list[RequestRule] = []
    provider: list[ProviderRule] = []
    network: list[NetworkRule] = []
    group: GroupRules | None = None
    address: AddressRule | None = None
