"""Who may be started in a folder that is not the job's own."""

from .fields import TaskField

__all__ = ["check_working_directory", "refuse_working_directory"]


def check_working_directory(where: str, fields: tuple[TaskField, ...], *, makes_files: bool) -> None:
    """Make sure that a class which names a folder to work in has no files made there.

    Raises:
        TypeError: naming the class, the field and why.
    """
    if makes_files and (name := _chosen(fields)):
        raise TypeError(
            f"{where}.{name} is the working directory, and the class has files made in it (templates or input_files): they "
            "would land in a folder that is not the job's. Leave one of the two out"
        )


def refuse_working_directory(where: str, fields: tuple[TaskField, ...]) -> None:
    """Make sure that a first-party task has no field for its working directory.

    Raises:
        TypeError: naming the class, the field and what to do.
    """
    if name := _chosen(fields):
        raise TypeError(f"{where}.{name}: Python code is started in the job's directory; it may call os.chdir itself")


def _chosen(fields: tuple[TaskField, ...]) -> str | None:
    return next((field.name for field in fields if field.is_working_directory), None)
