"""File and environment -> settings of each stage."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from sendtrail.errors import SettingsError
from sendtrail.settings.section import Section
from sendtrail.settings.stages import SECTIONS

PREFIX = "SENDTRAIL_"
EXIT_CODE = 3

#: Variables that are no field of a class: where the file is, and the short forms for tests and tools.
CONFIG_VARIABLE = "SENDTRAIL_CONFIG"
SHORT_FORMS = {"SENDTRAIL_KAFKA": "SENDTRAIL_KAFKA_BOOTSTRAP", "SENDTRAIL_CLICKHOUSE": "SENDTRAIL_CLICKHOUSE_ADDRESS"}

S = TypeVar("S", bound=Section)


def variables() -> dict[str, tuple[type[Section], str]]:
    """Every environment variable a class knows: name -> (class, field)."""
    return {f"{PREFIX}{cls.section}_{name}".upper(): (cls, name) for cls in SECTIONS for name in cls.model_fields}


class Config:
    """File and environment, read and checked once; `section` builds the settings of one stage."""

    def __init__(self, tables: Mapping[str, Mapping[str, Any]]) -> None:
        self._tables = tables

    def with_tables(self, tables: Mapping[str, Mapping[str, Any]]) -> "Config":
        """The same settings with other values on top."""
        names = {*self._tables, *tables}
        return Config({name: {**self._tables.get(name, {}), **tables.get(name, {})} for name in names})

    def environment(self) -> dict[str, str]:
        """What is given, as environment variables: `load` of them gives the same settings."""
        return {
            f"{PREFIX}{section}_{name}".upper(): ",".join(map(str, value)) if isinstance(value, list) else str(value)
            for section, values in self._tables.items()
            for name, value in values.items()
            if value is not None
        }

    def is_set(self, cls: type[Section], field: str) -> bool:
        """True where file or environment give this setting, False where it is the default."""
        return field in self._tables.get(cls.section, {})

    def section(self, cls: type[S], **overrides: Any) -> S:
        """The settings of one class. Raises SettingsError naming the key for a value that does not fit."""
        values = {**self._tables.get(cls.section, {}), **overrides}
        try:
            return cls(**values)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join([cls.section, *map(str, first["loc"])])
            raise SettingsError(
                f"setting {where} ({_variable(cls, first)}): {first['msg'].removeprefix('Value error, ')}"
            ) from error


def load(
    environ: Mapping[str, str] | None = None,
    file: Path | None = None,
    below: Mapping[str, Mapping[str, Any]] | None = None,
) -> Config:
    """Read the file and the environment. Raises SettingsError for a key no class knows or an unreadable file.

    `below`: tables that file and environment win over, e.g. the endpoints of the embedded stack.
    """
    environ = os.environ if environ is None else environ
    tables = {section: dict(values) for section, values in (below or {}).items()}
    for section, values in _read_file(environ, file).items():
        tables.setdefault(section, {}).update(values)
    known = variables()
    for name, value in environ.items():
        if not name.startswith(PREFIX) or name == CONFIG_VARIABLE:
            continue
        target = known.get(SHORT_FORMS.get(name, name))
        if target is None:
            raise SettingsError(f"{name} is set in the environment, but no setting has that name")
        cls, field = target
        if name in SHORT_FORMS and SHORT_FORMS[name] in environ:
            continue
        tables.setdefault(cls.section, {})[field] = _from_text(cls, field, value)
    return Config(tables)


def _read_file(environ: Mapping[str, str], file: Path | None) -> dict[str, dict[str, Any]]:
    named = file or (Path(environ[CONFIG_VARIABLE]) if CONFIG_VARIABLE in environ else None)
    path = named or Path("sendtrail.toml")
    if named is None and not path.exists():
        return {}
    try:
        tables = tomllib.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise SettingsError(f"the settings file {path} can't be read: {error}") from error
    known = {cls.section: cls for cls in SECTIONS}
    for section, values in tables.items():
        if section not in known or not isinstance(values, dict):
            raise SettingsError(f"{path}: no table [{section}] is known; there are {', '.join(known)}")
        for name in values:
            if name not in known[section].model_fields:
                raise SettingsError(f"{path}: [{section}] has no setting {name!r}")
    return tables


def _from_text(cls: type[Section], field: str, value: str) -> Any:
    """Lists come as comma-separated text; everything else pydantic reads from text itself."""
    annotation = cls.model_fields[field].annotation
    if getattr(annotation, "__origin__", None) is list:
        return [item.strip() for item in value.split(",") if item.strip()]
    if annotation == Path | None and value == "":
        return None
    return value


def _variable(cls: type[Section], error: Any) -> str:
    return f"{PREFIX}{cls.section}_{error['loc'][0] if error['loc'] else ''}".upper()
