"""What the settings of every stage have in common."""

from typing import Annotated, ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"no time zone {name!r}, try Europe/Madrid") from error
    return name


Zone = Annotated[str, AfterValidator(_zone)]
Port = Annotated[int, Field(ge=0, le=65535)]


class Section(BaseSettings):
    """A stage's settings: values from keyword arguments, then the environment, then the file's table, then defaults."""

    section: ClassVar[str]
    model_config = SettingsConfigDict(frozen=True, extra="forbid", nested_model_default_partial_update=False)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only keyword arguments: `load` merges file and environment, so that both are checked for unknown keys."""
        return (init_settings,)
