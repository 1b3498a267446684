"""The private socket on which a program and its Executor speak: frames with objects, or lines of JSON."""

from .executor_link import ExecutorLink
from .socket_communicator import SocketCommunicator

__all__ = ["ExecutorLink", "SocketCommunicator"]
