"""How a job asks for a tasklet, and the ways in which people write that."""

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from ..config import Duration
from ..config.errors import InvalidTasklet
from .arguments import for_json
from .decorator import CELERY_PREFIX, NAME_PATTERN, Tasklet
from .words import call_from_words

__all__ = ["AskedFor", "TaskletCall", "When", "tasklet_calls"]

#: The ends of the program after which a tasklet runs; before the program all that matters is `success` so far.
When = Literal["success", "failure", "always"]

#: Options of a Celery signature that mean the same here.
_OPTIONS = frozenset({"queue", "time_limit"})
_EXPLICIT = frozenset({"tasklet", "arguments", "args", "kwargs", "partial", "when", "required", "time_limit", "queue"})


class TaskletCall(BaseModel):
    """One tasklet before or after a job: which, with what arguments, and when.

    Arguments are JSON values, and may hold references such as `{{ result.peak }}`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")

    tasklet: str = Field(pattern=f"^{NAME_PATTERN}$")
    args: tuple[JsonValue, ...] = ()
    kwargs: dict[str, JsonValue] = {}
    #: Whether it takes what came before, if an argument is missing.
    partial: bool = True
    when: When = "success"
    #: Whether the job fails with it.
    required: bool = True
    #: How long it may take; `None`: as long as the tasklet itself says.
    time_limit: Annotated[Duration, Field(gt=timedelta(0))] | None = None
    #: The queue whose worker runs it; `None`: the job's own worker, in the job's slot.
    queue: str | None = Field(default=None, min_length=1, max_length=200)

    @classmethod
    def of(cls, what: Any, **options: Any) -> Self:
        """Make a call of a Celery signature, a tasklet, a mapping, command-line words, or another call.

        Args:
            what: `plot.s(title="LaB6")`, `plot`, `{"plot": {"title": "LaB6"}}` or `"plot title=LaB6"`.
            options: `when`, `required`, `time_limit`, `queue`; they win over what `what` says.

        Raises:
            InvalidTasklet: naming what does not fit.
        """
        facts = {**_facts(what), **options}
        try:
            return cls.model_validate(facts)
        except ValidationError as error:
            raise InvalidTasklet(
                str(facts.get("tasklet", what)), [_problem(detail) for detail in error.errors()]
            ) from error


#: What people ask for tasklets by; a signature of Celery is one of the mappings.
_One = TaskletCall | Tasklet[..., Any] | Mapping[str, Any] | str
AskedFor = _One | Iterable[_One]


def tasklet_calls(what: Any) -> tuple[TaskletCall, ...]:
    """Return the calls of a list of anything that `TaskletCall.of` takes; a chain stands for its tasklets, in order.

    Raises:
        InvalidTasklet: naming what does not fit.
    """
    if isinstance(what, str | Mapping | Tasklet | TaskletCall) or not isinstance(what, Iterable):
        what = (what,)
    return tuple(TaskletCall.of(item) for one in what for item in _flat(one))


def _flat(what: Any) -> list[Any]:
    """Return the signatures of a chain, chains in it included; else the thing itself."""
    if not (_is_signature(what) and what["task"] == "celery.chain"):
        return [what]
    if problem := _strange_options(what, known=frozenset()):
        raise InvalidTasklet("chain", [f"{problem}; set it for each tasklet"])
    return [item for one in what["kwargs"]["tasks"] for item in _flat(one)]


def _facts(what: Any) -> dict[str, Any]:
    match what:
        case TaskletCall():
            return dict(what)
        case Tasklet():
            return {"tasklet": what.name}
        case str():
            return call_from_words(what)
        case Mapping() if _is_signature(what):
            return _from_signature(what)
        case Mapping():
            return _from_mapping(what)
        case _:
            advice = "give a signature such as plot.s(), a tasklet, a mapping, or words such as 'plot title=LaB6'"
            raise InvalidTasklet(repr(what), [advice])


def _is_signature(what: Any) -> bool:
    """Whether it is a signature of Celery, which is a mapping, live or from JSON."""
    return isinstance(what, Mapping) and {"task", "args", "kwargs", "options", "immutable"} <= what.keys()


def _from_signature(signature: Mapping[str, Any]) -> dict[str, Any]:
    name = str(signature["task"])
    if re.fullmatch(r"celery\.(group|chord|starmap|map|chunks)", name):
        raise InvalidTasklet(name, ["the tasklets of a job run one after another: list them, or chain them"])
    if not name.startswith(CELERY_PREFIX):
        raise InvalidTasklet(name, ["this is another Celery task; make it a tasklet with @outrider.tasklet"])
    name = name.removeprefix(CELERY_PREFIX)
    if problem := _strange_options(signature, _OPTIONS):
        raise InvalidTasklet(name, [problem])
    try:
        args, kwargs = for_json(name, signature["args"], signature["kwargs"])
    except TypeError as error:
        raise InvalidTasklet(name, [str(error)]) from error
    facts = {"tasklet": name, "args": args, "kwargs": kwargs, "partial": not signature["immutable"]}
    return facts | {key: value for key, value in signature["options"].items() if value is not None}


def _strange_options(signature: Mapping[str, Any], known: frozenset[str]) -> str | None:
    strange = [f"{key}={value!r}" for key, value in signature["options"].items() if key not in known and value]
    return f"beside a job, a signature's {', '.join(strange)} means nothing" if strange else None


def _from_mapping(mapping: Mapping[Any, Any]) -> dict[str, Any]:
    """Read `{plot: {title: LaB6}}`, or `{tasklet: plot, arguments: {...}, when: always}`."""
    if "tasklet" not in mapping:
        return _from_short_mapping(mapping)
    name = str(mapping["tasklet"])
    if strange := [str(key) for key in mapping if key not in _EXPLICIT]:
        known = "arguments, when, required, time_limit and queue"
        raise InvalidTasklet(name, [f"{', '.join(strange)}: unknown; beside tasklet there are {known}"])
    facts = {key: value for key, value in mapping.items() if key != "arguments"}
    if "arguments" not in mapping:
        return facts
    if facts.keys() & {"args", "kwargs"}:
        raise InvalidTasklet(name, ["give arguments, or args and kwargs"])
    return facts | _arguments(name, mapping["arguments"])


def _from_short_mapping(mapping: Mapping[Any, Any]) -> dict[str, Any]:
    if len(mapping) != 1:
        advice = "give one name with its arguments, as in `plot: {title: LaB6}`, or `tasklet: plot` with its options"
        raise InvalidTasklet(", ".join(map(str, mapping)) or "{}", [advice])
    ((name, arguments),) = mapping.items()
    return {"tasklet": name} | _arguments(str(name), arguments)


def _arguments(name: str, arguments: Any) -> dict[str, Any]:
    match arguments:
        case None:
            return {}
        case Mapping():
            return {"kwargs": dict(arguments)}
        case list() | tuple():
            return {"args": tuple(arguments)}
        case str() | int() | float():
            return {"args": (arguments,)}
        case _:
            raise InvalidTasklet(name, [f"arguments are a mapping or a list, not {arguments!r}"])


def _problem(detail: Any) -> str:
    place = ".".join(map(str, detail["loc"]))
    return f"{place}={detail['input']!r}: {detail['msg']}"
