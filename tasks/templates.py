"""Files that a task's program needs, such as a configuration, with parameters filled in.

jinja2 is imported when the first class declares a template, not before.
"""

import os
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from ..config import did_you_mean
from ..config.errors import CannotRun
from .definitions import definition_file
from .template_file import template_text

if TYPE_CHECKING:
    from jinja2 import Environment, nodes

    from .description import TaskDescription

__all__ = ["FileTemplate", "templates_of"]


class FileTemplate:
    """The template of one file."""

    def __init__(self, where: str, name: str, text: str) -> None:
        """Check and translate a template.

        Args:
            where: whose it is, for people.
            name: the file's name in the working directory.
            text: the template itself.

        Raises:
            TypeError: naming the template, the line and what is wrong.
        """
        from jinja2 import Template, TemplateSyntaxError

        from .template_sandbox import with_bounds

        self.name = name
        self._where = f"{where}: template {name!r}"
        environment = _sandbox()
        try:
            parsed = environment.parse(text, name, name)
            self._check_alone(parsed)
            self._names = _undeclared(parsed, environment)
            code = environment.compile(with_bounds(parsed, environment), name, name)
        except TemplateSyntaxError as error:
            raise TypeError(f"{self._where}, line {error.lineno}: {error.message}") from error
        except RecursionError as error:
            raise TypeError(f"{self._where}: is nested too deeply") from error
        self._template = Template.from_code(environment, code, environment.globals)

    def check_names(self, parameters: Iterable[str]) -> None:
        """Make sure that all names in the template are parameters.

        Raises:
            TypeError: naming one that is not, and its line.
        """
        known = list(parameters)
        for name, line in self._names.items():
            if name not in known:
                hint = did_you_mean(name, known)
                raise TypeError(f"{self._where}, line {line}: no parameter is called {name!r}{hint}")

    def render(self, values: Mapping[str, Any]) -> str:
        """Return the file's text for these parameters.

        Raises:
            CannotRun: when a value has not what the template asks for, naming the template, the line and what.
        """
        from .template_sandbox import BUDGET, Budget

        pieces, length = [], Budget()
        try:
            for piece in self._template.generate({**values, BUDGET: Budget()}):
                length.spend(len(piece))
                pieces.append(piece)
        except Exception as error:  # a value that is none for a filter may raise anything
            raise CannotRun("validation", f"{self._where}{self._line(error)}: {_said(error)}") from error
        return "".join(pieces)

    def _check_alone(self, parsed: "nodes.Template") -> None:
        from jinja2 import nodes

        for node in parsed.find_all(nodes.Stmt):
            if isinstance(node, nodes.Include | nodes.Import | nodes.FromImport | nodes.Extends):
                what = type(node).__name__.lower()
                raise TypeError(f"{self._where}, line {node.lineno}: {what}: a template stands alone")

    def _line(self, error: Exception) -> str:
        """Return where in the template an error arose; jinja2 makes tracebacks speak of templates."""
        traceback, line = error.__traceback__, 0
        while traceback is not None:
            if traceback.tb_frame.f_code.co_filename == self.name:
                line = traceback.tb_lineno
            traceback = traceback.tb_next
        return f", line {line}" if line else ""


def templates_of(cls: type["TaskDescription"]) -> tuple[FileTemplate, ...]:
    """Return the templates of a task class, checked; a base of other classes need not have all parameters yet.

    Raises:
        TypeError: naming the class, the template, the line if there is one, and what is wrong.
    """
    if not cls.templates:
        return ()
    found = []
    for name, source in cls.templates.items():
        where = f"{cls.__name__}: template {name!r}"
        _check_file_name(where, name)
        template = FileTemplate(cls.__name__, name, _text(cls, where, source))
        if cls.is_complete():
            template.check_names(field.parameter for field in cls.task_fields())
        found.append(template)
    return tuple(found)


def _check_file_name(where: str, name: object) -> None:
    """Make sure that a name leads into the working directory.

    Raises:
        TypeError: when it is none, or leads out.
    """
    path = PurePosixPath(name) if isinstance(name, str) else PurePosixPath()
    if not path.parts or path.is_absolute() or ".." in path.parts or "\0" in str(path):
        raise TypeError(f"{where}: is called by a file's name in the working directory, such as 'run/analysis.conf'")


def _text(cls: type["TaskDescription"], where: str, source: object) -> str:
    if isinstance(source, str):
        return source
    if not isinstance(source, Path):
        raise TypeError(f"{where}: is {source!r}; give its text, or the Path of a file beside the module")
    path = _beside_module(cls, where, source)
    try:
        return template_text(path)
    except ValueError as error:
        raise TypeError(f"{where}: {error}") from error


def _beside_module(cls: type["TaskDescription"], where: str, source: Path) -> Path:
    """Return the file, with links followed, that lies in the folder of the file which declares the templates."""
    owner = next(base for base in cls.__mro__ if "templates" in vars(base))
    file = definition_file(owner)
    if file is None:
        raise TypeError(
            f"{where}: the module {owner.__module__} is no file that {source} could lie beside; give the text"
        )
    folder = os.path.dirname(os.path.realpath(file))
    path = Path(os.path.realpath(os.path.join(folder, source)))
    if not path.is_relative_to(folder):
        raise TypeError(f"{where}: {source} leads to {path}, out of the folder {folder}")
    return path


def _undeclared(parsed: "nodes.Template", environment: "Environment") -> dict[str, int]:
    """Return the names that a template expects, with the first line of each."""
    from jinja2 import meta, nodes

    missing = meta.find_undeclared_variables(parsed) - set(environment.globals)
    lines = [(node.lineno, node.name) for node in parsed.find_all(nodes.Name) if node.name in missing]
    return {name: line for line, name in sorted(lines, reverse=True)}


def _said(error: Exception) -> str:
    from jinja2 import TemplateError

    return str(error) if isinstance(error, TemplateError) else f"{type(error).__name__}: {error}"


@cache
def _sandbox() -> "Environment":
    from .template_sandbox import Sandbox

    return Sandbox()
