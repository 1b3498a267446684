"""Commands about tasks: what there is, what it takes, what it would run."""

import shlex
from pathlib import Path

import click
from pydantic.fields import FieldInfo
from rich.text import Text

from ...config import program_environment
from ...tasks import (
    Flag,
    NotAnArgument,
    PassThrough,
    Stdin,
    Stdout,
    TaskDescription,
    TaskField,
    ThirdPartyTask,
    WorkingDirectory,
)
from ...worker import plan_launch
from ..default import default_client
from .output import json_option, print_fields, print_json, print_table
from .parameters import parameter_option, task_from_words

__all__ = ["describe", "dry_run", "tasks"]

#: What a worker will put there.
_COOKIES = {
    "OUTRIDER_JOB": "<job id>",
    "OUTRIDER_ATTEMPT": "<attempt>",
    "OUTRIDER_WORKER": "<worker id>",
    "OUTRIDER_SOCKET": "<socket>",
}


@click.command()
@json_option
def tasks(as_json: bool) -> None:
    """List the tasks that can be submitted."""
    catalogue = default_client().catalogue
    if as_json:
        print_json([{"name": n, "version": t.version, "summary": _summary(t)} for n, t in catalogue.items()])
    else:
        print_table(("TASK", "PROGRAM", ""), [(n, _program(t), _summary(t)) for n, t in catalogue.items()])


@click.command()
@click.argument("task")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of the parameters.")
@json_option
def describe(task: str, schema: bool, as_json: bool) -> None:
    """Show a task's parameters and where they go on the command line."""
    cls = default_client().catalogue[task]
    if schema or as_json:
        print_json(cls.model_json_schema())
        return
    click.echo(f"{task} (version {cls.version}): {_summary(cls)}\nruns {_program(cls)}\n")
    rows = []
    for field in cls.task_fields():
        info = cls.model_fields[field.name]
        kind = str(getattr(info.annotation, "__name__", info.annotation)) if not field.is_list else str(info.annotation)
        type_name = kind.replace("pathlib.", "").replace("typing.", "")
        rows.append((field.parameter, type_name, _default(info), _goes_to(field)))
    print_table(("PARAMETER", "TYPE", "DEFAULT", "GOES TO"), rows)


@click.command("dry-run")
@click.argument("task")
@parameter_option
@json_option
def dry_run(task: str, words: tuple[str, ...], as_json: bool) -> None:
    """Show exactly what would run, without running it."""
    prepared = task_from_words(default_client().catalogue[task], words).with_absolute_inputs(Path.cwd())
    work = Path("<job directory>/attempt-1/work")
    directory = prepared.working_directory() or work
    launch = plan_launch(prepared.with_staged_outputs(work), directory, program_environment(), _COOKIES)
    outputs = _outputs(prepared, work)
    origins = {
        name: {"value": value, "from": "given" if name in prepared.model_fields_set else "default"}
        for name, value in prepared.parameters().items()
    }
    stdout = next((f.parameter for f in prepared.task_fields() if isinstance(f.place, Stdout)), "")
    streams = {"stdin": launch.stdin, "stdout": outputs[stdout]["written"] if stdout in outputs else None}
    if as_json:
        facts = {"argv": launch.argv, "directory": str(directory), "environment": launch.environment_difference}
        print_json({**facts, **streams, "outputs": outputs, "input_files": launch.input_files, "parameters": origins})
        return
    redirects = [f"{name} {path}" for name, path in streams.items() if path]
    print_fields(
        [
            ("command", shlex.join(launch.argv)),
            ("directory", str(directory)),
            ("streams", ", ".join(redirects)),
            *((f"output {name}", f"{way['written']} → {way['moved']}") for name, way in outputs.items()),
            *((f"${name}", value) for name, value in launch.environment_difference.items()),
            *((f"file {name}", Text(text)) for name, text in launch.input_files.items()),
        ]
    )
    click.echo()
    print_table(("PARAMETER", "VALUE", "FROM"), [(n, repr(o["value"]), str(o["from"])) for n, o in origins.items()])


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    if info.default_factory_takes_validated_data:
        return "follows from others"
    return repr(info.get_default(call_default_factory=True))


def _outputs(task: TaskDescription, work: Path) -> dict[str, dict[str, str]]:
    """Return, for each output, where the program writes it and where it is moved when the program has ended well."""
    places = work.parents[1] / "outputs"
    names = {field.name: field.parameter for field in task.task_fields()}
    return {
        names[name]: {"written": str(work / staged), "moved": str(places / getattr(task, name))}
        for name, staged in task.staged_outputs().items()
    }


def _goes_to(field: TaskField) -> str:
    match field.place:
        case Flag() as flag:
            name = flag.name or f"--{field.name.replace('_', '-')}"
            place = name if flag.joined is None else f"{name}{flag.joined}…"
        case NotAnArgument():
            place = ""
        case Stdin() | Stdout() as stream:
            place = type(stream).__name__.lower()
        case PassThrough():
            place = "after --"
        case WorkingDirectory():
            place = "working directory"
        case _:
            place = "word"
    return ", ".join(filter(None, (place, "output" if field.output else "")))


def _summary(task: type[TaskDescription]) -> str:
    doc = task.__dict__.get("__doc__") or ""
    return doc.strip().partition("\n")[0]


def _program(task: type[TaskDescription]) -> str:
    if issubclass(task, ThirdPartyTask):
        return shlex.join((task.executable, *task.subcommand))
    return f"python {task.__module__}:{task.__qualname__}"
