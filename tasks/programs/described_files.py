"""Which YAML files a list of task sources means, and the programs that they describe."""

from collections.abc import Iterable
from pathlib import Path

from ...config import YAML_ENDINGS, is_file_source
from ...config.errors import CatalogueError
from ..files import read_document
from ..third_party import ThirdPartyTask

__all__ = ["described_files", "load_program"]


def described_files(sources: Iterable[str], folder: Path) -> list[Path]:
    """Return the files that are named, and those of the folders that are, each once; relative paths begin at `folder`.

    Raises:
        CatalogueError: when a path is neither a YAML file nor a folder.
    """
    found: list[Path] = []
    for path in (folder / Path(source).expanduser() for source in sources if is_file_source(source)):
        if path.is_dir():
            found += sorted(file for file in path.iterdir() if file.name.endswith(YAML_ENDINGS) and file.name[0] != ".")
        elif path.name.endswith(YAML_ENDINGS):
            found.append(path)
        else:
            raise CatalogueError(f"{path} (in OUTRIDER_TASKS) is neither a folder nor a file whose name ends in .yaml")
    return list(dict.fromkeys(Path(file).resolve() for file in found))


def load_program(path: Path | str) -> type[ThirdPartyTask]:
    """Return the task that a file describes.

    Raises:
        InvalidFile: naming each problem with its line.
    """
    from .program_class import described_program  # the models of such files take a while to make

    return described_program(read_document(path))
