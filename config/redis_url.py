"""One Redis, three spellings: redis-py's URL, kombu's, and one that may be shown to people."""

import re
from urllib.parse import parse_qs, urlsplit

from .errors import SettingsError

_SCHEMES = ("redis", "rediss", "unix")
_PASSWORDS = (
    re.compile(r"(://[^:@/?]*:).+(?=@)"),
    re.compile(r"([?&][\w-]*(?:password|passwd|secret|token|key|credential|signature|sig)=)[^&\s'\"]+", re.IGNORECASE),
)


def check_redis_url(url: str, variable: str) -> str:
    """Return `url` if redis-py understands its scheme.

    Raises:
        SettingsError: for anything else, naming the variable.
    """
    try:
        known = urlsplit(url).scheme in _SCHEMES
    except ValueError:
        known = False
    if not known:
        raise SettingsError(f"{variable}={shown(url)!r}: give redis://host:port/db, rediss://… or unix:///path?db=0")
    return url


def for_kombu(url: str) -> str:
    """Return the broker URL that kombu understands (`redis+socket://` for a Unix socket)."""
    return _for_socket(url, "redis+socket") if url.startswith("unix:") else url


def for_celery_results(url: str) -> str:
    """Return the URL that Celery's Redis result backend understands (`socket://` for a Unix socket)."""
    return _for_socket(url, "socket") if url.startswith("unix:") else url


def shown(url: str) -> str:
    """Return a URL, or a text that holds one, without its password, fit for messages and logs."""
    for password in _PASSWORDS:
        url = password.sub(r"\1***", url)
    return url


def _for_socket(url: str, scheme: str) -> str:
    parts = urlsplit(url)
    words = parse_qs(parts.query)
    password = parts.password or words.get("password", [""])[0]
    user = parts.username or words.get("username", [""])[0]
    login = f"{user}:{password}@" if password else ""
    return f"{scheme}://{login}{parts.path}?virtual_host={words.get('db', ['0'])[0]}"
