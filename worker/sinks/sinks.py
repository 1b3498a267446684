"""All sinks of a worker process."""

import asyncio
import logging
from collections.abc import Iterable

from ...config import Settings
from ...config.errors import SettingsError
from .delivery import Delivery, Patience
from .mail import Mail, MailServer
from .notice import Notice
from .notice_file import NoticeFile
from .sink import Sink
from .webhook import Webhook

__all__ = ["Sinks", "configured_sinks"]

logger = logging.getLogger(__name__)


class Sinks:
    """Tells people, without ever keeping a job waiting or changing how it ends. Use it on one event loop."""

    def __init__(self, sinks: Iterable[Sink], patience: Patience | None = None) -> None:
        """Take notices to these sinks; with none, `post` does nothing."""
        self._deliveries = [Delivery(sink, patience or Patience()) for sink in sinks]

    def __bool__(self) -> bool:
        return bool(self._deliveries)

    @property
    def dropped(self) -> int:
        """How many notices had to make room for newer ones."""
        return sum(delivery.dropped for delivery in self._deliveries)

    def post(self, notice: Notice) -> None:
        """Have a notice delivered, and return at once. It raises nothing."""
        for delivery in self._deliveries:
            try:
                delivery.put(notice)
            except Exception:  # whatever it is, the job goes on
                logger.exception("a notice cannot be posted", extra={"action": "notice_lost", "job_id": notice.job_id})

    async def close(self, seconds: float = 5.0) -> None:
        """Wait for what is under way, but not longer than this, and give up the rest."""
        tasks = [task for delivery in self._deliveries if (task := delivery.task)]
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=seconds)
        for task in late:
            task.cancel()
        if late:
            left = len(late) + sum(delivery.undelivered for delivery in self._deliveries)
            logger.warning("%d notices were given up at the end", left, extra={"action": "notices_given_up"})
            await asyncio.wait(late, timeout=1.0)


def configured_sinks(settings: Settings) -> list[Sink]:
    """Return the sinks that the settings ask for: none, unless they do.

    Raises:
        SettingsError: when a setting makes no sense, or another one is missing beside it.
    """
    sinks: list[Sink] = []
    if settings.webhook_url is not None:
        sinks.append(Webhook(settings.webhook_url.get_secret_value()))
    if settings.smtp_url is not None:
        if not (settings.mail_from and settings.mail_to):
            raise SettingsError("OUTRIDER_SMTP_URL needs OUTRIDER_MAIL_FROM and OUTRIDER_MAIL_TO beside it")
        server = MailServer.from_url(settings.smtp_url.get_secret_value())
        sinks.append(Mail(server, settings.mail_from, settings.mail_to))
    if settings.notice_file is not None:
        sinks.append(NoticeFile(settings.notice_file))
    return sinks
