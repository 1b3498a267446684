"""Where Executors live when no worker hosts them: on a loop, in a thread, in processes of their own."""

from .local_host import Home, LocalHost, Work
from .loop_host import LoopHost
from .process_host import ProcessHost
from .thread_host import ThreadHost

__all__ = ["Home", "LocalHost", "LoopHost", "ProcessHost", "ThreadHost", "Work"]
