"""Variables for people's eyes and for the record."""

import os
import re
from collections.abc import Collection, Mapping

__all__ = ["MASK", "masked"]

#: What stands in a record in place of a secret.
MASK = "***"

#: Names of variables that say that they hold a secret.
_TELLING = re.compile(
    r"(^|_)([A-Z0-9]*PASSWORD|[A-Z0-9]*PASSWD|[A-Z0-9]*PASSPHRASE|SECRETS?|TOKENS?|CREDENTIALS?|(API|ACCESS|PRIVATE)_?KEY"
    r"|(?<=_)PWD)(_|$)",
    re.IGNORECASE,
)
#: The password in `scheme://user:password@host` (RFC 3986, 3.2.1), up to the last @ of the authority.
_URL_PASSWORD = re.compile(r"(?<=://)([^\s/:@]*):[^\s/]*@")


def masked(variables: Mapping[str, str], secret_names: Collection[str]) -> dict[str, str]:
    """Return variables without secrets: those that are named, those whose names say so, and passwords in URLs.

    A named secret is masked wherever its value stands. What is no Unicode is replaced.
    """
    secrets = sorted(filter(None, (variables.get(name) for name in secret_names)), key=len, reverse=True)
    return {_text(name): _masked(name, value, name in secret_names, secrets) for name, value in variables.items()}


def _masked(name: str, value: str, is_secret: bool, secrets: list[str]) -> str:  # noqa: FBT001 - ours alone
    if is_secret or _TELLING.search(name):
        return MASK
    for secret in secrets:
        value = value.replace(secret, MASK)
    return _URL_PASSWORD.sub(rf"\1:{MASK}@", _text(value))


def _text(value: str) -> str:
    return os.fsencode(value).decode("utf-8", "replace")
