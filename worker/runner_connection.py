"""The worker's end of the socket to a runner of tasklets."""

import asyncio

from .tasklet_frames import SIGN, FrameSplitter, encode_frame

__all__ = ["ENDED", "RunnerConnection", "RunnerLost"]

#: What is known of a runner that closed its end.
ENDED = "ended"
#: A runner that says more than it was asked for has lost its mind.
_MOST_WAITING = 4


class RunnerLost(Exception):
    """A runner is gone, or talks nonsense."""

    def __init__(self, why: str, begun: bool = False) -> None:  # noqa: FBT001, FBT002 - errors are rebuilt from their arguments
        super().__init__(why, begun)
        self.why = why
        #: Whether it may have called a tasklet.
        self.begun = begun


class RunnerConnection(asyncio.Protocol):
    """Frames to and from one runner."""

    def __init__(self) -> None:
        self._frames: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._splitter = FrameSplitter()
        self._transport: asyncio.Transport | None = None
        self._lost: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether the runner is there, as far as we know."""
        return self._lost is None and self._transport is not None

    def send(self, body: bytes) -> None:
        """Send a frame.

        Raises:
            ValueError: when it would be too large.
        """
        frame = encode_frame(body)
        if self.is_open and self._transport:
            self._transport.write(frame)

    async def frame(self) -> bytes:
        """Wait for a frame.

        Raises:
            RunnerLost: when none will come.
        """
        found = await self._frames.get()
        if found is None:
            self._frames.put_nowait(None)  # for whoever asks again
            raise RunnerLost(self._lost or ENDED)
        return found

    async def sign(self) -> None:
        """Wait for the sign.

        Raises:
            RunnerLost: when it will not come.
        """
        if await self.frame() != SIGN:
            self.lose("said something that makes no sense")
            raise RunnerLost("said something that makes no sense")

    def lose(self, why: str) -> None:
        """Hear no more of the runner, which takes that as the order to end."""
        if self._lost is None:
            self._lost = why
            self._frames.put_nowait(None)
        if self._transport:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - for the type checker
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Take what the runner says."""
        try:
            frames = self._splitter.feed(data)
        except ValueError as error:
            return self.lose(f"said something that makes no sense: {error}")
        if self._frames.qsize() + len(frames) > _MOST_WAITING:
            return self.lose("said more than it was asked for")
        for frame in frames:
            self._frames.put_nowait(frame)
        return None

    def connection_lost(self, error: Exception | None) -> None:
        """Take note that the runner is gone."""
        self.lose(f"{ENDED}: {error}" if error else ENDED)
