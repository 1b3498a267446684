"""Small steps before and after a program."""

from .plots import plot_curve
from .tables import Peak, strongest_peak

__all__ = ["Peak", "plot_curve", "strongest_peak"]
