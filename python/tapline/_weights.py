"""Which series are trained on, in which order, and how much each counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

import numpy as np

from ._series import Series

if TYPE_CHECKING:
    from numpy.typing import NDArray

_COPIES = 16  # whole weights are replaced by copies if the series become at most so many times as many


def _sorted(series: Series, y: NDArray[Any], index: NDArray[np.intp]) -> NDArray[np.intp]:
    """In an order that does not depend on the order of the samples."""
    return np.array(sorted(index, key=lambda i: (series.x[i].tobytes(), y[i].tobytes())), dtype=np.intp)


def _has_copies(series: Series, y: NDArray[Any]) -> bool:
    return len({(x.tobytes(), target.tobytes()) for x, target in zip(series.x, y)}) < len(series)


def arrange(
    series: Series, y: NDArray[Any], weights: Optional[NDArray[np.float64]]
) -> tuple[NDArray[np.intp], Optional[NDArray[np.float64]]]:
    """The indices of the series to train on, in order, and their weights (None: all 1).

    Whole weights are replaced by copies of the series; other weights are factors of the loss. A weight of k and k copies must give
    the same network, although training depends on the order of the series: so the series are sorted if some weight is neither 0 nor
    1, or if some series are equal. All other series keep their order.
    """
    index = np.arange(len(series), dtype=np.intp)
    if weights is None:
        weights = np.ones(len(series))
    index = index[weights > 0]
    own = weights[index]
    if len(index) == 0:
        raise ValueError("sample_weight is 0 for every sample")
    if (own == 1).all():
        part = series if len(index) == len(series) else series.take(index)
        return (_sorted(series, y, index) if _has_copies(part, y[index]) else index), None
    if (own == np.round(own)).all() and own.sum() <= _COPIES * len(own):
        return _sorted(series, y, np.repeat(index, own.astype(np.intp))), None
    index = _sorted(series, y, index)
    return index, np.ascontiguousarray(weights[index])
