"""One Redis, three spellings: redis-py's URL, kombu's, and one that may be shown to people."""

from urllib.parse import parse_qs, urlsplit

from .errors import SettingsError

_SCHEMES = ("redis", "rediss", "unix")


def check_redis_url(url: str, variable: str) -> str:
    """Return `url` if redis-py understands its scheme.

    Raises:
        SettingsError: for any other scheme, naming the variable.
    """
    if urlsplit(url).scheme not in _SCHEMES:
        raise SettingsError(f"{variable}={shown(url)!r}: give redis://host:port/db, rediss://… or unix:///path?db=0")
    return url


def for_kombu(url: str) -> str:
    """Return the broker URL that kombu understands (`redis+socket://` for a Unix socket)."""
    return _for_socket(url, "redis+socket") if url.startswith("unix:") else url


def for_celery_results(url: str) -> str:
    """Return the URL that Celery's Redis result backend understands (`socket://` for a Unix socket)."""
    return _for_socket(url, "socket") if url.startswith("unix:") else url


def shown(url: str) -> str:
    """Return the URL without its password, fit for messages and logs."""
    parts = urlsplit(url)
    if parts.password is None:
        return url
    return url.replace(f":{parts.password}@", ":***@", 1)


def _for_socket(url: str, scheme: str) -> str:
    parts = urlsplit(url)
    database = parse_qs(parts.query).get("db", ["0"])[0]
    return f"{scheme}://{parts.path}?virtual_host={database}"
