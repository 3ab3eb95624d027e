"""Checks values against the types of Grafana's SDK, which are generated from Grafana's own schema."""

from __future__ import annotations

import enum
import importlib
import types
import typing
from collections.abc import Iterator
from typing import Any


def faults(value: Any, wanted: Any, where: str) -> Iterator[str]:
    """Where and why a value is not of a type, one line each."""
    origin, inside = typing.get_origin(wanted), typing.get_args(wanted)
    if origin in (typing.Union, types.UnionType):
        if not any(not list(faults(value, one, where)) for one in inside):
            yield f"{where}: {value!r} is none of {inside}"
    elif origin is typing.Literal:
        if value not in inside:
            yield f"{where}: {value!r} is not one of {inside}"
    elif origin in (list, dict):
        yield from _container(value, origin, inside, where)
    elif wanted is not Any and wanted is not object:
        yield from _plain(value, wanted, where)


def _container(value: Any, origin: type, inside: tuple[Any, ...], where: str) -> Iterator[str]:
    if not isinstance(value, origin):
        yield f"{where}: {value!r} is no {origin.__name__}"
        return
    entries: Any = value
    for key, one in entries.items() if origin is dict else enumerate(entries):
        yield from faults(one, inside[-1], f"{where}[{key}]")


def _plain(value: Any, wanted: type, where: str) -> Iterator[str]:
    if issubclass(wanted, enum.Enum):
        if value not in [one.value for one in wanted]:
            yield f"{where}: {value!r} is no {wanted.__name__}"
    elif not _is(value, wanted):
        yield f"{where}: {value!r} is no {wanted.__name__}"
    elif type(value).__module__.startswith("grafana_foundation_sdk.models"):
        names = vars(importlib.import_module(type(value).__module__))
        for name, kind in typing.get_type_hints(type(value), names).items():
            yield from faults(getattr(value, name), kind, f"{where}.{name}")


def _is(value: Any, wanted: type) -> bool:
    if isinstance(value, bool) and wanted is not bool:
        return False
    return isinstance(value, (int, float) if wanted is float else wanted)
