"""The variables that a task's process sees, as its class describes them."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from .definitions import definition_file

__all__ = ["RESERVED_VARIABLES", "Environment", "applied", "check_environment", "environment_of"]

#: Variables by which we know our processes and they know us.
RESERVED_VARIABLES = frozenset({"OUTRIDER_ATTEMPT", "OUTRIDER_JOB", "OUTRIDER_SOCKET", "OUTRIDER_WORKER"})

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
#: The name of a module or of a secret is one word, and no option.
_MODULE = re.compile(r"[^\s\0-][^\s\0]*")
_SECRET = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*")


class Environment(BaseModel):
    """How the variables of a task's process come about, from those that all programs of its worker inherit.

    In this order: modules are loaded, scripts are sourced, variables are unset, set, extended, and secrets are added.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: Variables with their values; nothing in a value is expanded.
    set: dict[str, str] = {}
    #: Put before what a variable holds, with a `:` between the two; a variable that is absent or empty gets it alone.
    prepend: dict[str, str] = {}
    #: The same, behind.
    append: dict[str, str] = {}
    #: Variables that the process does not get.
    unset: tuple[str, ...] = ()
    #: Scripts for bash, each a path or a path with arguments. A relative path begins at the file that defines the task.
    source: tuple[str | tuple[str, ...], ...] = ()
    #: What `module load` is told, one after the other.
    modules: tuple[str, ...] = ()
    #: Variables with the names of the secrets that they get; the worker has the values.
    secrets: dict[str, str] = {}

    @property
    def scripts(self) -> tuple[tuple[str, ...], ...]:
        """The scripts as words."""
        return tuple((words,) if isinstance(words, str) else words for words in self.source)

    @property
    def needs_shell(self) -> bool:
        """Whether a shell must be asked what the variables are."""
        return bool(self.source or self.modules)


def environment_of(task: type[Any] | Any) -> Environment:
    """Return the environment that a task or its class describes."""
    described = task.environment
    return described if isinstance(described, Environment) else Environment(set=described)


def applied(environment: Environment, captured: Mapping[str, str], secrets: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a process.

    Args:
        environment: the task's.
        captured: what is inherited, as modules and scripts have left it.
        secrets: the values of secrets, by variable.
    """
    variables = {name: value for name, value in captured.items() if name not in environment.unset}
    variables |= environment.set
    for name, value in environment.prepend.items():
        variables[name] = _joined(value, variables.get(name))
    for name, value in environment.append.items():
        variables[name] = _joined(variables.get(name), value)
    return variables | dict(secrets)


def check_environment(cls: type[Any], described: Any) -> Environment:
    """Return the environment that a class describes, its scripts' paths beginning at the root or at a home.

    Raises:
        TypeError: naming the class and what is wrong.
    """
    where = f"{cls.__name__}.environment"
    try:
        environment = Environment.model_validate(
            described if isinstance(described, Environment) else {"set": described}
        )
    except ValidationError as error:
        raise TypeError(f"{where} is neither an Environment nor a dict of texts: {error.errors()[0]['msg']}") from error
    if problem := next(_problems(environment), None):
        raise TypeError(f"{where}: {problem}")
    folder = _folder_of(cls)
    return environment.model_copy(
        update={"source": tuple((_from(folder, path), *words) for path, *words in environment.scripts)}
    )


def _joined(*parts: str | None) -> str:
    return ":".join(filter(None, parts))


def _problems(environment: Environment) -> Iterator[str]:
    mappings = (environment.set, environment.prepend, environment.append, environment.secrets)
    for name in (*environment.unset, *(name for mapping in mappings for name in mapping)):
        yield from _problems_of_name(name)
    values = (item for mapping in mappings for item in mapping.items())
    yield from (f"the value of {name} holds a NUL character" for name, value in values if "\0" in value)
    yield from (f"{words!r} names no script" for words in environment.scripts if not _is_script(words))
    yield from (f"{name!r} names no module" for name in environment.modules if not _MODULE.fullmatch(name))
    for name in environment.secrets.values():
        if not _SECRET.fullmatch(name):
            yield f"{name!r} cannot be the name of a secret: letters, digits, '_', '-', and '.' but not as the first"


def _problems_of_name(name: str) -> Iterator[str]:
    if not _VARIABLE.fullmatch(name):
        yield f"{name!r} cannot be the name of a variable"
    if name in RESERVED_VARIABLES:
        yield f"{name} is set by Outrider"


def _is_script(words: tuple[str, ...]) -> bool:
    return bool(words and words[0]) and not any("\0" in word for word in words)


def _folder_of(cls: type[Any]) -> Path:
    """Return the folder of the file that defines a class; of one that was typed in, where that was done."""
    file = definition_file(cls)
    return file.parent if file else Path.cwd()


def _from(folder: Path, path: str) -> str:
    return path if path.startswith("~") else str(folder / path)
