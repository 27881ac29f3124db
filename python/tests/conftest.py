"""What the tests share: series that are easy to tell apart, and the command where there is one."""

from __future__ import annotations

import os
import shutil
from typing import Any

import numpy as np
import pytest


def make_series(count: int, length: int = 30, channels: int = 1, seed: int = 0) -> tuple[Any, Any]:
    """Noise with a bump (class "late" or "early") in the second or the first half: X (count, channels, length), y (count,)."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(count, channels, length))
    late = np.arange(count) % 2 == 1
    for series, is_late in zip(X, late):
        begin = length // 2 if is_late else 0
        series[:, begin : begin + length // 3] += 4
    return X, np.where(late, "late", "early")


@pytest.fixture(scope="session")
def series() -> tuple[Any, Any]:
    return make_series(40)


@pytest.fixture(scope="session")
def command() -> str:
    """The command `tapline` of the same build: TAPLINE_COMMAND names it."""
    path = os.environ.get("TAPLINE_COMMAND") or shutil.which("tapline")
    if path is None:
        pytest.skip("there is no command tapline; TAPLINE_COMMAND names one of the same build")
    return path


TINY = {
    "layers": [
        {"type": "conv1d", "filters": 8, "kernel": 5, "padding": "same", "name": "wide"},
        {"type": "relu", "name": "activation"},
        {"type": "global_average_pool"},
        {"type": "dense", "units": "outputs", "name": "classes"},
    ]
}
