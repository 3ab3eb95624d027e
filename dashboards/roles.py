"""What readers of reports may see: viewers sums, analysts recipients too."""

from typing import Literal, get_args

Role = Literal["viewer", "analyst"]

#: From least to most: a role may do what those before it may.
ROLES: tuple[Role, ...] = get_args(Role)


def reaches(role: Role, needed: Role) -> bool:
    """Whether a reader of that role may see what takes `needed`."""
    return ROLES.index(role) >= ROLES.index(needed)
