"""A policy as a TOML file, which people edit and which remembers the URLs that are always or never tracked.

placeholders = "{{x}}"

[parameters]
utm_source = "newsletter"

[urls."https://shop.example.com/account"]
mode = "never"

[patterns."https://*.example.org/*"]
mode = "not_tracked"
"""

import json
import os
import shutil
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

import msgspec

from sendtrail import private_file
from sendtrail.deliveries import DeliveryUrl, UrlMode
from sendtrail.errors import PolicyError
from sendtrail.instrument.policy import CHOICES, Policy, UrlRule

#: Modes that later templates obey too.
REMEMBERED: tuple[UrlMode, ...] = ("always", "never")
#: Checked entry by entry, so that an error names the entry.
_TABLES = ("urls", "patterns", "parameters")
#: Words whose choices Policy and UrlRule name themselves.
_CHOSEN = (*CHOICES, "mode")


def load_policy(path: Path) -> Policy:
    """Read a policy file. Raises PolicyError naming the file and the key."""
    return _in_file(path, _read(path))


def policy_of(text: str) -> Policy:
    """The policy in TOML. Raises PolicyError naming the key."""
    try:
        return policy_from(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"not TOML: {error}") from error


def policy_from(table: Mapping[str, object]) -> Policy:
    """The policy of a table, as TOML or JSON has it. Raises PolicyError naming the key."""
    values = dict(table)
    for name in ("urls", "patterns"):
        if name in values:
            values[name] = _rules(name, values[name])
    if "parameters" in values:
        values["parameters"] = _texts("parameters", values["parameters"])
    return _made(Policy, values)


def remember(path: Path, urls: Iterable[DeliveryUrl]) -> list[DeliveryUrl]:
    """Add a rule to a policy file for each URL that is always or never tracked, and return those added.

    `urls`: a template's. A URL that the file has a rule for stays as it is there. What stands in the file is kept,
    comments too; without a file, one is made. Raises PolicyError.
    """
    wanted = [entry for entry in urls if entry.mode in REMEMBERED and " " not in entry.url]  # items: the first says it
    try:
        with private_file.locked(path):
            text = _read(path) if path.exists() else ""
            known = _in_file(path, text).urls
            new = [entry for entry in wanted if entry.url not in known]
            if new:
                _append(path, text, new)
    except OSError as error:
        raise PolicyError(f"the policy file {path} can't be written: {error}") from error
    return new


def _append(path: Path, text: str, entries: list[DeliveryUrl]) -> None:
    """Raises OSError, and PolicyError for a file that writes its rules as `urls = {…}`, which nothing can follow."""
    if text and not text.endswith("\n"):
        text += "\n"
    added = "\n".join(f"[urls.{_quoted(entry.url)}]\nmode = {_quoted(entry.mode)}\n" for entry in entries)
    longer = f"{text}\n{added}" if text else added
    _in_file(path, longer)
    draft = path.with_name(path.name + ".new")
    draft.write_text(longer, encoding="utf-8")
    if path.exists():
        shutil.copymode(path, draft)
    os.replace(draft, path)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"the policy file {path} can't be read: {error}") from error


def _in_file(path: Path, text: str) -> Policy:
    try:
        return policy_of(text)
    except PolicyError as error:
        raise PolicyError(f"the policy file {path}: {error}") from error


def _rules(name: str, table: object) -> dict[str, UrlRule]:
    rules = {}
    for url, rule in _table(name, table).items():
        try:
            rules[url] = _made(UrlRule, _table("the rule", rule))
        except PolicyError as error:
            raise PolicyError(f"{name}.{_quoted(url)}: {error}") from error
    return rules


def _texts(name: str, table: object) -> dict[str, str]:
    texts = _table(name, table)
    for key, value in texts.items():
        if not isinstance(value, str):
            raise PolicyError(f"{name}.{key}: a text is expected, not {value!r}")
    return texts


def _table(name: str, value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise PolicyError(f"{name}: a table is expected, not {value!r}")
    return value


_Made = TypeVar("_Made", Policy, UrlRule)


def _made(kind: type[_Made], table: dict[str, Any]) -> _Made:
    """An object of a table's values, each of its type. Raises PolicyError naming the key."""
    hints = get_type_hints(kind)
    values: dict[str, Any] = {}
    for name, value in table.items():
        if name not in hints:
            raise PolicyError(f"{name}: unknown; there are {', '.join(hints)}")
        try:
            said_by_kind = name in _TABLES or (isinstance(value, str) and name in _CHOSEN)
            values[name] = value if said_by_kind else msgspec.convert(value, hints[name])
        except msgspec.ValidationError as error:
            raise PolicyError(f"{name}: {error}") from error
    return kind(**values)


def _quoted(text: str) -> str:
    """A TOML string or key: JSON's escapes are TOML's."""
    return json.dumps(text, ensure_ascii=False)
