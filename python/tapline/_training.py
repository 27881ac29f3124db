"""Training with the C library: progress, callbacks, Ctrl-C."""

from __future__ import annotations

import ctypes
import sys
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Callable, Mapping, Optional, Union

import numpy as np

from ._data import DataSet
from ._library import Handle, ProgressFunction, address, call, encode_settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Between calls of the progress function within an epoch: a signal of the keyboard is seen then.
_SECONDS = 0.1

_METRICS = ("loss", "accuracy", "rmse", "mae")


@dataclass(frozen=True)
class Progress:
    """The progress of a training; values that do not apply are NaN.

    Attributes
    ----------
    epoch, epochs : int
        The epoch, from 1, and the number of epochs.
    batch, batches : int
        The batch within the epoch, from 1, and the number of batches.
    epoch_end : bool
        Whether this batch is the last of its epoch.
    train, validation : dict
        ``loss``, ``accuracy``, ``rmse`` and ``mae`` of the epoch so far, and of the validation set at the end of an epoch.
    steps : int
        Steps of the optimizer.
    step_loss, learning_rate : float
        Loss and learning rate of the last step.
    seconds : float
        Time since the start of the training.
    """

    epoch: int
    epochs: int
    batch: int
    batches: int
    epoch_end: bool
    train: dict[str, float]
    validation: dict[str, float]
    steps: int
    step_loss: float
    learning_rate: float
    seconds: float


Callback = Callable[[Progress], Optional[bool]]


@dataclass
class Result:
    """How a training ended.

    Attributes
    ----------
    epochs : int
        Epochs begun.
    steps : int
        Steps of the optimizer.
    best_epoch : int
        The epoch with the lowest loss, from 1; 0 if no epoch was completed.
    best_loss : float
        The loss of this epoch; that of the validation set if there is one.
    stopped, early_stopped, interrupted : bool
        Whether a callback, ``patience`` or Ctrl-C ended it.
    seconds : float
        Duration of the training.
    history : dict of ndarray
        A number for each epoch: ``loss``, ``accuracy``, …, ``validation_loss``, …, ``learning_rate``, ``seconds``. What does
        not apply is left out.
    """

    epochs: int = 0
    steps: int = 0
    best_epoch: int = 0
    best_loss: float = float("inf")
    stopped: bool = False
    early_stopped: bool = False
    interrupted: bool = False
    seconds: float = 0.0
    history: dict[str, NDArray[np.float64]] = field(default_factory=dict)


def _read(numbers: Any) -> Progress:
    n = numbers[:17]
    return Progress(
        epoch=int(n[0]),
        epochs=int(n[1]),
        batch=int(n[2]),
        batches=int(n[3]),
        epoch_end=bool(n[4]),
        train=dict(zip(_METRICS, n[5:9])),
        validation=dict(zip(_METRICS, n[9:13])),
        steps=int(n[13]),
        step_loss=n[14],
        learning_rate=n[15],
        seconds=n[16],
    )


# ---- progress that is shown ----


def _line(at: Progress, title: str) -> str:
    parts = [f"{title}epoch {at.epoch}/{at.epochs}"]
    for name, metrics in (("", at.train), ("validation ", at.validation)):
        for metric in ("loss", "accuracy", "rmse"):
            if not np.isnan(metrics[metric]):
                parts.append(f"{name}{metric} {metrics[metric]:.4g}")
    return ", ".join(parts)


class _Line:
    """One line on stderr that is written over."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.width = 0

    def show(self, at: Progress) -> None:
        text = _line(at, self.title)
        print("\r" + text.ljust(self.width), end="", file=sys.stderr, flush=True)
        self.width = len(text)

    def close(self) -> None:
        print(file=sys.stderr)


class _Bar:
    """A bar of tqdm."""

    def __init__(self, title: str, bar: Any) -> None:
        self.title = title
        self.bar = bar

    def show(self, at: Progress) -> None:
        if at.epoch_end:
            self.bar.total = at.epochs
            self.bar.set_postfix_str(_line(at, "").partition(", ")[2], refresh=False)
            self.bar.update(1)

    def close(self) -> None:
        self.bar.close()


def _shown(verbose: int, title: str) -> Optional[Union[_Line, _Bar]]:
    if verbose >= 2:
        try:
            from tqdm.auto import tqdm
        except ImportError:
            return _Line(title)
        return _Bar(title, tqdm(desc=title.rstrip(": ") or None, unit="epoch"))
    return _Line(title) if verbose == 1 else None


# ---- a training at work ----


class _Watcher:
    """What the library calls while it trains; nothing that is raised here may reach it."""

    def __init__(self, callback: Optional[Callback], verbose: int, title: str) -> None:
        self.callback = callback
        self.shown = _shown(verbose, title)
        self.raised: Optional[BaseException] = None
        self.epochs: list[Progress] = []
        self.asked = False  # to stop, by the callback

    def __call__(self, numbers: Any) -> int:
        """0 stops the training: also where Ctrl-C arrives before the ``try`` and ctypes drops it."""
        try:
            return int(self._see(_read(numbers)))
        except BaseException as raised:  # noqa: B036 - it is raised again when the library has ended
            self.raised = raised
            return 0

    def _see(self, at: Progress) -> bool:
        if at.epoch_end:
            self.epochs.append(at)
        if self.shown is not None:
            self.shown.show(at)
        self.asked = self.callback is not None and self.callback(at) is False
        return not self.asked

    def close(self) -> None:
        if self.shown is not None:
            self.shown.close()

    def history(self) -> dict[str, NDArray[np.float64]]:
        columns: dict[str, list[float]] = {}
        for at in self.epochs:
            for prefix, metrics in (("", at.train), ("validation_", at.validation)):
                for name, value in metrics.items():
                    columns.setdefault(prefix + name, []).append(value)
            columns.setdefault("learning_rate", []).append(at.learning_rate)
            columns.setdefault("seconds", []).append(at.seconds)
        arrays = {name: np.array(values) for name, values in columns.items()}
        return {name: array for name, array in arrays.items() if not np.isnan(array).all()}


def train(
    model: Handle,
    data: DataSet,
    settings: Mapping[str, Any],
    *,
    validation: Optional[DataSet] = None,
    weights: Optional[NDArray[np.float64]] = None,
    checkpoint: Optional[bytes] = None,
    resume: Optional[bytes] = None,
    callback: Optional[Callback] = None,
    verbose: int = 0,
    title: str = "",
) -> Result:
    """Runs ``tl_fit``. Ctrl-C stops it after the current batch, with a warning; the model keeps its parameters."""
    watcher = _Watcher(callback, verbose, title)
    function = ProgressFunction(watcher)
    numbers = (ctypes.c_double * 7)()
    held_out = None if validation is None else validation.handle
    try:
        with model.lock:
            call(
                "fit", model, data.handle, held_out, address(weights),
                encode_settings(settings), checkpoint, resume, function, _SECONDS, numbers,
            )  # fmt: skip
    finally:
        watcher.close()
    if watcher.raised is not None and not isinstance(watcher.raised, KeyboardInterrupt):
        raise watcher.raised
    result = Result(
        epochs=int(numbers[0]),
        steps=int(numbers[1]),
        best_epoch=int(numbers[2]),
        best_loss=numbers[3],
        stopped=bool(numbers[4]),
        early_stopped=bool(numbers[5]),
        interrupted=bool(numbers[4]) and not watcher.asked,
        seconds=numbers[6],
        history=watcher.history(),
    )
    if result.interrupted:
        warnings.warn("the training was interrupted; the model keeps what it has learnt so far", stacklevel=3)
    return result
