"""Regressors of series, for scikit-learn."""

from __future__ import annotations

from typing import Any, Mapping, Optional

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import RegressorMixin
from sklearn.utils.validation import _check_sample_weight, check_array, column_or_1d

from ._estimators import NetworkEstimator, SeriesEstimator, Targets
from ._training import Callback
from .model import Architecture


class SeriesRegressor(RegressorMixin, SeriesEstimator):  # type: ignore[misc]
    """The common part of all regressors."""

    loss: str

    def _loss_settings(self) -> dict[str, Any]:
        return {"loss": self.loss}

    def _values(self, y: Any) -> Targets:
        """Checks y, (count) or (count, outputs)."""
        values = check_array(y, ensure_2d=False, dtype=np.float64, input_name="y")
        self._one_value = values.ndim == 1 or values.shape[1] == 1
        if self._one_value:
            values = column_or_1d(values, warn=True)[:, np.newaxis]
        return Targets(None, np.ascontiguousarray(values), values.shape[1])

    def predict(self, X: ArrayLike) -> NDArray[np.float64]:
        """The values.

        Parameters
        ----------
        X : array or list
            Series, as for :meth:`fit`.

        Returns
        -------
        ndarray of shape (n_cases,) or (n_cases, n_outputs)
            Values in the unit of y. They do not depend on the other series of X.
        """
        values = self._outputs(X)
        return values[:, 0] if self._one_value else values

    def _take_info(self, info: Mapping[str, Any]) -> None:
        if info["loss"] == "cross-entropy":
            raise ValueError("the network of the file was trained for classes: a classifier loads it")
        self.loss = info["loss"]
        self._one_value = info["outputs"] == 1

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


class _Regressor(SeriesRegressor, NetworkEstimator):
    """The common part of trained regressors; see :class:`NetworkRegressor` for the parameters."""

    def __init__(
        self,
        *,
        n_epochs: Optional[int] = None,
        batch_size: Optional[int] = None,
        n_members: Optional[int] = None,
        optimizer: str = "adam",
        learning_rate: Optional[float] = None,
        weight_decay: Optional[float] = None,
        schedule: Optional[str] = None,
        loss: str = "squared-error",
        augment: Optional[Mapping[str, float]] = None,
        normalize: str = "auto",
        missing: str = "refuse",
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 50,
        callback: Optional[Callback] = None,
        random_state: Any = None,
        n_jobs: Optional[int] = None,
        verbose: int = 0,
    ) -> None:
        self.n_epochs = n_epochs
        self.batch_size = batch_size
        self.n_members = n_members
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.schedule = schedule
        self.loss = loss
        self.augment = augment
        self.normalize = normalize
        self.missing = missing
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.callback = callback
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: Optional[ArrayLike] = None) -> "_Regressor":
        """Trains the network.

        Parameters
        ----------
        X : array of shape (n_cases, n_channels, n_timepoints) or (n_cases, n_timepoints), or a list
            The series. A list holds arrays of shape (n_channels, n_timepoints) or (n_timepoints,), whose lengths may differ.
        y : array of shape (n_cases,) or (n_cases, n_outputs)
            Their values, in any unit; they are scaled for the training.
        sample_weight : array of shape (n_cases,), optional
            The weight of each series in the loss, 0 or more. A weight of k has the same effect as k copies of the series, to the
            last bit. For this, the series are sorted first if some weight is neither 0 nor 1, or if some series are equal.

        Returns
        -------
        self
            The trained regressor.
        """
        series, y = self._series_to_fit(X, y, multi_output=True)
        targets = self._values(y)
        weights = None
        if sample_weight is not None:
            weights = _check_sample_weight(sample_weight, series.x[:, 0], dtype=np.float64, ensure_non_negative=True)
        self._fit_series(series, targets, weights)
        return self


class FCNRegressor(_Regressor):
    """A regressor of series: a fully convolutional network (Wang, Yan & Oates 2017).

    Parameters and attributes are those of :class:`NetworkRegressor`, without ``architecture``. Published: 2000 epochs, batches of
    a tenth of the series, from 2 to 16, the schedule ``"plateau"``.

    Examples
    --------
    >>> import numpy as np
    >>> from tapline import FCNRegressor
    >>> X = np.random.default_rng(0).normal(size=(20, 1, 30))
    >>> y = X.mean(axis=(1, 2))
    >>> regressor = FCNRegressor(n_epochs=2, random_state=1).fit(X, y)
    >>> regressor.predict(X).shape
    (20,)
    """

    _architecture = "fcn"


