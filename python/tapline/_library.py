"""The C library: its functions as ctypes calls them, its errors as exceptions.

The functions are declared, with the shapes of their arrays, in ``python/shim/shim.h``. ctypes releases the interpreter's lock while
one of them runs.
"""

from __future__ import annotations

import ctypes
import json
import os
import threading
from ctypes import (
    POINTER,
    byref,
    c_bool,
    c_char_p,
    c_double,
    c_int,
    c_size_t,
    c_uint64,
    c_void_p,
)
from typing import TYPE_CHECKING, Any, Callable, Mapping, Optional

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TEXT_BYTES = 500
_PROGRESS_NUMBERS = 17

ProgressFunction = ctypes.CFUNCTYPE(c_int, POINTER(c_double))
OwnLossFunction = ctypes.CFUNCTYPE(
    c_double, c_void_p, c_void_p, c_size_t, c_void_p, c_void_p
)

_ARRAY = c_void_p  # of any type; its shape and type are the caller's duty
_HANDLE = c_void_p
_SIZES = POINTER(c_size_t)

# Of functions that can fail: without the buffer of the message, which comes last.
_FALLIBLE: dict[str, list[Any]] = {
    "fill_missing": [c_char_p, _ARRAY, _ARRAY, c_size_t, c_size_t, c_size_t],
    "scale": [c_char_p, _ARRAY, _ARRAY, c_size_t, c_size_t, c_size_t, c_bool, _ARRAY, _ARRAY],
    "fold": [_ARRAY, c_size_t, c_size_t, c_size_t, c_uint64, _ARRAY],
    "data_new": [_ARRAY, _ARRAY, c_size_t, c_size_t, c_size_t, POINTER(_HANDLE)],
    "data_labels": [_HANDLE, _ARRAY, c_size_t, c_size_t, c_char_p],
    "data_values": [_HANDLE, _ARRAY, c_size_t, c_size_t],
    "data_scaling": [_HANDLE, c_char_p, _ARRAY, _ARRAY],
    "model_new": [c_char_p, c_size_t, c_size_t, c_char_p, c_size_t, _ARRAY, c_void_p, POINTER(_HANDLE)],
    "model_architecture": [_HANDLE, POINTER(c_void_p)],
    "forward": [_HANDLE, _ARRAY, _ARRAY, c_size_t, c_size_t, c_size_t, c_int],
    "loss": [_HANDLE, _ARRAY, _ARRAY, _ARRAY, POINTER(c_double)],
    "backward": [_HANDLE],
    "backward_from": [_HANDLE, _ARRAY],
    "step": [_HANDLE],
    "set_learning_rate": [_HANDLE, c_double],
    "fit": [
        _HANDLE, _HANDLE, _HANDLE, _ARRAY, c_char_p, c_char_p, c_char_p,
        ProgressFunction, c_double, POINTER(c_double),
    ],
    "evaluate": [_HANDLE, _HANDLE, POINTER(c_double)],
    "predict": [_HANDLE, _ARRAY, _ARRAY, c_size_t, c_size_t, c_size_t, _ARRAY],
    "fit_ridge": [_HANDLE, _HANDLE, _ARRAY, c_size_t, POINTER(c_double)],
    "update_statistics": [_HANDLE, _HANDLE],
    "save": [_HANDLE, _HANDLE, c_char_p, c_char_p],
    "load": [c_char_p, c_char_p, POINTER(_HANDLE), POINTER(c_void_p)],
    "write": [_HANDLE, POINTER(c_void_p), _SIZES],
    "parse": [c_char_p, c_size_t, c_char_p, POINTER(_HANDLE), POINTER(c_void_p)],
}  # fmt: skip

_PLAIN: dict[str, tuple[Any, list[Any]]] = {
    "version": (c_char_p, []),
    "isa": (c_char_p, []),
    "architecture_name": (c_char_p, [c_size_t]),
    "defaults": (None, [c_char_p, c_size_t, _SIZES, POINTER(c_char_p)]),
    "text_free": (None, [c_void_p]),
    "data_free": (None, [_HANDLE]),
    "model_free": (None, [_HANDLE]),
    "model_sizes": (None, [_HANDLE, _SIZES, _SIZES, _SIZES]),
    "parameter": (
        c_bool,
        [
            _HANDLE, c_size_t, POINTER(c_char_p), POINTER(c_char_p), POINTER(c_void_p),
            POINTER(c_void_p), _SIZES, _SIZES,
        ],
    ),
    "zero_grad": (None, [_HANDLE]),
    "learning_rate": (c_double, [_HANDLE]),
    "output": (c_void_p, [_HANDLE, _SIZES]),
    "input_gradient": (c_void_p, [_HANDLE, _SIZES]),
}  # fmt: skip


