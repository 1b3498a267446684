"""Why a secret is no parameter."""

from collections.abc import Iterator
from typing import Any, get_args, get_origin

from pydantic import BaseModel, Secret, SecretBytes, SecretStr

__all__ = ["check_no_secrets"]


def check_no_secrets(cls: type[BaseModel]) -> None:
    """Make sure that no field of a task is made for a secret.

    Raises:
        TypeError: naming the class, the field and what to do.
    """
    for name, info in cls.model_fields.items():
        if any(issubclass(kind, SecretStr | SecretBytes | Secret) for kind in _classes(info.annotation)):
            raise TypeError(
                f"{cls.__name__}.{name}: a parameter is recorded and shown, so it can be no secret; name the secret in "
                f"environment = Environment(secrets={{'VARIABLE': 'name'}}), and the worker puts it into the variable"
            )


def _classes(annotation: Any, seen: frozenset[Any] = frozenset()) -> Iterator[type]:
    """Yield the classes that values of a type are made of, those in the fields of models as well."""
    origin = get_origin(annotation)
    for argument in get_args(annotation):
        yield from _classes(argument, seen)
    kind = origin or annotation
    if not isinstance(kind, type) or kind in seen:
        return
    yield kind
    if issubclass(kind, BaseModel):
        for info in kind.model_fields.values():
            yield from _classes(info.annotation, seen | {kind})
