"""From the JSON that a record holds to the type that a task promises."""

from typing import Any

from pydantic import TypeAdapter, ValidationError

from ..communicators import StoredFile

__all__ = ["typed_result"]


def typed_result(value: Any, adapter: TypeAdapter[Any] | None) -> Any:
    """Return an unpacked result in its type; with no adapter, as it is.

    Where the type names a class that does not travel, such as a figure's, the value is returned as it travelled: a mapping
    in place of a dataclass, with a `StoredFile` or `Opaque` in place of the object.

    Raises:
        ValidationError: when it is of another type.
    """
    if adapter is None:
        return value
    try:
        return adapter.validate_python(value, context={"from": "ledger"})
    except ValidationError as error:
        if all(map(_stands_in, error.errors(include_url=False))):
            return value
        raise


def _stands_in(problem: Any) -> bool:
    """Say whether a class was expected and there is what arrives in place of its objects: a file, or a plain number."""
    return problem["type"] == "is_instance_of" and isinstance(problem["input"], StoredFile | int | float)
