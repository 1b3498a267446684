"""The strict reading of YAML text; imported when a file is read, since PyYAML comes with it.

No tags, no merge keys, no second document, no key twice, no key that is not text; and bounds on how much an alias may
make of a small file.
"""

from pathlib import Path
from typing import Any

import yaml

from .document import Place, Spot, invalid_file
from .scalars import plain_value

__all__ = ["compose"]

_MOST_NODES = 100_000
_DEEPEST = 100
#: Characters of all scalars, of each alias anew; a file without aliases has fewer.
_MOST_CHARACTERS = 4 * 2**20


class _Refused(yaml.MarkedYAMLError):
    """Well-formed YAML that we do not take."""

    def __init__(self, mark: yaml.Mark | None, problem: str) -> None:
        super().__init__(problem=problem, problem_mark=mark)


class _Loader(yaml.SafeLoader):
    """Composes nodes, without tags and not too deep; what scalars mean is decided by `_Values`."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0
        self._nodes = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]  # the stubs leave it out
        if getattr(event, "tag", None) is not None:
            raise _Refused(
                event.start_mark, f"the tag {event.tag!r}: tags are not understood here; quote what begins with !"
            )
        self._nodes += 1
        self._depth += 1
        _check_size(self._nodes, self._depth, event.start_mark)
        try:
            node: yaml.Node | None = super().compose_node(parent, index)
        finally:
            self._depth -= 1
        return node

    def resolve(self, *_: Any) -> str:
        return ""


class _Values:
    """Makes values of nodes, each alias anew, and remembers where they stand."""

    def __init__(self) -> None:
        self.spots: dict[Place, Spot] = {}
        self.problems: list[str] = []
        self._nodes = self._characters = 0

    def of(self, node: yaml.Node, place: Place, line: int | None = None) -> Any:
        """Return a node's value; `line` is that of its key."""
        self._nodes += 1
        _check_size(self._nodes, len(place), node.start_mark)
        written = node.value if isinstance(node, yaml.ScalarNode) else ""
        self.spots[place] = Spot(line or _line(node.start_mark), written)
        match node:
            case yaml.MappingNode():
                return self._mapping(node, place)
            case yaml.SequenceNode():
                return [self.of(item, (*place, number)) for number, item in enumerate(node.value)]
            case _:
                return self._scalar(node)

    def _mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node)
            if key is None:
                continue
            if key in made:
                first = self.spots[(*place, key)].line
                self._complain(key_node, f"the key {key!r} is there already, in line {first}")
            else:
                made[key] = self.of(value_node, (*place, key), _line(key_node.start_mark))
        return made

    def _key(self, node: yaml.Node) -> str | None:
        if not isinstance(node, yaml.ScalarNode):
            self._complain(node, 'a key must be text; write a reference in quotes: "{{ name }}"')
            return None
        key = self._scalar(node)
        if not isinstance(key, str):
            self._complain(node, f"the key {node.value or 'null'} is no text; write it in quotes")
        elif key == "<<" and node.style is None:
            self._complain(node, "merge keys (<<) are not understood here")
        else:
            return key
        return None

    def _scalar(self, node: Any) -> Any:
        self._characters += len(node.value)
        if self._characters > _MOST_CHARACTERS:
            raise _Refused(node.start_mark, f"there are more than {_MOST_CHARACTERS} characters, aliases included")
        try:
            value = plain_value(node.value) if node.style is None else node.value
            str(value).encode()
        except UnicodeEncodeError:
            self._complain(node, "half a surrogate pair is no text")
        except ValueError:
            self._complain(node, f"a number of {len(node.value)} digits is too long; write it in quotes")
        else:
            return value
        return None

    def _complain(self, node: yaml.Node, words: str) -> None:
        self.problems.append(f"line {_line(node.start_mark)}: {words}")


def compose(path: Path, text: str) -> tuple[Any, dict[Place, Spot]]:
    """Return the value of a YAML text, and where its parts stand.

    Raises:
        InvalidFile: naming each problem with its line.
    """
    loader, values = _loader(path, text), _Values()
    try:
        node = loader.get_single_node()
        value = None if node is None else values.of(node, ())
    except yaml.MarkedYAMLError as error:
        raise invalid_file(path, [_sentence(error)]) from error
    except (ValueError, OverflowError) as error:  # an escape for a character that there is none of
        raise invalid_file(path, [f"line {_line(loader.get_mark())}: {error}"]) from error
    if values.problems:
        raise invalid_file(path, values.problems)
    return value, values.spots


def _loader(path: Path, text: str) -> _Loader:
    try:
        return _Loader(text)
    except yaml.reader.ReaderError as error:  # it looks at all characters at once
        where = f"line {text.count(chr(10), 0, error.position) + 1}"
        raise invalid_file(path, [f"{where}: the character U+{error.character:04X} is not allowed"]) from error


def _check_size(nodes: int, depth: int, mark: yaml.Mark | None) -> None:
    if nodes > _MOST_NODES:
        raise _Refused(mark, f"there are more than {_MOST_NODES} values, aliases included")
    if depth > _DEEPEST:
        raise _Refused(mark, f"there are more than {_DEEPEST} levels of values")


def _line(mark: Any) -> int:
    return int(mark.line) + 1


def _sentence(error: yaml.MarkedYAMLError) -> str:
    where = f"line {_line(error.problem_mark or error.context_mark)}"
    if "'\\t'" in str(error.problem):
        return f"{where}: a tab; YAML is indented by spaces"
    return f"{where}: {', '.join(filter(None, (error.context, error.problem)))}"
