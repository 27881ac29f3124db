"""Data sets of the C library on NumPy arrays."""

from __future__ import annotations

import ctypes
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Optional, Sequence

import numpy as np

from ._library import Handle, address, byref, call

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Scaling:
    """The scaling of series.

    Attributes
    ----------
    kind : str
        ``"none"``, ``"series"`` or ``"set"``.
    mean, deviation : ndarray of shape (channels,), optional
        The statistics of ``"set"``.
    """

    kind: str = "none"
    mean: Optional[NDArray[np.float64]] = None
    deviation: Optional[NDArray[np.float64]] = None


def as_lengths(lengths: Any, count: int) -> Optional[NDArray[np.uintp]]:
    """Lengths as the library takes them: how many steps of each series count."""
    if lengths is None:
        return None
    given = np.asarray(lengths)
    if given.shape != (count,) or not np.issubdtype(given.dtype, np.integer):
        raise ValueError(f"lengths should be {count} whole numbers, one for each series")
    if count > 0 and given.min() < 1:
        raise ValueError(f"a length is {given.min()}; it should be 1 or more")
    return np.ascontiguousarray(given, dtype=np.uintp)


class DataSet:
    """A data set of the C library, which refers to arrays that it keeps alive.

    Parameters
    ----------
    x : ndarray of shape (count, length, channels), float32, C-contiguous
        The series, which are not copied.
    lengths : ndarray of shape (count,), uintp, optional
        Length of each series.
    """

    def __init__(self, x: NDArray[np.float32], lengths: Optional[NDArray[np.uintp]] = None) -> None:
        self._arrays: list[Any] = [x, lengths]
        pointer = ctypes.c_void_p()
        call("data_new", address(x), address(lengths), *x.shape, byref(pointer))
        self.handle = Handle(pointer, "data")
        self.shape: tuple[int, int, int] = x.shape

    def set_labels(
        self,
        labels: Optional[NDArray[np.int32]],
        classes: int,
        names: Optional[Sequence[str]] = None,
    ) -> None:
        """Labels of shape (count,) or (count, steps), each in 0 … classes - 1."""
        self._arrays.append(labels)
        steps = labels.shape[1] if labels is not None and labels.ndim == 2 else 1
        text = None if names is None else json.dumps(list(names)).encode()
        call("data_labels", self.handle, address(labels), steps, classes, text)

    def set_values(self, values: NDArray[np.float64]) -> None:
        """Target values of shape (count, steps, outputs)."""
        self._arrays.append(values)
        call("data_values", self.handle, address(values), *values.shape[1:])

    def set_scaling(self, scaling: Scaling) -> None:
        """How the series were scaled: a model that is trained on them keeps it."""
        call(
            "data_scaling",
            self.handle,
            scaling.kind.encode(),
            address(scaling.mean),
            address(scaling.deviation),
        )
