"""A report as everybody finds it: name, what it can be asked, its parts, and how it is built."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Generic, Literal, TypeVar

from dashboards.choice import Accounts, by_names
from dashboards.options import OfDeliveries, OfDistinct, Options
from dashboards.queries import Queries
from dashboards.scope import Scope
from dashboards.shape import Column, Report

Role = Literal["viewer", "analyst"]
O = TypeVar("O", bound=Options)  # noqa: E741


@dataclass(frozen=True)
class Context:
    """Who reads, and from where.

    `naming_key` None: only keys and registered names are found. `persons`: visitor cookies are on. `zone`: the
    reader's. `accounts`: whose deliveries the reader may see, None = everybody's.
    """

    queries: Queries
    naming_key: bytes | None = None
    persons: bool = False
    zone: tzinfo = UTC
    accounts: Accounts = None

    def scope(self, asked: OfDeliveries) -> Scope:
        """The deliveries asked for. Raises BadName, or ReportError for an unknown or ambiguous name."""
        deliveries = by_names(self.queries, asked.delivery, self.naming_key, self.accounts)
        live = asked.live if isinstance(asked, OfDistinct) else True
        return Scope(self.queries, deliveries, asked.cut, live, self.persons)


@dataclass(frozen=True)
class Definition(Generic[O]):
    """A report. `parts`: key -> columns, as documentation and machine readers are told; a part may be missing from a
    report that has nothing to put there. `role`: the least one that may read it. `more`: help beyond `answers`.

    `build` raises BadName or ReportError.
    """

    name: str
    title: str
    answers: str
    options: type[O]
    parts: Mapping[str, Sequence[Column]]
    build: Callable[[Context, O], Report]
    role: Role = "viewer"
    more: str = ""
    example: str = ""
