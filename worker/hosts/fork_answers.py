"""What a fork server answers: what happened, to which fork, and how that ended, as `os.waitstatus_to_exitcode` has it."""

import struct

__all__ = ["ANSWER", "ENDED", "FORKED"]

ANSWER = struct.Struct(">cii")
FORKED, ENDED = b"f", b"e"
