"""The record of a closed job on disk: it outlives the ledger's."""

import os
from pathlib import Path

from pydantic import ValidationError

from ..config import open_regular
from ..config.errors import RecordDamaged
from .record import JobRecord

__all__ = ["RECORD_FILE", "read_record"]

#: Its name, in the job's directory and in that of each attempt.
RECORD_FILE = "record.json"
#: More bytes than this are no record.
_LARGEST = 256 * 2**20


def read_record(folder: Path) -> JobRecord:
    """Read the record from a job's directory, where it is once the job is closed.

    What the ledger knows is the truth for as long as it knows it: a program can write here as well.

    Raises:
        FileNotFoundError: when there is no such folder, or no record in it.
        RecordDamaged: when it cannot be read, or is no record.
    """
    path = folder / RECORD_FILE
    try:
        return JobRecord.model_validate_json(_content(path))
    except FileNotFoundError:
        raise
    except OSError as error:
        raise RecordDamaged(str(path), error.strerror or str(error)) from error
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, problem["loc"])) or "the document"
        raise RecordDamaged(str(path), f"{where}: {problem['msg']}") from error


def _content(path: Path) -> bytes:
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > _LARGEST:
            raise RecordDamaged(str(path), f"it has {size} bytes")
        return file.read(_LARGEST)
