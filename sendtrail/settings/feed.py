"""Settings of what calls the feed API from the command line."""

from pathlib import Path
from typing import ClassVar

from pydantic import Field, SecretStr

from sendtrail.errors import SettingsError
from sendtrail.settings.section import Section


def read_key(file: Path | None, setting: str) -> str:
    """The API key a setting's file holds, "" without a file. Raises SettingsError if it can't be read."""
    if file is None:
        return ""
    try:
        return file.read_text().strip()
    except (OSError, ValueError) as error:
        raise SettingsError(f"{setting} can't be read: {error}") from error


class FeedSettings(Section):
    """Commands that tell the feed API something: feed, instrument."""

    section: ClassVar[str] = "feed"
    url: str = Field("http://127.0.0.1:8081", description="the feed API")
    key: SecretStr = Field(SecretStr(""), description="API key, where the API asks for one")
    key_file: Path | None = Field(None, description="read the API key from this file")

    def secret(self) -> str:
        """The key, from the file where one is named. Raises SettingsError if it can't be read."""
        return read_key(self.key_file, "feed.key_file") or self.key.get_secret_value()
