"""Tasks whose results are no JSON, or large; workers of the tests import them by OUTRIDER_TASKS."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar

import numpy as np

from outrider import NotAnArgument, Opaque, ProgramRun, StoredFile, ThirdPartyTask


@dataclass
class Pattern:
    """Arrays among other things."""

    title: str
    taken: datetime
    image: np.ndarray
    masks: dict[str, np.ndarray]


class Photograph(ThirdPartyTask):
    """A dataclass of arrays, of which one is large."""

    executable: ClassVar[str] = "true"

    side: Annotated[int, NotAnArgument()] = 300

    def read_result(self, run: ProgramRun) -> Pattern:
        image = np.arange(self.side**2, dtype=">f4").reshape(self.side, self.side, order="F")
        return Pattern("first light", datetime(2024, 5, 6), image, {"hot": np.array([[True, False]])})  # noqa: DTZ001


class Fills(ThirdPartyTask):
    """As many megabytes as are asked for, in one of several ways."""

    executable: ClassVar[str] = "true"

    megabytes: Annotated[float, NotAnArgument()]
    kind: Annotated[str, NotAnArgument()]

    def read_result(self, run: ProgramRun) -> Any:
        size = int(self.megabytes * 1e6)
        match self.kind:
            case "array":
                return np.full(size // 8, 7.0)
            case "bytes":
                return bytes(size)
            case "text":
                return "x" * size
            case _:
                return [1234567] * (size // 8)


@dataclass
class Report:
    """What arrives is said by the type: a picture, and an object that waits to be unpickled."""

    plot: StoredFile
    thing: Opaque
    count: int


class Draws(ThirdPartyTask):
    """A figure and an object of a class that pydantic knows nothing of."""

    executable: ClassVar[str] = "true"

    def read_result(self, run: ProgramRun) -> Report:
        from matplotlib.figure import Figure

        figure = Figure(figsize=(1, 1))
        figure.subplots().plot([1, 2])
        return Report(figure, np.ma.masked_array([1, 2], [True, False]), 3)