def _load() -> ctypes.CDLL:
    library = ctypes.CDLL(os.path.join(os.path.dirname(__file__), "_tapline.so"))
    for name, arguments in _FALLIBLE.items():
        function = getattr(library, "tl_shim_" + name)
        function.restype, function.argtypes = c_int, [*arguments, c_char_p]
    for name, (result, arguments) in _PLAIN.items():
        function = getattr(library, "tl_shim_" + name)
        function.restype, function.argtypes = result, arguments
    return library


_library = _load()


def plain(name: str) -> Callable[..., Any]:
    """The function ``tl_shim_NAME``, which cannot fail."""
    return getattr(_library, "tl_shim_" + name)  # type: ignore[no-any-return]


# ---- errors ----

_EXCEPTIONS: dict[int, type[Exception]] = {
    1: ValueError,  # TL_ERROR_ARGUMENT
    2: ValueError,  # TL_ERROR_SHAPE
    3: RuntimeError,  # TL_ERROR_STATE
    4: FloatingPointError,  # TL_ERROR_NUMERIC
    5: MemoryError,  # TL_ERROR_MEMORY
    6: OSError,  # TL_ERROR_FILE
    7: ValueError,  # TL_ERROR_FORMAT
}


def _exception(status: int, text: str) -> Exception:
    kind = _EXCEPTIONS.get(status, RuntimeError)
    if kind is OSError and "No such file" in text:
        kind = FileNotFoundError
    if kind is OSError and "Permission denied" in text:
        kind = PermissionError
    return kind(text)


def call(name: str, *arguments: Any) -> None:
    """Calls ``tl_shim_NAME``; raises an exception with the library's message where it fails."""
    text = ctypes.create_string_buffer(_TEXT_BYTES)
    status = getattr(_library, "tl_shim_" + name)(*arguments, text)
    if status != 0:
        raise _exception(status, text.value.decode("utf-8", "replace"))


# ---- values ----


class Handle:
    """An object of the C library, freed with the last reference to it. It is handed to functions as it is: so it lives during calls.

    Parameters
    ----------
    pointer : ctypes.c_void_p
        The object.
    kind : str
        ``"model"`` or ``"data"``.

    Attributes
    ----------
    lock : threading.RLock
        To be held during calls: one thread at a time may use the object.
    """

    def __init__(self, pointer: c_void_p, kind: str) -> None:
        self._as_parameter_ = pointer
        self.lock = threading.RLock()
        self._free = plain(kind + "_free")

    def __del__(self) -> None:
        self._free(self._as_parameter_)


def address(array: Optional[NDArray[Any]]) -> Optional[int]:
    """Where the elements of an array are; None of None."""
    return None if array is None else array.ctypes.data


def encode_settings(settings: Mapping[str, Any]) -> bytes:
    """JSON of the settings that are not None."""
    return json.dumps({key: value for key, value in settings.items() if value is not None}).encode()


def take_text(pointer: c_void_p) -> str:
    """The text that a function of the library made, which is freed."""
    return take_bytes(pointer).decode()


def take_bytes(pointer: c_void_p, size: int = -1) -> bytes:
    """The bytes that a function of the library made, which are freed; by default up to the first 0."""
    content = ctypes.string_at(pointer, size)
    plain("text_free")(pointer)
    return content


def view(pointer: Optional[int], shape: tuple[int, ...], owner: Optional[Handle] = None) -> NDArray[np.float32]:
    """An array on memory of the library, which keeps the owner of that memory, if one is given, alive."""
    if not pointer:
        return np.empty((0,) * len(shape), dtype=np.float32)
    count = int(np.prod(shape))
    memory: Any = (ctypes.c_float * count).from_address(pointer)
    memory.owner = owner
    array: NDArray[np.float32] = np.frombuffer(memory, dtype=np.float32)
    return array.reshape(shape)


__all__ = [
    "Handle",
    "OwnLossFunction",
    "ProgressFunction",
    "address",
    "byref",
    "call",
    "encode_settings",
    "plain",
    "take_bytes",
    "take_text",
    "view",
]
