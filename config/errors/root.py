"""The root of all errors, and those of whoever starts something."""

__all__ = ["CatalogueError", "EmbeddedRedisError", "OutriderError", "SettingsError"]


class OutriderError(Exception):
    """The root of the tree."""


class SettingsError(OutriderError):
    """A setting is missing or wrong; the message names its environment variable."""


class EmbeddedRedisError(OutriderError):
    """The private redis-server could not be found or started."""


class CatalogueError(OutriderError):
    """A task module cannot be loaded, or two tasks share a name."""
