"""The paths within a parameter's value, however deep."""

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel

__all__ = ["paths_in", "with_paths"]


def paths_in(value: Any) -> Iterator[Path]:
    """Yield the paths in a value: of lists, mappings, models and dataclasses each one."""
    if isinstance(value, Path):
        yield value
    for part in _parts(value):
        yield from paths_in(part)


def with_paths(value: Any, change: Callable[[Path], Path]) -> Any:
    """Return a copy of a value with each of its paths changed; without paths the value itself."""
    if isinstance(value, Path):
        return change(value)
    if next(paths_in(value), None) is None:
        return value
    if isinstance(value, dict):
        return {with_paths(key, change): with_paths(item, change) for key, item in value.items()}
    if isinstance(value, BaseModel):
        return value.model_copy(update={name: with_paths(item, change) for name, item in value})
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: with_paths(getattr(value, f.name), change) for f in fields(value) if f.init})
    changed = [with_paths(item, change) for item in value]
    return type(value)(*changed) if hasattr(value, "_fields") else type(value)(changed)


def _parts(value: Any) -> list[Any]:
    if isinstance(value, list | tuple | set | frozenset):
        return list(value)
    if isinstance(value, dict):
        return [*value.keys(), *value.values()]
    if isinstance(value, BaseModel):
        return [item for _, item in value]
    if is_dataclass(value) and not isinstance(value, type):
        return [getattr(value, field.name) for field in fields(value)]
    return []
