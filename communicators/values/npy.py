"""Arrays as bytes and back, in NumPy's own file format (NEP 1, version 3.0), without a copy of the data.

A header is read as a literal, never run; an array of Python objects, which would need pickle, is refused on both sides.
"""

import ast
import math
import struct
from collections.abc import Iterator
from typing import Any

from .artifact_store import Chunk

__all__ = ["array_chunks", "array_from", "array_size", "describe_array", "is_array"]

_VERSION = (3, 0)
_PREFIX = struct.Struct("<8sI")
_ALIGNMENT = 64
#: Characters; `numpy.load` takes no more either, lest the reading of the literal break.
_LONGEST_HEADER = 10_000
#: Bytes of an array without an order of its own that are copied at a time.
_BUFFER = 4 * 2**20
_DTYPE_SHOWN = 60


def is_array(value: Any) -> bool:
    """Say whether the value is an array whose type the format can express.

    A subclass has more to it than its data, such as a mask or a unit, and is none; NumPy need not be imported to see that.
    """
    kind = type(value)
    if kind.__module__ != "numpy" or kind.__name__ not in ("ndarray", "memmap"):
        return False
    if value.dtype.hasobject or not value.dtype.itemsize or not _survives(value.dtype):
        return False
    return len(_header(value)) <= _PREFIX.size + _LONGEST_HEADER


def array_size(array: Any) -> int:
    """Return how many bytes `array_chunks` yields."""
    return len(_header(array)) + int(array.nbytes)


def array_chunks(array: Any) -> Iterator[Chunk]:
    """Yield header and data; of a contiguous array the data are a view."""
    import numpy as np

    yield _header(array)
    if not array.nbytes:
        return
    if array.flags.c_contiguous or array.flags.f_contiguous:
        flat = (array if array.flags.c_contiguous else array.T).reshape(-1)
        yield memoryview(flat.view(np.uint8))
        return
    size = max(_BUFFER // array.itemsize, 1)
    blocks: Any = np.nditer(array, flags=["external_loop", "buffered"], order="C", buffersize=size)
    for block in blocks:
        yield block.tobytes("C")


def array_from(content: bytearray) -> Any:
    """Return the array, a view of `content`.

    Raises whatever NumPy and Python raise for content that is none.
    """
    import numpy as np

    magic, length = _PREFIX.unpack_from(content)
    data = _PREFIX.size + length
    if magic != np.lib.format.magic(*_VERSION) or length > _LONGEST_HEADER:
        raise ValueError("it is no array in the format 3.0")
    header = ast.literal_eval(content[_PREFIX.size : data].decode())
    dtype, shape = np.lib.format.descr_to_dtype(header["descr"]), tuple(map(int, header["shape"]))
    if dtype.hasobject or not dtype.itemsize:
        raise ValueError(f"arrays of type {dtype} are refused")
    if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != len(content) - data:
        raise ValueError(f"{len(content) - data} bytes are not the data of an array {dtype} {shape}")
    return np.ndarray(shape, dtype, buffer=content, offset=data, order="F" if header["fortran_order"] else "C")


def describe_array(array: Any) -> str:
    """Return type, shape and bytes, for people."""
    dtype = str(array.dtype)
    short = dtype if len(dtype) <= _DTYPE_SHOWN else f"{dtype[:_DTYPE_SHOWN]}…"
    return f"array {short} {tuple(map(int, array.shape))}, {array.nbytes} bytes"


def _survives(dtype: Any) -> bool:
    """Say whether the format gives the type back as it is; types of other packages become plain bytes in it."""
    import numpy as np

    try:
        return bool(np.lib.format.descr_to_dtype(np.lib.format.dtype_to_descr(dtype)) == dtype)
    except Exception:  # noqa: BLE001 - types of other packages do what they like
        return False


def _header(array: Any) -> bytes:
    """Return all that comes before the data."""
    import numpy as np

    text = repr(np.lib.format.header_data_from_array_1_0(array)).encode()
    length = -(-(_PREFIX.size + len(text) + 1) // _ALIGNMENT) * _ALIGNMENT - _PREFIX.size
    return _PREFIX.pack(np.lib.format.magic(*_VERSION), length) + text.ljust(length - 1) + b"\n"
