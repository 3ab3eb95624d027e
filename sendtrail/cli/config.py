"""Settings for commands a person types: those of a running `sendtrail up` are found by themselves."""

import json
from pathlib import Path
from typing import Any

from sendtrail import keyring, settings
from sendtrail.errors import KeysError, SettingsError

ENDPOINTS = "endpoints.json"


def load() -> settings.Config:
    """File and environment as everywhere; below them what `<local.data>/endpoints.json` says, if it is there.

    Raises SettingsError as `settings.load` does, and for an unreadable endpoints file.
    """
    data = settings.load().section(settings.LocalSettings).data
    return settings.load(below=_endpoints(data / ENDPOINTS))


def tables(config: settings.Config) -> Any:
    """A client of the tracking database, to be used in `with`."""
    from sendtrail.clickhouse import connect

    return connect(config.section(settings.ClickHouseSettings))


def naming_key(config: settings.Config) -> bytes | None:
    """What keys follow from names with; None without a key file: then only names of the registry and keys are found."""
    try:
        return keyring.load(config.section(settings.KeySettings).file).naming_key
    except KeysError:
        return None


def _endpoints(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        tables = json.loads(path.read_text())["settings"]
    except (OSError, ValueError, KeyError) as error:
        raise SettingsError(f"{path} can't be read: {error}") from error
    return dict(tables)
