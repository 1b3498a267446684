"""Serving programs that are not Python: requests on standard input, answers on standard output, a line of JSON each."""

from .driver import DriveOptions
from .pipes import Pipes, take_pipes
from .serving import STRATEGIES, serve

__all__ = ["STRATEGIES", "DriveOptions", "Pipes", "serve", "take_pipes"]
