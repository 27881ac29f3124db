"""The common part of classifiers and regressors."""

from __future__ import annotations

import ctypes
import os
from dataclasses import dataclass
from typing import Any, ClassVar, Mapping, Optional, Union

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, check_random_state, validate_data

from ._data import DataSet, Scaling
from ._library import address, byref, call, plain
from ._series import Series, fill_missing, from_array, from_list, is_ragged, normalize
from ._training import Result
from ._weights import arrange
from .model import Architecture, Model

_SHORT = 8  # series of fewer steps are normalized by the set: of few values, mean and deviation are most of what they say
# Shorter series are padded with zeros for these networks.
_MIN_STEPS = {
    "timecnn": 9, "lite": 3, "litetime": 3, "minirocket": 9, "multirocket": 10, "hydra": 10, "multirocket-hydra": 10,
}  # fmt: skip


@dataclass(frozen=True)
class Defaults:
    """The settings of ``tapline train`` for an architecture: the published ones where there are some (``tl_architecture``)."""

    batch: int
    epochs: int
    members: int
    ridge: bool  # whether the last layer is computed in closed form
    schedule: str


def defaults_of(architecture: Architecture, series: int) -> Defaults:
    """The defaults for this number of series."""
    name = architecture if isinstance(architecture, str) else ""
    numbers, schedule = (ctypes.c_size_t * 4)(), ctypes.c_char_p()
    plain("defaults")(name.encode(), series, numbers, byref(schedule))
    assert schedule.value is not None
    return Defaults(numbers[0], numbers[1], numbers[2], bool(numbers[3]), schedule.value.decode())


def threads_of(n_jobs: Optional[int]) -> int:
    """How many threads ``n_jobs`` means: None is 1, -1 all processors, -2 all but one."""
    if n_jobs is None:
        return 1
    if n_jobs == 0:
        raise ValueError("n_jobs is 0; it should be from 1 on, -1 for all processors, or None")
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return n_jobs if n_jobs > 0 else max(1, processors + 1 + n_jobs)


def for_inference(n_jobs: Optional[int]) -> dict[str, Any]:
    """Settings of networks that only predict. Small batches stay in the cache and take little memory; each thread has a series."""
    threads = threads_of(n_jobs)
    return {"batch": max(8, threads), "threads": threads, "inference_only": True}


def _numbered(path: str, number: int) -> str:
    """The file of one of several networks, as ``tapline train --members`` calls it."""
    stem, ending = os.path.splitext(path)
    return f"{stem}.{number}{ending}"


def _held_out(labels: Optional[NDArray[np.int32]], count: int, classes: int, folds: int, seed: int) -> NDArray[np.bool_]:
    """Which series are in the first of so many folds: those of ``tapline train --folds``."""
    mask = np.zeros(count, dtype=np.uint8)
    call("fold", address(labels), count, classes, folds, seed, address(mask))
    return mask.astype(bool)


@dataclass
class Targets:
    """What series are trained on: labels of classes, or values of shape (count, outputs)."""

    labels: Optional[NDArray[np.int32]] = None
    values: Optional[NDArray[np.float64]] = None
    outputs: int = 1

    def keys(self) -> NDArray[Any]:
        """One of the two."""
        array = self.labels if self.values is None else self.values
        assert array is not None
        return array

    def take(self, index: NDArray[np.intp]) -> "Targets":
        """Those of these series, in that order."""
        if self.labels is not None:
            return Targets(np.ascontiguousarray(self.labels[index]), None, self.outputs)
        return Targets(None, np.ascontiguousarray(self.keys()[index]), self.outputs)

    def put(self, data: DataSet, names: Optional[list[str]]) -> None:
        """Gives them to a data set."""
        if self.values is not None:
            data.set_values(self.values[:, np.newaxis, :])
        else:
            data.set_labels(self.labels, self.outputs, names)


