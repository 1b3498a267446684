"""A real analysis from end to end, on this machine."""

from .run import run_demo

__all__ = ["run_demo"]
