"""A task's fields with their markers, looked up and checked once per class."""

import types
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel

from .arguments import Flag, NotAnArgument, Output, PassThrough, Positional, Stdin, Stdout, WorkingDirectory

__all__ = ["Place", "TaskField", "check_field_names", "task_fields"]

Place = Flag | Positional | PassThrough | Stdin | Stdout | WorkingDirectory | NotAnArgument

#: What only one field of a task can be, with what people call it.
_SINGLE = {Stdin: "stdin", Stdout: "stdout", WorkingDirectory: "the working directory"}


@dataclass(frozen=True)
class TaskField:
    """A field: where its value goes, and whether it names a file that the program leaves or reads."""

    name: str
    place: Place
    output: Output | None
    is_path: bool
    is_list: bool
    #: What the parameter is called, where the field cannot have that name.
    alias: str | None = None
    #: Whether the value is one number, or `None`.
    is_number: bool = False

    @property
    def parameter(self) -> str:
        """What the parameter is called outside of the class."""
        return self.alias or self.name

    @property
    def is_input(self) -> bool:
        """Whether the value names files that must be there before the program starts."""
        return self.is_path and self.output is None and not self.is_working_directory

    @property
    def is_working_directory(self) -> bool:
        """Whether the value names the folder that the program is started in."""
        return isinstance(self.place, WorkingDirectory)


def check_field_names(cls: type[BaseModel], root: type[BaseModel]) -> None:
    """Make sure that no field hides what the class has from its bases, up to the root of all tasks.

    Raises:
        TypeError: naming the class, the field and what to do.
    """
    bases = [base for base in cls.__mro__[1:] if issubclass(base, root)]
    taken = {name for base in bases for name in (*vars(base), *base.__class_vars__)}
    for name in cls.model_fields:
        if name in taken:
            raise TypeError(
                f"{cls.__name__}.{name}: each task has {name!r} already, and no field can; rename the field. Its parameter "
                f"may keep the name: {name}_: Annotated[..., Field(alias={name!r})]"
            )


def task_fields(cls: type[BaseModel], *, need_places: bool = True) -> tuple[TaskField, ...]:
    """Return the fields of a task class in the order of their definition.

    Args:
        cls: the class.
        need_places: whether each field must say where its value goes on a command line.

    Raises:
        TypeError: naming the class, the field and what is wrong with its annotation.
    """
    unplaced = [] if need_places else [NotAnArgument()]
    fields = tuple(
        replace(_task_field(cls, name, info.annotation, _placed(info.metadata, unplaced)), alias=info.alias)
        for name, info in cls.model_fields.items()
    )
    for place, called in _SINGLE.items():
        names = [field.name for field in fields if isinstance(field.place, place)]
        if len(names) > 1:
            raise TypeError(f"{cls.__name__}: {' and '.join(names)} cannot both be {called}")
    return fields


def _placed(metadata: list[Any], unplaced: list[Any]) -> list[Any]:
    """Return a field's metadata, with what says where its value goes when nothing else does."""
    return metadata if _instances(metadata, Place | Output) else [*metadata, *unplaced]


def _task_field(cls: type[BaseModel], name: str, annotation: Any, metadata: list[Any]) -> TaskField:
    where = f"{cls.__name__}.{name}"
    places = _instances(metadata, Place)
    output = next(iter(_instances(metadata, Output)), None)
    leaves = set(_leaves(annotation))
    is_list = any(get_origin(kind) in (list, tuple) for kind in _alternatives(annotation))
    if len(places) > 1:
        raise TypeError(f"{where} has more than one of {', '.join(type(place).__name__ for place in places)}")
    if not places and output is None:
        raise TypeError(
            f"{where}: say where the value goes: Annotated[..., Flag(...)], Positional(), NotAnArgument(), …"
        )
    place = places[0] if places else NotAnArgument()
    if (output or isinstance(place, tuple(_SINGLE))) and (leaves - {type(None)} != {Path} or is_list):
        raise TypeError(f"{where} names one file or folder and must be a Path")
    if output and isinstance(place, WorkingDirectory):
        raise TypeError(f"{where}: a folder to work in is no output")
    if isinstance(place, Stdout) and output is None:
        output = Output(allow_empty=True)
    if isinstance(place, Flag):
        _check_flag(where, place, is_list=is_list, is_bool=bool in leaves)
    is_number = not is_list and leaves - {type(None)} <= {int, float}
    return TaskField(name, place, output, Path in leaves, is_list, is_number=is_number)


def _check_flag(where: str, flag: Flag, *, is_list: bool, is_bool: bool) -> None:
    if flag.repeat and flag.separator is not None:
        raise TypeError(f"{where}: a list is either repeated or joined by a separator")
    if (flag.repeat or flag.separator is not None) and not is_list:
        raise TypeError(f"{where}: repeat and separator are for lists")
    if is_list and flag.joined is not None and not flag.repeat and flag.separator is None:
        raise TypeError(f"{where}: a list whose name is joined to its value needs repeat=True or a separator")
    if flag.negative is not None and not is_bool:
        raise TypeError(f"{where}: negative is for bool")


def _instances(metadata: list[Any], kind: Any) -> list[Any]:
    return [item for item in metadata if isinstance(item, kind)]


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    """Return the members of a union, or the annotation alone."""
    return get_args(annotation) if get_origin(annotation) in (Union, types.UnionType) else (annotation,)


def _leaves(annotation: Any) -> list[Any]:
    """Return the types that values are made of: `list[Path] | None` gives `Path` and `NoneType`."""
    found: list[Any] = []
    for kind in _alternatives(annotation):
        arguments = [item for item in get_args(kind) if isinstance(item, type) or get_origin(item)]
        found += [leaf for item in arguments for leaf in _leaves(item)] if arguments else [kind]
    return found
