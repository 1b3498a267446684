"""A parameter of a program, as a file describes it, and the annotated field that it becomes."""

import types
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, TypeAdapter, model_validator
from pydantic_core import SchemaError

from ..arguments import Flag, NotAnArgument, Output, PassThrough, Positional, Stdin, Stdout, WorkingDirectory

__all__ = ["ParameterEntry"]

_Kind = Literal["bool", "int", "float", "text", "path", "choice"]
_KINDS: dict[str, Any] = {"bool": bool, "int": int, "float": float, "text": str, "path": Path, "choice": None}
_NUMBERS = ("int", "float")


def _check_kind(value: Any) -> str | list[str]:
    word = value[0] if isinstance(value, list) and len(value) == 1 else value
    if not isinstance(word, str) or word not in _KINDS:
        raise ValueError(f"write one of {', '.join(_KINDS)}, or [one of them] for a list")
    return [word] if isinstance(value, list) else word


def _check_pattern(value: str) -> str:
    try:
        TypeAdapter(Annotated[str, Field(pattern=value)])
    except SchemaError as error:
        raise ValueError(f"is no regular expression: {error}") from error
    return value


def _not_a_switch(value: Any) -> Any:
    """Refuse what YAML 1.1 took for a truth value, where any text would do, or a mapping."""
    if isinstance(value, str) and value.lower() in ("yes", "no", "on", "off"):
        raise ValueError("is text in YAML 1.2; write true or false")
    return value


class OutputEntry(BaseModel):
    """What is asked of a file that the program leaves."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: Whether the job succeeds without the file.
    optional: bool = False
    #: Whether the file may have no bytes.
    allow_empty: bool = False


class ParameterEntry(BaseModel):
    """A parameter: its type, and where its value goes."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    type: Annotated[
        str | list[str],
        PlainValidator(
            _check_kind, json_schema_input_type=_Kind | Annotated[list[_Kind], Field(min_length=1, max_length=1)]
        ),
    ]
    """The type of the value; in brackets: a list of such values."""
    description: str = ""
    """For people."""
    choices: list[str] = []
    """What a `choice` may be."""
    default: Any = None
    """The value when none is given; without a default the parameter is required."""
    optional: bool = False
    """Whether there may be no value at all."""
    minimum: float | None = None
    """The least number."""
    maximum: float | None = None
    """The largest number."""
    pattern: Annotated[str, BeforeValidator(_check_pattern)] | None = None
    """A regular expression that is found in each text."""

    flag: Annotated[
        str | None, BeforeValidator(lambda v: "" if v is True else _not_a_switch(v), json_schema_input_type=str | bool)
    ] = None
    """The option's name with its dashes; `true`: the parameter's name with `--` before it."""
    joined: str | None = None
    """What stands between name and value when they are one word."""
    negative: str | None = None
    """The word for `false`."""
    separator: str | None = None
    """What stands between the items of a list when they are one word."""
    repeat: bool = False
    """Whether each item of a list gets the name again."""
    positional: bool = False
    """The value is a word, or words, without a name."""
    pass_through: bool = False
    """The words go to the end of the command line, after `--`."""
    stdin: bool = False
    """The file is the program's standard input."""
    stdout: bool = False
    """Standard output goes to the file, which is an output."""
    working_directory: bool = False
    """The program is started in this folder, which an operator must have allowed."""
    argument: bool = True
    """`false`: the value is no word on the command line; a template uses it."""
    output: Annotated[
        OutputEntry | None,
        BeforeValidator(
            lambda v: {True: {}, False: None}[v] if isinstance(v, bool) else _not_a_switch(v),
            json_schema_input_type=bool | OutputEntry,
        ),
    ] = None
    """The program leaves this file in its working directory."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        places = self._places()
        if len(places) > 1 or (not places and self.output is None):
            raise ValueError(
                "say where the value goes by one of flag, positional, pass_through, stdin, stdout, working_directory, "
                "argument: false"
            )
        if self.flag is None and (self.repeat or (self.joined, self.negative, self.separator) != (None, None, None)):
            raise ValueError("joined, negative, separator and repeat are for a flag")
        if bool(self.choices) != (self.kind == "choice"):
            raise ValueError("a choice needs choices, and nothing else has them")
        if self.kind not in _NUMBERS and (self.minimum, self.maximum) != (None, None):
            raise ValueError("minimum and maximum are for int and float")
        if self.kind != "text" and self.pattern is not None:
            raise ValueError("pattern is for text")
        return self

    @property
    def kind(self) -> str:
        """The type of the value, or of each item of a list."""
        return self.type[0] if isinstance(self.type, list) else self.type

    @property
    def is_required(self) -> bool:
        """Whether each job must give a value."""
        return not self.optional and "default" not in self.model_fields_set

    def annotation(self, name: str, alias: str | None) -> Any:
        """Return the type of the field with its markers.

        Args:
            name: of the parameter.
            alias: the parameter's name, where the field has another.
        """
        kind: Any = Literal[tuple(self.choices)] if self.choices else _KINDS[self.kind]
        item: Any = Annotated[kind, Field(ge=self.minimum, le=self.maximum, pattern=self.pattern)]
        whole: Any = types.GenericAlias(list, item) if isinstance(self.type, list) else item
        if self.optional:
            whole = whole | None
        markers = [*self._places(f"--{name.replace('_', '-')}"), *self._outputs()]
        annotated: Any = Annotated
        return annotated[(whole, *markers, Field(alias=alias, description=self.description or None))]

    def _places(self, default_flag: str = "") -> list[Any]:
        flag = Flag(self.flag or default_flag, self.joined, self.negative, self.separator, self.repeat)
        possible = [
            (self.flag is not None, flag),
            (self.positional, Positional()),
            (self.pass_through, PassThrough()),
            (self.stdin, Stdin()),
            (self.stdout, Stdout()),
            (self.working_directory, WorkingDirectory()),
            (not self.argument, NotAnArgument()),
        ]
        return [place for is_meant, place in possible if is_meant]

    def _outputs(self) -> list[Output]:
        return [Output(self.output.allow_empty, self.output.optional)] if self.output else []
