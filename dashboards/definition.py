"""A report as everybody finds it: name, what it can be asked, its parts, and how it is built."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Generic, TypeVar

from dashboards.choice import Accounts, Delivery, by_names
from dashboards.options import OfDeliveries, OfDistinct, Options
from dashboards.queries import Queries, ReportError
from dashboards.roles import Role, reaches
from dashboards.scope import Scope
from dashboards.shape import Column, Report, Stream

O = TypeVar("O", bound=Options)  # noqa: E741


class NotAllowed(ReportError):
    """A report, or a part of one, that shows recipients to a reader who may see sums only."""


@dataclass(frozen=True)
class Context:
    """Who reads, and from where.

    `naming_key` None: only keys and registered names are found. `persons`: visitor cookies are on. `zone`: the
    reader's. `accounts`: whose deliveries the reader may see, None = everybody's. `role`: what else they may see.
    `part`: the only one wanted, '' = all that a report usually has; `Definition.answer` checks both.
    """

    queries: Queries
    naming_key: bytes | None = None
    persons: bool = False
    zone: tzinfo = UTC
    accounts: Accounts = None
    role: Role = "analyst"
    part: str = ""

    def deliveries(self, names: Sequence[str]) -> list[Delivery]:
        """Those of names or keys; none of none. Raises BadName, or ReportError for an unknown or ambiguous name."""
        return by_names(self.queries, names, self.naming_key, self.accounts) if names else []

    def scope(self, asked: OfDeliveries) -> Scope:
        """The deliveries asked for. Raises BadName, or ReportError for an unknown or ambiguous name."""
        live = asked.live if isinstance(asked, OfDistinct) else True
        return Scope(self.queries, self.deliveries(asked.delivery), asked.cut, live, self.persons)


@dataclass(frozen=True)
class Definition(Generic[O]):
    """A report. `parts`: key -> columns, as documentation and machine readers are told; a part may be missing from a
    report that has nothing to put there. `role`: the least one that may read it. `more`: help beyond `answers`.

    `on_request`: parts that are built only where `Context.part` names them, and then alone. `analyst_parts`: those of
    `on_request` that a viewer may not read, because they show recipients; a page shows a viewer no way there.

    `build` raises BadName or ReportError. Readers call `answer`. `stream`: all rows of its list, in bounded memory;
    None where the options ask for a page. Readers call `everything` before `answer`, if they can write as they read.
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
    on_request: Collection[str] = ()
    analyst_parts: Collection[str] = ()
    stream: Callable[[Context, O], Stream | None] | None = None

    def allows(self, role: Role, part: str = "") -> bool:
        """Whether that role may read the report, or that part of it."""
        return reaches(role, "analyst" if part in self.analyst_parts else self.role)

    def answer(self, context: Context, asked: O) -> Report:
        """The report, or the part of it that the context names. Raises NotAllowed, BadName or ReportError."""
        if not self.allows(context.role, context.part):
            raise NotAllowed(f"report {self.name}{f', part {context.part},' * bool(context.part)} is for analysts")
        return self.build(context, asked)

    def everything(self, context: Context, asked: O) -> Stream | None:
        """All rows of its list, where the options ask for them; None = call `answer`. Raises as `answer` does."""
        if self.stream is None:
            return None
        if not self.allows(context.role, context.part):
            raise NotAllowed(f"report {self.name} is for analysts")
        return self.stream(context, asked)