class SeriesEstimator(BaseEstimator):  # type: ignore[misc]
    """A network, or several that are averaged, on series."""

    _architecture: ClassVar[str] = ""
    _takes_unequal_lengths: ClassVar[bool] = True

    # Of the constructors of the subclasses.
    normalize: str
    missing: str
    random_state: Any
    n_jobs: Optional[int]

    models_: list[Model]

    # ---- what differs between classification and regression ----

    def _loss_settings(self) -> dict[str, Any]:
        raise NotImplementedError

    def _class_names(self) -> Optional[list[str]]:
        return None

    # ---- series ----

    def _network(self) -> Architecture:
        """The architecture, by name, dictionary, JSON or path."""
        return self._architecture

    def _min_steps(self) -> int:
        """Shorter series are padded with zeros to so many steps."""
        architecture = self._network()
        return _MIN_STEPS.get(architecture, 1) if isinstance(architecture, str) else 1

    def _series_to_fit(self, X: Any, y: Any, multi_output: bool) -> tuple[Series, Any]:
        allow_nan = self.missing != "refuse"
        if is_ragged(X):
            series = from_list(X, allow_nan)
            y = np.asarray(y)
            if len(y) != len(series):
                raise ValueError(f"inconsistent numbers of samples: {len(series)} series, {len(y)} targets")
        else:
            X, y = validate_data(
                self, X, y, allow_nd=True, dtype=[np.float64, np.float32], ensure_min_samples=2,
                ensure_all_finite="allow-nan" if allow_nan else True, multi_output=multi_output,
                y_numeric=False,
            )  # fmt: skip
            series = from_array(X)
        self.n_timepoints_in_, self.n_channels_in_ = series.x.shape[1:]
        self.unequal_lengths_ = series.lengths is not None
        fill_missing(series, self.missing)
        return series, y

    def _series_to_predict(self, X: Any) -> Series:
        check_is_fitted(self)
        allow_nan = self.missing != "refuse"
        if is_ragged(X):
            series = from_list(X, allow_nan)
        else:
            X = validate_data(
                self, X, allow_nd=True, dtype=[np.float64, np.float32], reset=False,
                ensure_all_finite="allow-nan" if allow_nan else True,
            )  # fmt: skip
            series = from_array(X)
        self._check_shape(series)
        if self.unequal_lengths_ and series.lengths is None:
            series.lengths = np.full(len(series), series.x.shape[1], dtype=np.uintp)
        fill_missing(series, self.missing)
        normalize(series, self.scaling_.kind, self.scaling_)
        return series.padded(self.models_[0].input_shape[0])

    def _check_shape(self, series: Series) -> None:
        length, channels = series.x.shape[1:]
        if channels != self.n_channels_in_:
            raise ValueError(f"X has {channels} channels, but the network was trained on {self.n_channels_in_}")
        if length != self.n_timepoints_in_ and not self.unequal_lengths_:
            raise ValueError(f"X has {length} steps, but the network was trained on {self.n_timepoints_in_}")

    def _seed(self) -> int:
        """A whole number is the seed itself, as of ``tapline train --seed``."""
        if isinstance(self.random_state, (int, np.integer)) and self.random_state >= 0:
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(2**31 - 1))

    def _scaling_kind(self) -> str:
        if self.normalize != "auto":
            return self.normalize
        return "set" if self.n_timepoints_in_ < _SHORT else "series"

    def _data_set(self, series: Series, targets: Targets, scaling: Scaling) -> DataSet:
        series = series.padded(self._min_steps())
        data = DataSet(series.x.astype(np.float32), series.lengths)
        targets.put(data, None)
        data.set_scaling(scaling)
        return data

    # ---- use ----

    def _outputs(self, X: Any) -> NDArray[np.float64]:
        """What the networks predict, averaged: (count, outputs)."""
        series = self._series_to_predict(X)
        x = series.x.astype(np.float32)
        outputs = [_predict(model, x, series.lengths) for model in self.models_]
        return np.mean(outputs, axis=0, dtype=np.float64)  # type: ignore[no-any-return]

    def summary(self) -> str:
        """A table of the network's layers and their parameters.

        Returns
        -------
        str
            A line for each layer.
        """
        check_is_fitted(self)
        return self.models_[0].summary()

    # ---- files ----

    def save(self, path: Union[str, "os.PathLike[str]"]) -> None:
        """Writes the network to a file, which ``tapline predict`` and :meth:`load` read.

        Parameters
        ----------
        path : path
            The file, usually ``NAME.safetensors``. Several networks are written to separate files: ``NAME.1.safetensors`` …
        """
        check_is_fitted(self)
        text = os.fspath(path)
        length, channels = self.models_[0].input_shape
        lengths = np.ones(1, dtype=np.uintp) if self.unequal_lengths_ else None
        data = DataSet(np.zeros((1, length, channels), dtype=np.float32), lengths)
        names = self._class_names()
        if names is not None:
            data.set_labels(None, len(names), names)
        data.set_scaling(self.scaling_)
        for number, model in enumerate(self.models_, 1):
            model.save(text if len(self.models_) == 1 else _numbered(text, number), data=data, missing=self.missing)

    @classmethod
    def load(cls, path: Union[str, "os.PathLike[str]"], *, n_jobs: Optional[int] = None) -> Any:
        """Loads an estimator from a file of :meth:`save`, or from the numbered files of several networks.

        Parameters
        ----------
        path : path
            The path that was passed to :meth:`save`.
        n_jobs : int, optional
            Number of threads for predictions.

        Returns
        -------
        estimator
            It gives the same predictions as the saved one. Parameters that a file does not contain have their defaults.
        """
        text = os.fspath(path)
        paths = [text]
        if not os.path.exists(text) and os.path.exists(_numbered(text, 1)):
            paths = []
            while os.path.exists(_numbered(text, len(paths) + 1)):
                paths.append(_numbered(text, len(paths) + 1))
        models = [Model.load(name, **for_inference(n_jobs)) for name in paths]
        info = models[0].info
        self = cls(missing=info["missing"], normalize=info["normalize"], n_jobs=n_jobs)
        self._take_models(models)
        self.scaling_ = models[0].scaling
        self.n_timepoints_in_, self.n_channels_in_ = info["length"], info["channels"]
        self.unequal_lengths_ = info["unequal"]
        self._take_info(info)
        return self

    def _take_models(self, models: list[Model]) -> None:
        """Takes the networks of a file."""
        self.models_ = models

    def _take_info(self, info: Mapping[str, Any]) -> None:
        raise NotImplementedError

    # ---- scikit-learn ----

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.allow_nan = self.missing != "refuse"
        return tags


