"""What a signal is called."""

from signal import Signals

__all__ = ["signal_name"]


def signal_name(number: int) -> str:
    """Return a signal's name."""
    try:
        return Signals(number).name
    except ValueError:  # a real-time signal between the two that have names
        return f"SIG{number}"
