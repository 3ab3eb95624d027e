"""Who asks, and what they may see."""

from dataclasses import dataclass

from dashboards.roles import Role, reaches


@dataclass(frozen=True)
class Reader:
    """A reader of reports. viewer: aggregates; analyst: recipients too.

    `name` is empty where no log-in is asked for. `accounts` None: all of them; "" is the default account.
    """

    name: str
    role: Role
    accounts: frozenset[str] | None

    def may(self, role: Role) -> bool:
        """True where this reader's role includes `role`."""
        return reaches(self.role, role)


#: Who reads the pages that need no log-in without being logged in: no account is theirs.
NOBODY = Reader("", "viewer", frozenset())

#: The reader where no log-in is asked for, on loopback.
LOCAL = Reader("", "analyst", None)