class NetworkEstimator(SeriesEstimator):
    """A network, or several, trained by gradients."""

    # Of the constructors of the subclasses.
    n_epochs: Optional[int]
    batch_size: Optional[int]
    n_members: Optional[int]
    optimizer: str
    learning_rate: Optional[float]
    weight_decay: Optional[float]
    schedule: Optional[str]
    augment: Optional[Mapping[str, float]]
    early_stopping: bool
    validation_fraction: float
    n_iter_no_change: int
    callback: Any
    verbose: int

    history_: dict[str, NDArray[np.float64]]
    n_iter_: int

    def _class_weights(self, targets: Targets) -> Optional[NDArray[np.float64]]:
        return None

    def _fit_settings(self, defaults: Defaults, batch: int) -> dict[str, Any]:
        settings: dict[str, Any] = {
            "epochs": defaults.epochs if self.n_epochs is None else self.n_epochs,
            "batch": batch,
            "restore_best": True,
            "schedule": self.schedule or defaults.schedule,
            "patience": self.n_iter_no_change if self.early_stopping else None,
        }
        settings.update(self.augment or {})
        return settings

    def _split(self, targets: Targets, seed: int) -> NDArray[np.bool_]:
        """Which samples are held out for early stopping: none without it."""
        count = len(targets.keys())
        if not self.early_stopping:
            return np.zeros(count, dtype=bool)
        if not 0 < self.validation_fraction <= 0.5:
            raise ValueError(f"validation_fraction is {self.validation_fraction}; it should be above 0 and at most 0.5")
        return _held_out(targets.labels, count, targets.outputs, round(1 / self.validation_fraction), seed)

    def _fit_series(self, series: Series, targets: Targets, sample_weight: Optional[NDArray[np.float64]]) -> None:
        """Trains on series that are not normalized yet."""
        seed = self._seed()
        index, weights = arrange(series, targets.keys(), sample_weight)
        held_out = self._split(targets.take(index), seed)
        train, validation = series.take(index[~held_out]), series.take(index[held_out])
        kind = self._scaling_kind()
        self.scaling_ = normalize(train, kind)
        data = self._data_set(train, targets.take(index[~held_out]), self.scaling_)
        if weights is not None:
            weights = np.ascontiguousarray(weights[~held_out])
        other = None
        if held_out.any():
            normalize(validation, kind, self.scaling_)
            other = self._data_set(validation, targets.take(index[held_out]), self.scaling_)
        self._train_members(data, other, weights, targets, seed)

    def _train_members(
        self, data: DataSet, validation: Optional[DataSet], weights: Optional[NDArray[np.float64]], targets: Targets, seed: int
    ) -> None:
        defaults = defaults_of(self._network(), data.shape[0])
        if defaults.ridge:
            raise ValueError(
                f"{self._network()} is not trained by epochs: use MiniRocketClassifier, MultiRocketClassifier, HydraClassifier, "
                "MultiRocketHydraClassifier, or the regressors with these names"
            )
        members = defaults.members if self.n_members is None else self.n_members
        if members < 1:
            raise ValueError(f"n_members is {members}; it should be 1 or more")
        class_weights = self._class_weights(targets)
        models: list[Model] = []
        results: list[Result] = []
        for member in range(members):
            title = f"member {member + 1}/{members}: " if members > 1 else ""
            model = self._model(data.shape, targets.outputs, class_weights, seed + member, defaults.batch)
            result = model.fit_data(
                data, self._fit_settings(defaults, model.batch), validation=validation, weights=weights,
                callback=self.callback, verbose=int(self.verbose), title=title,
            )  # fmt: skip
            model.end_training(**for_inference(self.n_jobs))
            models.append(model)
            results.append(result)
            if result.stopped:
                break
        self.models_ = models
        self.n_iter_ = max(result.epochs for result in results)
        self.history_ = _joined([result.history for result in results])

    def _model(
        self, shape: tuple[int, int, int], outputs: int, class_weights: Optional[NDArray[np.float64]], seed: int, batch: int
    ) -> Model:
        count, length, channels = shape
        if self.batch_size is not None:
            batch = self.batch_size
        model = Model(
            self._network(), length=length, channels=channels, outputs=outputs, seed=seed, threads=threads_of(self.n_jobs)
        )
        return model.compile(
            batch=min(batch, count),
            optimizer=self.optimizer,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            class_weights=class_weights,
            **self._loss_settings(),
        )

    def _take_models(self, models: list[Model]) -> None:
        super()._take_models(models)
        self.n_members = len(models)
        self.history_, self.n_iter_ = {}, 0


