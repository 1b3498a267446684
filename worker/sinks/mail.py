"""Notices by e-mail."""

import asyncio
import contextlib
import ipaddress
import smtplib
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from ...config.errors import SettingsError
from .attachments import read_attachments
from .lone_thread import LoneThread
from .notice import Notice
from .sink import SinkError, Undeliverable

__all__ = ["Mail", "MailServer"]

_PORTS = {"smtp": 25, "smtps": 465}
_SOCKET_SECONDS = 10.0
#: From here on, a reply is a refusal for good (RFC 5321, 4.2.1).
_PERMANENT = 500


@dataclass(frozen=True)
class MailServer:
    """Where mail is handed in, and as whom."""

    host: str
    port: int
    #: Whether TLS comes first; else it is asked for.
    tls: bool
    user: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def from_url(cls, url: str) -> "MailServer":
        """Read `smtp://user:password@host:587` or `smtps://host`.

        Raises:
            SettingsError: when it is neither; the text does not repeat it.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            parts, port = urlsplit(""), None
        if parts.scheme not in _PORTS or not parts.hostname:
            raise SettingsError("OUTRIDER_SMTP_URL: give smtp://user:password@host:587, or smtps://…")
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        return cls(parts.hostname, port or _PORTS[parts.scheme], parts.scheme == "smtps", user, password)

    @property
    def is_local(self) -> bool:
        """Whether what is said to it does not leave this machine."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


class Mail:
    """Sends a notice to some addresses, with its attachments."""

    def __init__(self, server: MailServer, sender: str, recipients: Sequence[str]) -> None:
        """Send by a server, from an address, to others."""
        self._server = server
        self._sender = sender
        self._recipients = tuple(recipients)
        self.name = f"the mail server {server.host}:{server.port}"
        self._thread = LoneThread("outrider-mail")

    async def deliver(self, notice: Notice) -> None:
        """Send a notice.

        Raises:
            Undeliverable: when the server refuses for good.
        """
        session = _Session(self._server)
        try:
            await self._thread.run(lambda: self._send(session, notice))
        except asyncio.CancelledError:
            session.abort()
            raise

    def _send(self, session: "_Session", notice: Notice) -> None:
        message = mail_of(notice, self._sender, self._recipients)
        try:
            refused = session.send(message)
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            raise _error_of(min(codes, default=_PERMANENT), "refused all recipients") from error
        except smtplib.SMTPResponseException as error:
            raise _error_of(error.smtp_code, f"answered {error.smtp_code}") from error
        if refused:
            raise Undeliverable(f"it took the mail, but not for {', '.join(refused)}")


class _Session:
    """One connection to a server."""

    def __init__(self, server: MailServer) -> None:
        self._server = server
        self._smtp: smtplib.SMTP | None = None
        self._aborted = False

    def send(self, message: EmailMessage) -> dict[str, tuple[int, bytes]]:
        """Send a message, and return the recipients that were refused. Blocks; for a thread."""
        server, context = self._server, ssl.create_default_context()
        if self._aborted:
            return {}
        if server.tls:
            self._smtp = smtplib.SMTP_SSL(server.host, server.port, timeout=_SOCKET_SECONDS, context=context)
        else:
            self._smtp = smtplib.SMTP(server.host, server.port, timeout=_SOCKET_SECONDS)
        smtp = self._smtp
        try:
            smtp.ehlo_or_helo_if_needed()
            if not server.tls and smtp.has_extn("starttls"):
                smtp.starttls(context=context)
            self._log_in(smtp)
            return smtp.send_message(message)
        finally:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                smtp.putcmd("QUIT")  # what it answers is of no interest: it has the mail or not
            smtp.close()

    def abort(self) -> None:
        """Let go of the server, whatever it is about; from another thread."""
        self._aborted = True
        if self._smtp is not None and (connection := self._smtp.sock) is not None:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _log_in(self, smtp: smtplib.SMTP) -> None:
        server = self._server
        if not server.user:
            return
        if not (isinstance(smtp.sock, ssl.SSLSocket) or server.is_local):
            raise Undeliverable("it offers no TLS, and the password is not sent in clear text: take smtps://")
        smtp.login(server.user, server.password)


def mail_of(notice: Notice, sender: str, recipients: Sequence[str]) -> EmailMessage:
    """Return a notice as a mail. Blocks: files are read."""
    attachments, complaints = read_attachments(notice.attachments)
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, ", ".join(recipients), notice.title
    message["Date"] = notice.time
    message["Message-ID"] = f"<{notice.id}@outrider>"
    message.set_content("\n\n".join([notice.as_text(), *complaints]))
    for file in attachments:
        kind, _, subkind = file.kind.partition("/")
        message.add_attachment(file.content, maintype=kind, subtype=subkind, filename=file.name)
    return message


def _error_of(code: int, what: str) -> SinkError:
    return Undeliverable(f"it {what}") if code >= _PERMANENT else SinkError(f"it {what} for now")
