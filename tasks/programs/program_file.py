"""A program's description as a file: everything that a class says, but no code."""

from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from ...config import Duration, Limits, RetryPolicy
from ..buffering import Buffering
from ..progress import FileGrowth, JsonProgress
from ..tally import Tally
from ..tasklet_entries import Entries
from .parameter_entry import ParameterEntry
from .result_entry import ResultEntry

__all__ = ["ProgramFile"]

_STRICT = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

TaskName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=100)]
ParameterName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=100)]


class JsonProgressEntry(BaseModel):
    """The program prints JSON objects, one per line."""

    model_config = _STRICT

    done: str
    """The field that says what is done; a dot leads into an inner object."""
    total: float | str = 0
    """The field that says what there is to do, or a number; 0: nobody knows."""
    unit: str = ""
    """What is counted."""


class GrowthEntry(BaseModel):
    """An output grows while the program works."""

    model_config = _STRICT

    output: str
    """The parameter that names the output."""
    expected: int | str = 0
    """Its size in the end, such as `20 MiB`; 0: nobody knows."""
    interval: Duration = FileGrowth("").interval
    """How often it is looked at."""


class TallyEntry(BaseModel):
    """The program prints something for each thing that is done."""

    model_config = _STRICT

    pattern: str
    """A regular expression for what is counted; the numbers in a group `count` are added up."""
    total: float | str = 0
    """How many there will be, or the parameter that says so; 0: nobody knows."""
    unit: str = ""
    """What is counted."""


class ProgressEntry(BaseModel):
    """How to tell how far the program is; one of four ways."""

    model_config = _STRICT

    pattern: str | None = None
    """A regular expression with a group `percent`, or `done` and perhaps `total` and `unit`."""
    json_lines: JsonProgressEntry | None = Field(default=None, alias="json")
    growth: GrowthEntry | None = None
    tally: TallyEntry | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        ways = (self.pattern, self.json_lines, self.growth, self.tally)
        if len([way for way in ways if way is not None]) != 1:
            raise ValueError("write a regular expression, or one of json, growth and tally")
        return self

    def description(self, field_of: dict[str, str]) -> str | JsonProgress | FileGrowth | Tally:
        """Return it as a class has it; `field_of` has the names of the fields by those of the parameters."""
        if self.json_lines:
            return JsonProgress(self.json_lines.done, self.json_lines.total, self.json_lines.unit)
        if self.growth:
            output = field_of.get(self.growth.output, self.growth.output)
            return FileGrowth(output, self.growth.expected, self.growth.interval)
        if self.tally:
            total = (
                field_of.get(self.tally.total, self.tally.total)
                if isinstance(self.tally.total, str)
                else self.tally.total
            )
            return Tally(self.tally.pattern, total, self.tally.unit)
        return self.pattern or ""


class ProgramFile(BaseModel):
    """A program, and how it is run."""

    model_config = _STRICT

    name: TaskName | None = None
    """The task's name; default: the file's, without its ending."""
    description: str = ""
    """The first line is what `outrider tasks` shows."""
    version: str = "1"
    """The version of this description; it goes into the record of each job."""
    executable: Annotated[str, Field(min_length=1)]
    """A name on PATH, or a path; a relative one begins at this file's folder."""
    subcommand: list[str] = []
    """Words between the executable and its options."""
    version_arguments: list[str] = []
    """Arguments that make the program print its version."""
    parameters: Annotated[
        dict[ParameterName, ParameterEntry], Field(json_schema_extra={"additionalProperties": False})
    ] = {}
    """What a job gives; options, then positionals, in this order."""
    progress: Annotated[
        ProgressEntry | None,
        BeforeValidator(
            lambda v: {"pattern": v} if isinstance(v, str) else v, json_schema_input_type=str | ProgressEntry
        ),
    ] = None
    """How to tell how far the program is."""
    buffering: Buffering = "program"
    """What makes the program print in time."""
    environment: dict[str, Any] = {}
    """Variables set for the program; or more than that, by the keys of a class's `Environment`."""
    templates: dict[str, str] = {}
    """Files to be rendered into the working directory: their names, and their templates beside this file."""
    limits: Limits = Limits()
    """Bounds on a job."""
    retry: RetryPolicy = RetryPolicy()
    """Which ends are followed by another attempt."""
    exclusive: bool = False
    """Whether two attempts must never run at the same time."""
    before: Entries = []
    """Tasklets before each job's program."""
    after: Entries = []
    """Tasklets after each job's program."""
    result: ResultEntry | None = None
    """What the result is; default: the program's run, with its outputs."""
