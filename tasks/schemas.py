"""JSON Schemas, by which editors complete and check YAML files as they are written."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.errors import PydanticInvalidForJsonSchema

from ..tasklets import PLACES, Tasklets
from .description import TaskDescription
from .entry_schemas import entries_schema
from .job_file import JobFile

__all__ = ["job_schema", "program_schema", "task_schema"]

#: The newest that editors understand well.
_DIALECT = "http://json-schema.org/draft-07/schema#"
_REFERENCE = {"type": "string", "pattern": r"\{\{", "description": "a reference: {{ name }}"}

_Schema = dict[str, Any]


def task_schema(task: type[TaskDescription]) -> _Schema:
    """Return the schema of a file with a task's parameters, which may hold no references."""
    return {"$schema": _DIALECT, **_schema_of(task, "#/$defs/{model}")}


def program_schema() -> _Schema:
    """Return the schema of a file that describes a program."""
    from .programs.program_file import ProgramFile  # such models take a while to make

    return {"$schema": _DIALECT, **_schema_of(ProgramFile, "#/$defs/{model}")}


def job_schema(catalogue: Mapping[str, type[TaskDescription]], tasklets: Tasklets | None = None) -> _Schema:
    """Return the schema of a job file: its parameters are those of its task, and any value may be a reference.

    Args:
        catalogue: the tasks there are.
        tasklets: those there are; `None`: any name will do.
    """
    schema = _schema_of(JobFile, "#/$defs/{model}")
    definitions = {name: _open(definition) for name, definition in schema.pop("$defs", {}).items()}
    properties = schema["properties"]
    for place in PLACES:
        properties[place] |= entries_schema(tasklets)
    for key in ("limits", "retry", "queue", *PLACES, "without"):
        properties[key] = _or_reference(_open(properties[key]))
    properties["task"] = {"enum": list(catalogue), "description": "The name of a task."}
    properties["parameters"] = {"type": ["object", "string"], "description": "What the task gets."}
    schema["allOf"] = [_if_task(name, task) for name, task in catalogue.items()]
    tasks = {name: _open(_schema_of(task, f"#/$defs/tasks/{name}/$defs/{{model}}")) for name, task in catalogue.items()}
    return {"$schema": _DIALECT, **schema, "$defs": {**definitions, "tasks": tasks, "reference": _REFERENCE}}


def _if_task(name: str, task: type[TaskDescription]) -> _Schema:
    required = any(info.is_required() for info in task.model_fields.values())
    parameters = _or_reference({"$ref": f"#/$defs/tasks/{name}"})
    return {
        "if": {"properties": {"task": {"const": name}}, "required": ["task"]},
        "then": {"properties": {"parameters": parameters}, "required": ["parameters"] if required else []},
    }


def _schema_of(model: type[BaseModel], reference: str) -> _Schema:
    try:
        schema = model.model_json_schema(ref_template=reference)
    except PydanticInvalidForJsonSchema as error:  # a parameter may be of any Python type
        return {"type": "object", "description": f"no schema can be made: {error.message}"}
    said: _Schema = _in_dialect(schema)
    return said


def _in_dialect(schema: Any) -> Any:
    """Return a schema with tuples as the dialect says them."""
    if isinstance(schema, list):
        return [_in_dialect(inner) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    said = {key: _in_dialect(inner) for key, inner in schema.items()}
    if isinstance(said.get("prefixItems"), list):
        said |= {"items": said.pop("prefixItems"), "additionalItems": False}
    return said


def _open(schema: Any) -> Any:
    """Return a schema that takes a reference in the place of any value within."""
    if isinstance(schema, list):
        return [_open(inner) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: _opened_part(key, inner) for key, inner in schema.items()}


def _opened_part(keyword: str, part: Any) -> Any:
    match keyword, part:
        case (("properties" | "patternProperties"), dict()):
            return {name: _or_reference(_open(inner)) for name, inner in part.items()}
        case "$defs", dict():
            return {name: _open(inner) for name, inner in part.items()}
        case (("items" | "additionalProperties"), dict()):
            return _or_reference(_open(part))
        case "items", list():
            return [_or_reference(_open(inner)) for inner in part]
        case (("anyOf" | "oneOf" | "allOf"), list()):
            return _open(part)
        case _:
            return part


def _or_reference(schema: _Schema) -> _Schema:
    told: _Schema = {key: schema[key] for key in ("title", "description", "default") if key in schema}
    return {**told, "anyOf": [schema, {"$ref": "#/$defs/reference"}]}
