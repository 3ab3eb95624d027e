"""Geo databases in MaxMind's format -> country and network of an address.

Every file is copied to a private one without a name and mapped from there: whoever replaces or cuts the file later
changes nothing under a worker that reads it. A look-up never raises: what a database says wrongly is not said at all.
"""

import shutil
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, NamedTuple

import maxminddb
import structlog

from sendtrail.errors import SettingsError

_CACHED = 65_536
_LONGEST = 64
#: Where databases keep the name of who owns an address: MaxMind's and DB-IP's, IPinfo's.
_OWNERS = ("autonomous_system_organization", "organization", "as_name", "name", "isp")
_log = structlog.stdlib.get_logger(__name__)


class Place(NamedTuple):
    """Two letters of ISO 3166, and who owns the address; empty = unknown."""

    country: str = ""
    network: str = ""


NOWHERE = Place()


class GeoDatabase:
    """Several files as one: each fact comes from the first that has it. `of(address)` is remembered per address.

    Raises SettingsError for a file that is missing or no database.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = list(paths)
        self._load()

    def _load(self) -> None:
        self._seen = [_stamp(path) for path in self._paths]
        self._readers = [_open(path) for path in self._paths]
        self.of: Callable[[str], Place] = lru_cache(_CACHED)(self._of)

    def reload(self) -> bool:
        """Read files that changed. Where one can't be read now, go on with what was read before, and say so once."""
        seen = [_stamp(path) for path in self._paths]
        if seen == self._seen:
            return False
        before = self._readers, self.of
        try:
            self._load()
        except SettingsError as error:
            (self._readers, self.of), self._seen = before, seen
            _log.error("a geo database can't be read; the one read before is used", why=str(error))
            return False
        _log.info("geo databases are read again", files=[str(path) for path in self._paths])
        return True

    def _of(self, address: str) -> Place:
        country = network = ""
        for reader in self._readers:
            try:
                record = reader.get(address)
            except (ValueError, maxminddb.InvalidDatabaseError):  # no address, IPv6 in one for IPv4, or damage
                continue
            if isinstance(record, dict):
                country, network = country or _country(record), network or _network(record)
        return Place(country, network) if country or network else NOWHERE


def geo_database(paths: Sequence[Path]) -> GeoDatabase | None:
    """None where no file is named."""
    return GeoDatabase(paths) if paths else None


def _open(path: Path) -> maxminddb.Reader:
    try:
        with path.open("rb") as source, NamedTemporaryFile(prefix="sendtrail-geo-") as copy:
            shutil.copyfileobj(source, copy)
            copy.flush()
            reader = maxminddb.open_database(copy.name)
            reader.get("8.8.8.8")  # a file cut off behind its metadata shows here, or at its last node
            reader.get("::" if reader.metadata().ip_version == 6 else "255.255.255.255")
            return reader
    except (OSError, ValueError, maxminddb.InvalidDatabaseError) as error:
        raise SettingsError(
            f"setting streams.geo_databases: {path} is no geo database in MaxMind's format (.mmdb): {error}"
        ) from error


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _country(record: dict[str, Any]) -> str:
    found = record.get("country", record.get("country_code"))
    code = found.get("iso_code") if isinstance(found, dict) else found
    if not isinstance(code, str) or len(code) != 2 or not code.isascii() or not code.isalpha():
        return ""
    return code.upper()


def _network(record: dict[str, Any]) -> str:
    owners = (record.get(key) for key in _OWNERS)
    owner = next((owner for owner in owners if isinstance(owner, str) and owner), "")
    return "".join(letter for letter in owner if letter.isprintable())[:_LONGEST]