def _predict(model: Model, x: NDArray[np.float32], lengths: Optional[NDArray[np.uintp]]) -> NDArray[np.float32]:
    """What a network predicts, also for series that are longer than those it was trained on.

    Longer series get a copy of the network for twice as many steps, four times as many, and so on. The copy for a series does not
    depend on the other series, so that its prediction does not either.
    """
    trained = model.input_shape[0]
    if lengths is None or x.shape[1] <= trained:
        return model.predict(x, lengths=lengths)
    doublings = np.maximum(0, np.ceil(np.log2(lengths / trained))).astype(int)
    outputs: dict[int, NDArray[np.float32]] = {}
    for doubling in np.unique(doublings):
        own = np.flatnonzero(doublings == doubling)
        steps = trained << int(doubling)
        part = np.zeros((len(own), steps, x.shape[2]), dtype=np.float32)
        part[:, : x.shape[1]] = x[own, :steps]
        user = model if doubling == 0 else model.for_length(steps)
        outputs.update(zip(own.tolist(), user.predict(part, lengths=lengths[own])))
    return np.array([outputs[i] for i in range(len(x))])


def _joined(histories: list[dict[str, NDArray[np.float64]]]) -> dict[str, NDArray[np.float64]]:
    """The histories of several networks one behind the other, with the number of each, from 1, as ``member``."""
    joined: dict[str, NDArray[np.float64]] = {}
    for name in histories[0]:
        joined[name] = np.concatenate([history.get(name, np.array([])) for history in histories])
    if len(histories) > 1:
        joined["member"] = np.repeat(np.arange(1.0, len(histories) + 1), [len(history["seconds"]) for history in histories])
    return joined