class ResNetRegressor(_Regressor):
    """A regressor of series: a residual network (Wang, Yan & Oates 2017).

    Parameters and attributes are those of :class:`NetworkRegressor`, without ``architecture``. Published: 1500 epochs, batches of
    a tenth of the series, from 2 to 64, the schedule ``"plateau"``.

    Examples
    --------
    >>> import numpy as np
    >>> from tapline import ResNetRegressor
    >>> X = np.random.default_rng(0).normal(size=(20, 1, 30))
    >>> y = X.mean(axis=(1, 2))
    >>> regressor = ResNetRegressor(n_epochs=2, random_state=1).fit(X, y)
    >>> regressor.predict(X).shape
    (20,)
    """

    _architecture = "resnet"


class InceptionTimeRegressor(_Regressor):
    """A regressor of series: five Inception networks, averaged (Ismail Fawaz et al. 2020).

    Parameters and attributes are those of :class:`NetworkRegressor`, without ``architecture``. Published: 1500 epochs, batches of
    64, the schedule ``"plateau"``, 5 members.

    Examples
    --------
    >>> import numpy as np
    >>> from tapline import InceptionTimeRegressor
    >>> X = np.random.default_rng(0).normal(size=(20, 1, 30))
    >>> y = X.mean(axis=(1, 2))
    >>> regressor = InceptionTimeRegressor(n_epochs=2, random_state=1).fit(X, y)
    >>> regressor.predict(X).shape
    (20,)
    """

    _architecture = "inceptiontime"


class LITETimeRegressor(_Regressor):
    """A regressor of series: five LITE networks, averaged (Ismail-Fawaz et al. 2023).

    Parameters and attributes are those of :class:`NetworkRegressor`, without ``architecture``. Published: 1500 epochs, batches of
    64, the schedule ``"plateau"``, 5 members.

    Series of fewer than 3 steps are padded with zeros, since the dilated filters would miss all their values.

    Examples
    --------
    >>> import numpy as np
    >>> from tapline import LITETimeRegressor
    >>> X = np.random.default_rng(0).normal(size=(20, 1, 30))
    >>> y = X.mean(axis=(1, 2))
    >>> regressor = LITETimeRegressor(n_epochs=2, random_state=1).fit(X, y)
    >>> regressor.predict(X).shape
    (20,)
    """

    _architecture = "litetime"


class TCNRegressor(_Regressor):
    """A regressor of series: a temporal convolutional network (Bai, Kolter & Koltun 2018).

    Parameters and attributes are those of :class:`NetworkRegressor`, without ``architecture``. Published: 300 epochs, batches of
    a tenth of the series, from 2 to 64, the schedule ``"plateau"``.

    Examples
    --------
    >>> import numpy as np
    >>> from tapline import TCNRegressor
    >>> X = np.random.default_rng(0).normal(size=(20, 1, 30))
    >>> y = X.mean(axis=(1, 2))
    >>> regressor = TCNRegressor(n_epochs=2, random_state=1).fit(X, y)
    >>> regressor.predict(X).shape
    (20,)
    """

    _architecture = "tcn"


class TimeCNNRegressor(_Regressor):
    """A regressor of series: Time-CNN (Zhao et al. 2017); series of fewer than 9 steps are padded with zeros.

    Parameters and attributes are those of :class:`NetworkRegressor`, without ``architecture``. Published: 2000 epochs, batches of
    16, the schedule ``"constant"``.

    Examples
    --------
    >>> import numpy as np
    >>> from tapline import TimeCNNRegressor
    >>> X = np.random.default_rng(0).normal(size=(20, 1, 30))
    >>> y = X.mean(axis=(1, 2))
    >>> regressor = TimeCNNRegressor(n_epochs=2, random_state=1).fit(X, y)
    >>> regressor.predict(X).shape
    (20,)
    """

    _architecture = "timecnn"
    _takes_unequal_lengths = False


