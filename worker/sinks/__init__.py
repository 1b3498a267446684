"""Where people are told of jobs, beside the record: by HTTP, by e-mail, in a file."""

from .delivery import Patience
from .notice import Notice
from .sink import Sink, SinkError, Undeliverable
from .sinks import Sinks, configured_sinks

__all__ = ["Notice", "Patience", "Sink", "SinkError", "Sinks", "Undeliverable", "configured_sinks"]
