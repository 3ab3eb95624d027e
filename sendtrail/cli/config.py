"""Settings for commands a person types: those of a running `sendtrail up` are found by themselves."""

import json
from pathlib import Path
from typing import Any

from sendtrail import settings
from sendtrail.errors import SettingsError

ENDPOINTS = "endpoints.json"


def load() -> settings.Config:
    """File and environment as everywhere; below them what `<local.data>/endpoints.json` says, if it is there.

    Raises SettingsError as `settings.load` does, and for an unreadable endpoints file.
    """
    data = settings.load().section(settings.LocalSettings).data
    return settings.load(below=_endpoints(data / ENDPOINTS))


def _endpoints(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        tables = json.loads(path.read_text())["settings"]
    except (OSError, ValueError, KeyError) as error:
        raise SettingsError(f"{path} can't be read: {error}") from error
    return dict(tables)