class NetworkRegressor(_Regressor):
    """A regressor of series: any network.

    Parameters
    ----------
    architecture : str, dict or path, default="fcn"
        A ready-made network (``"fcn"``, ``"resnet"``, ``"inception"``, ``"inceptiontime"``, ``"timecnn"``, ``"lite"``,
        ``"litetime"``, ``"tcn"``, ``"wavenet"``), or layers as a dictionary, as JSON or in a JSON file
        (``docs/architectures.md``), whose last layer has as many units as there are values: ``"units": "outputs"``.
    n_epochs : int, optional
        Number of passes over the series; by default as published; 1500 for other networks.
    batch_size : int, optional
        Number of series of a training step; by default as published; for other networks a tenth of the series,
        from 2 to 16.
    n_members : int, optional
        Number of networks, with seeds that follow each other, whose predictions are averaged; by default 1;
        5 of ``"inceptiontime"`` and ``"litetime"``.
    optimizer : str, default="adam"
        ``"adam"``, ``"adamw"``, ``"sgd"``, ``"rmsprop"`` or ``"adagrad"``.
    learning_rate : float, optional
        By default that of the optimizer; 0.001 for adam.
    weight_decay : float, optional
        By default that of the optimizer.
    schedule : str, optional
        How the learning rate changes: ``"constant"``, ``"plateau"``, ``"step"``, ``"exponential"``, ``"cosine"``,
        ``"one-cycle"``, ``"noam"`` or ``"king"``; by default ``"plateau"``.
    loss : str, default="squared-error"
        ``"squared-error"``, ``"absolute-error"`` or ``"huber"``.
    augment : dict, optional
        Random variations of the series: ``"crop"``, ``"scale"``, ``"jitter"`` and ``"mixup"`` (``tapline/augment.h``).
    normalize : str, default="auto"
        ``"series"``: each channel of each series gets mean 0 and deviation 1; ``"set"``: each channel by its mean and
        deviation over the training set; ``"none"``; ``"auto"``: ``"set"`` for series of fewer than 8 steps, else ``"series"``.
    missing : str, default="refuse"
        How NaN is treated: ``"refuse"`` raises an error; ``"interpolate"``, ``"mean"`` and ``"zero"`` replace it.
    early_stopping : bool, default=False
        Whether to hold out a part of the series, and to stop when the loss on that part no longer falls. The network of the epoch
        with the lowest loss is kept: the loss on the held-out part, or, without early stopping, the training loss.
    validation_fraction : float, default=0.1
        The size of that part; it is rounded to 1/2, 1/3, 1/4 and so on.
    n_iter_no_change : int, default=50
        With early stopping: stop after this many epochs without a lower loss.
    callback : callable, optional
        Called with a :class:`tapline.Progress` at the end of each epoch, and between at most ten times a second. False stops the
        training.
    random_state : int, RandomState or None, default=None
        An integer is the seed itself: the network is then the same, to the last bit, as that of ``tapline train --seed``.
    n_jobs : int, optional
        Number of threads; None: 1, -1: all processors. Results do not depend on it.
    verbose : int, default=0
        1: a line of progress on stderr; 2: a bar, where tqdm is installed.

    Attributes
    ----------
    models_ : list of Model
        The trained networks, for predictions only. ``models_[0].copy(inference_only=False)`` can be trained further.
    history_ : dict of ndarray
        A number for each epoch, such as ``history_["loss"]``. For several networks the arrays are joined, and ``member`` is the
        number of the network.
    n_iter_ : int
        Epochs of the training.
    n_timepoints_in_, n_channels_in_ : int
        Steps of the longest series, and channels.

    Examples
    --------
    >>> import numpy as np
    >>> from tapline import NetworkRegressor
    >>> X = np.random.default_rng(0).normal(size=(20, 1, 30))
    >>> y = X.mean(axis=(1, 2))
    >>> regressor = NetworkRegressor("tcn", n_epochs=2, random_state=1).fit(X, y)
    >>> regressor.predict(X).shape
    (20,)
    """

    def __init__(
        self,
        architecture: Architecture = "fcn",
        *,
        n_epochs: Optional[int] = None,
        batch_size: Optional[int] = None,
        n_members: Optional[int] = None,
        optimizer: str = "adam",
        learning_rate: Optional[float] = None,
        weight_decay: Optional[float] = None,
        schedule: Optional[str] = None,
        loss: str = "squared-error",
        augment: Optional[Mapping[str, float]] = None,
        normalize: str = "auto",
        missing: str = "refuse",
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 50,
        callback: Optional[Callback] = None,
        random_state: Any = None,
        n_jobs: Optional[int] = None,
        verbose: int = 0,
    ) -> None:
        super().__init__(
            n_epochs=n_epochs, batch_size=batch_size, n_members=n_members, optimizer=optimizer,
            learning_rate=learning_rate, weight_decay=weight_decay, schedule=schedule, loss=loss,
            augment=augment, normalize=normalize, missing=missing, early_stopping=early_stopping,
            validation_fraction=validation_fraction, n_iter_no_change=n_iter_no_change,
            callback=callback, random_state=random_state, n_jobs=n_jobs, verbose=verbose,
        )  # fmt: skip
        self.architecture = architecture

    def _network(self) -> Architecture:
        return self.architecture
