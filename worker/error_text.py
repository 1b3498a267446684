"""What an error that other people's code raised says of itself."""

__all__ = ["error_text"]


def error_text(error: BaseException) -> str:
    """Return an error's type and message; its type alone when its own code fails to say more."""
    name = type(error).__name__
    try:
        return f"{name}: {error}".encode("utf-8", "replace").decode()
    except Exception:  # noqa: BLE001 - `__str__` may be anybody's
        return name
