"""Tracking domains of senders' own, whose names lead to the edge: a small file that every edge reads again (TOML).

A domain is verified where its DNS says both that it leads here and that its owner wants it so (a TXT record with the
token of this file). Only for verified ones does an edge let the TLS proxy in front of it fetch a certificate.
"""

import re
import secrets
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w

from sendtrail import private_file
from sendtrail.errors import DomainsError

#: Where the token is looked for: TXT of this label below the domain.
TXT_LABEL = "_sendtrail"
TXT_PREFIX = "sendtrail="
_TOKEN_BYTES = 16
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"(?:{_LABEL}\.)+[a-z][a-z0-9-]*[a-z0-9]")
_MAX_NAME = 253
_FIELDS = frozenset(("name", "token", "added", "verified"))


@dataclass(frozen=True)
class Domain:
    """A domain, the token its owner publishes, and when it was added and last verified (UTC, ISO 8601; empty: not)."""

    name: str
    token: str
    added: str = ""
    verified: str = ""

    @property
    def txt(self) -> str:
        """What the TXT record says."""
        return TXT_PREFIX + self.token


Domains = dict[str, Domain]


def new_domain(name: str, added: str) -> Domain:
    """A domain with a fresh token, not verified. Raises DomainsError for what is no domain."""
    return Domain(checked_name(name), secrets.token_hex(_TOKEN_BYTES), added)


def checked_name(text: str) -> str:
    """A domain in its usual form: small letters, without a dot at the end, in ASCII. Raises DomainsError."""
    try:
        name = text.strip().rstrip(".").lower().encode("idna").decode()
    except UnicodeError as error:
        raise DomainsError(f"{text!r} is no domain: {error}") from error
    if len(name) > _MAX_NAME or not _NAME.fullmatch(name):
        raise DomainsError(f"{text!r} is no domain: give a host name like news.shop.example, without https://")
    return name


def load(path: Path) -> Domains:
    """Read the file; one that is not there holds nothing. Raises DomainsError naming what is wrong with it."""
    try:
        table = tomllib.loads(path.read_text())
        entries = [_entry(fields) for fields in table.pop("domain", [])]
        if table:
            raise ValueError(f"it holds {next(iter(table))!r}; there are only tables [[domain]]")
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, KeyError, DomainsError) as error:
        raise DomainsError(f"the domains file {path} can't be read: {error}") from error
    return {entry.name: entry for entry in entries}


def save(path: Path, domains: Iterable[Domain]) -> None:
    """Write the file, mode 600, all or nothing. Raises OSError."""
    entries = sorted(domains, key=lambda one: one.name)
    private_file.write(path, tomli_w.dumps({"domain": [_table(entry) for entry in entries]}).encode())


def _table(entry: Domain) -> dict[str, str]:
    told = {"name": entry.name, "token": entry.token, "added": entry.added, "verified": entry.verified}
    return {name: text for name, text in told.items() if text}


def _entry(fields: Any) -> Domain:
    if not isinstance(fields, dict) or not all(isinstance(value, str) for value in fields.values()):
        raise TypeError("a domain is a table of texts")
    unknown = fields.keys() - _FIELDS
    if unknown:
        raise ValueError(f"a domain has no {min(unknown)!r}, only {', '.join(sorted(_FIELDS))}")
    return Domain(checked_name(fields["name"]), fields["token"], fields.get("added", ""), fields.get("verified", ""))
