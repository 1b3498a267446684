"""What a worker adds to a task's own words before its program can be started."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from .launch_wrapper import LaunchWrapper

__all__ = ["Surroundings"]


@dataclass(frozen=True)
class Surroundings:
    """What must be asked or looked up before a launch can be planned."""

    #: What modules and scripts made of the inherited variables; `None`: there are none.
    captured: Mapping[str, str] | None = field(default=None, repr=False)
    #: The values of the secrets, by variable.
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    wrapper: LaunchWrapper = field(default_factory=LaunchWrapper)
