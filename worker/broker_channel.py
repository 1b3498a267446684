"""kombu's channel to Redis, with a client that is made once instead of for every acknowledgement and every event."""

from typing import Any

from kombu.transport.redis import Channel, Transport

__all__ = ["JobChannel", "use_job_channel"]


class JobChannel(Channel):
    """Keeps its blocking client for as long as it has the connection pool that the client was made for."""

    _kept: Any = None

    def _create_client(self, asynchronous: bool = False) -> Any:  # noqa: FBT001, FBT002 - kombu's signature
        if asynchronous:
            return super()._create_client(asynchronous=True)  # type: ignore[no-untyped-call]
        if self._kept is None or self._kept.connection_pool is not self.pool:
            self._kept = super()._create_client()  # type: ignore[no-untyped-call]
        return self._kept


def use_job_channel() -> None:
    """Have kombu's Redis transport open such channels in this process."""
    Transport.Channel = JobChannel
