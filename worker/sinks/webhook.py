"""Notices by HTTP: an electronic logbook, a chat, anything that takes a POST."""

import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic_core import to_json

from ...config.errors import SettingsError
from .attachments import Attachment, read_attachments
from .lone_thread import LoneThread
from .notice import Notice
from .sink import SinkError, Undeliverable

if TYPE_CHECKING:
    import httpx

__all__ = ["Webhook"]

_SUCCESS = range(200, 300)
#: Besides what is the server's fault: it was slow, or has no time for us now (RFC 9110, RFC 6585).
_MAY_WORK_LATER = frozenset({408, 425, 429})
_SERVER_ERROR = 500


class Webhook:
    """Posts a notice as JSON; one with attachments as a form with the JSON in `notice` and the files in `attachments`."""

    def __init__(self, url: str) -> None:
        """Post to a URL, which may hold a secret anywhere behind the host.

        Raises:
            SettingsError: when it is none.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            parts, host, port = urlsplit(""), None, None
        if parts.scheme not in {"http", "https"} or not host:
            raise SettingsError("OUTRIDER_WEBHOOK_URL: give https://host/path, or http://")
        self._url = url
        self._thread = LoneThread("outrider-webhook")  # attachments may be on a file system that hangs
        self.name = f"the webhook at {host}" + (f":{port}" if port else "")

    async def deliver(self, notice: Notice) -> None:
        """Post a notice.

        Raises:
            Undeliverable: when the server says that it does not want it.
        """
        client, body = await self._thread.run(lambda: _prepare(notice))
        async with (
            client,
            client.stream("POST", self._url, **body) as response,
        ):  # what it says beside its status is lost
            status = response.status_code
        if status in _SUCCESS:
            return
        if response.has_redirect_location:
            raise Undeliverable(f"it answered {status}, a redirect: put the right place into OUTRIDER_WEBHOOK_URL")
        if status in _MAY_WORK_LATER or status >= _SERVER_ERROR:
            raise SinkError(f"it answered {status}")
        raise Undeliverable(f"it answered {status}")


def _prepare(notice: Notice) -> tuple["httpx.AsyncClient", dict[str, Any]]:
    """Return what posts and what is to be posted. Blocks: files are read, and certificates."""
    import httpx

    for name in ("httpx", "httpcore"):  # they log each URL, and its path may be the secret
        logging.getLogger(name).setLevel(logging.WARNING)
    attachments, complaints = read_attachments(notice.attachments)
    content = _as_json(notice, attachments, complaints)
    client = httpx.AsyncClient(timeout=None)  # noqa: S113 - whoever delivers has a limit for the whole, which theirs is not
    if not attachments:
        return client, {"content": content, "headers": {"Content-Type": "application/json"}}
    files = [("attachments", (file.name, file.content, file.kind)) for file in attachments]
    return client, {"data": {"notice": content.decode()}, "files": files}


def _as_json(notice: Notice, attachments: list[Attachment], complaints: list[str]) -> bytes:
    facts = notice.model_dump(mode="json", exclude={"attachments"})
    facts["text"] = "\n".join([notice.text, *complaints]) if complaints else notice.text
    return to_json({**facts, "attachments": [file.name for file in attachments]}, inf_nan_mode="null")
