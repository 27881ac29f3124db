"""Converts the series of users to arrays for the estimators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Optional

import numpy as np

from ._data import Scaling
from ._library import address, call

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass
class Series:
    """Series in double precision, before they are rounded for the network.

    Attributes
    ----------
    x : ndarray of shape (count, length, channels), float64, C-contiguous
        The values; a copy of its own.
    lengths : ndarray of shape (count,), uintp, optional
        Length of each series, if lengths differ; later steps of x are 0.
    """

    x: NDArray[np.float64]
    lengths: Optional[NDArray[np.uintp]] = None

    def __len__(self) -> int:
        return len(self.x)

    def take(self, index: NDArray[np.intp]) -> "Series":
        """Those series, in that order, as a copy."""
        return Series(self.x[index], None if self.lengths is None else self.lengths[index])

    def padded(self, length: int) -> "Series":
        """At least as long as that, by zeros behind the series."""
        count, own, channels = self.x.shape
        if own >= length:
            return self
        x = np.zeros((count, length, channels))
        x[:, :own] = self.x
        return Series(x, self.lengths)


def is_ragged(X: Any) -> bool:
    """Whether X is a list of arrays with different lengths, or of arrays (channels, length) as in aeon."""
    if not isinstance(X, (list, tuple)) or len(X) == 0:
        return False
    if not all(isinstance(series, (np.ndarray, list, tuple)) for series in X):
        return False
    try:
        shapes = {np.shape(series) for series in X}
    except ValueError:  # lists within lists, of different lengths
        return False
    return all(1 <= len(shape) <= 2 for shape in shapes) and (len(shapes) > 1 or len(next(iter(shapes))) == 2)


def _one(series: Any, number: int, channels: Optional[int], allow_nan: bool) -> NDArray[np.float64]:
    """A series as (length, channels)."""
    array = np.asarray(series, dtype=np.float64)
    array = array[:, np.newaxis] if array.ndim == 1 else array.T
    if channels is not None and array.shape[1] != channels:
        raise ValueError(f"series {number} has {array.shape[1]} channels, the others have {channels}")
    if array.size == 0:
        raise ValueError(f"series {number} is empty: found 0 steps or channels, at least 1 is required")
    if np.isinf(array).any() or (not allow_nan and np.isnan(array).any()):
        raise ValueError(f"series {number} contains NaN or infinity")
    return array


def from_list(X: Any, allow_nan: bool) -> Series:
    """Series of a list of arrays, each (channels, length) or (length,), whose lengths may differ."""
    first = _one(X[0], 0, None, allow_nan)
    all_series = [_one(series, i, first.shape[1], allow_nan) for i, series in enumerate(X)]
    lengths = np.array([len(series) for series in all_series], dtype=np.uintp)
    x = np.zeros((len(all_series), int(lengths.max()), first.shape[1]))
    for row, series in zip(x, all_series):
        row[: len(series)] = series
    return Series(x, lengths if lengths.min() < lengths.max() else None)


def from_array(X: NDArray[Any]) -> Series:
    """Series of an array (count, length) or (count, channels, length), as a copy."""
    if X.ndim == 2:
        return Series(np.array(X[:, :, np.newaxis], dtype=np.float64, order="C"))
    if X.ndim != 3:
        raise ValueError(f"X has shape {X.shape}; it should be (count, length) or (count, channels, length)")
    return Series(np.array(np.moveaxis(X, 1, 2), dtype=np.float64, order="C"))


def fill_missing(series: Series, policy: str) -> None:
    """Replaces NaN in place, as the policy says."""
    call("fill_missing", policy.encode(), address(series.x), address(series.lengths), *series.x.shape)


def normalize(series: Series, kind: str, fitted: Optional[Scaling] = None) -> Scaling:
    """Scales series in place: by what was fitted, or, of ``"set"``, by statistics that are returned."""
    mean = deviation = None
    if kind == "set":
        channels = series.x.shape[2]
        mean = np.zeros(channels) if fitted is None or fitted.mean is None else fitted.mean
        deviation = np.ones(channels) if fitted is None or fitted.deviation is None else fitted.deviation
    call(
        "scale", kind.encode(), address(series.x), address(series.lengths), *series.x.shape,
        fitted is not None, address(mean), address(deviation),
    )  # fmt: skip
    return Scaling(kind, mean, deviation)
