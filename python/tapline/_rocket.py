"""Fixed convolutions and ridge regression on series, for scikit-learn: MiniRocket, MultiRocket and Hydra."""

from __future__ import annotations

from typing import Optional, Union

from numpy.random import RandomState
from numpy.typing import ArrayLike

from ._classifiers import SeriesClassifier
from ._estimators import SeriesEstimator, Targets, defaults_of, for_inference, threads_of
from ._regressors import SeriesRegressor
from ._series import Series, normalize as scale
from .model import Model


class _Rocket(SeriesEstimator):
    """The common part; see :class:`MiniRocketClassifier` for the parameters."""

    penalties: Optional[ArrayLike]
    penalty_: float
    leave_one_out_error_: float

    def __init__(
        self,
        *,
        penalties: Optional[ArrayLike] = None,
        normalize: str = "none",
        missing: str = "refuse",
        random_state: Union[None, int, RandomState] = None,
        n_jobs: Optional[int] = None,
    ) -> None:
        self.penalties = penalties
        self.normalize = normalize
        self.missing = missing
        self.random_state = random_state
        self.n_jobs = n_jobs

    def _solve(self, series: Series, targets: Targets) -> dict[str, float]:
        """Fits the features and computes the layer behind them; the result is that of :meth:`Model.fit_ridge`."""
        self.scaling_ = scale(series, self._scaling_kind())
        data = self._data_set(series, targets, self.scaling_)
        count, length, channels = data.shape
        model = Model(
            self._architecture, length=length, channels=channels, outputs=targets.outputs, seed=self._seed(),
            threads=threads_of(self.n_jobs),
        )  # fmt: skip
        model.compile(batch=defaults_of(self._architecture, count).batch, **self._loss_settings())
        result = model.fit_ridge_data(data, self.penalties)
        model.end_training(**for_inference(self.n_jobs))
        self.models_ = [model]
        self.penalty_ = result["penalty"]
        self.leave_one_out_error_ = result["error"]
        return result


class _RocketClassifier(SeriesClassifier, _Rocket):
    """The common part of classifiers."""

    leave_one_out_accuracy_: float

    def fit(self, X: ArrayLike, y: ArrayLike) -> "_RocketClassifier":
        """Fits the features and the ridge regression on them.

        Parameters
        ----------
        X : array of shape (n_cases, n_channels, n_timepoints) or (n_cases, n_timepoints), or a list
            The series. A list holds arrays of shape (n_channels, n_timepoints) or (n_timepoints,), whose lengths may differ.
        y : array of shape (n_cases,)
            Their classes: numbers or texts.

        Returns
        -------
        self
            The fitted classifier.
        """
        series, y = self._series_to_fit(X, y, multi_output=False)
        self.leave_one_out_accuracy_ = self._solve(series, self._labels(y))["accuracy"]
        return self


class _RocketRegressor(SeriesRegressor, _Rocket):
    """The common part of regressors."""

    loss = "squared-error"

    def fit(self, X: ArrayLike, y: ArrayLike) -> "_RocketRegressor":
        """Fits the features and the ridge regression on them.

        Parameters
        ----------
        X : array of shape (n_cases, n_channels, n_timepoints) or (n_cases, n_timepoints), or a list
            The series. A list holds arrays of shape (n_channels, n_timepoints) or (n_timepoints,), whose lengths may differ.
        y : array of shape (n_cases,) or (n_cases, n_outputs)
            Their values, in any unit.

        Returns
        -------
        self
            The fitted regressor.
        """
        series, y = self._series_to_fit(X, y, multi_output=True)
        self._solve(series, self._values(y))
        return self


class MiniRocketClassifier(_RocketClassifier):
    """A classifier of series: MiniRocket (Dempster, Schmidt & Webb 2021), 9,996 features.

    The features are shares of the outputs of fixed convolutions that exceed a bias. Ridge regression on them takes no epochs: a fit
    takes less than a second for a few hundred series.

    Parameters
    ----------
    penalties : array, optional
        Penalties of the ridge regression to choose from, above 0; by default ten from 0.001 to 1000. The penalty with the smallest
        mean squared leave-one-out error is used.
    normalize : str, default="none"
        ``"series"``: each channel of each series gets mean 0 and deviation 1; ``"set"``: each channel by its mean and
        deviation over the training set; ``"none"``, as published; ``"auto"``: ``"set"`` for series of fewer than 8 steps, else
        ``"series"``.
    missing : str, default="refuse"
        How NaN is treated: ``"refuse"`` raises an error; ``"interpolate"``, ``"mean"`` and ``"zero"`` replace it.
    random_state : int, RandomState or None, default=None
        An integer is the seed itself: the result is then the same, to the last bit, as that of ``tapline train --seed``.
    n_jobs : int, optional
        Number of threads; None: 1, -1: all processors. Results do not depend on it.

    Attributes
    ----------
    classes_ : ndarray
        The classes, sorted.
    penalty_ : float
        The chosen penalty.
    leave_one_out_error_, leave_one_out_accuracy_ : float
        Mean squared error for targets of 1 and -1, and accuracy, when each series is predicted by the solution without it. They
        tell how good the classifier is without a test set.
    models_ : list of Model
        The network, one, for predictions only (:meth:`Model.copy` makes one that learns).
    n_timepoints_in_, n_channels_in_ : int
        Steps of the longest series, and channels.

    Series of fewer than 9 steps are padded with zeros.

    Examples
    --------
    >>> import numpy as np
    >>> from tapline import MiniRocketClassifier
    >>> X = np.random.default_rng(0).normal(size=(20, 1, 30))
    >>> y = np.where(np.arange(20) % 2, "odd", "even")
    >>> X[y == "odd", 0, :10] += 3
    >>> MiniRocketClassifier(random_state=1).fit(X, y).score(X, y)
    1.0
    """

    _architecture = "minirocket"


class MultiRocketClassifier(_RocketClassifier):
    """A classifier of series: MultiRocket (Tan, Dempster, Bergmeir & Webb 2022), 49,728 features.

    Parameters and attributes are those of :class:`MiniRocketClassifier`.

    Series of fewer than 10 steps are padded with zeros.

    Examples
    --------
    >>> import numpy as np
    >>> from tapline import MultiRocketClassifier
    >>> X = np.random.default_rng(0).normal(size=(20, 1, 30))
    >>> y = np.where(np.arange(20) % 2, "odd", "even")
    >>> X[y == "odd", 0, :10] += 3
    >>> MultiRocketClassifier(random_state=1).fit(X, y).score(X, y)
    1.0
    """

    _architecture = "multirocket"


class HydraClassifier(_RocketClassifier):
    """A classifier of series: Hydra (Dempster, Schmidt & Webb 2023), 1,024 features for each dilation.

    Parameters and attributes are those of :class:`MiniRocketClassifier`.

    Series of fewer than 10 steps are padded with zeros.

    Examples
    --------
    >>> import numpy as np
    >>> from tapline import HydraClassifier
    >>> X = np.random.default_rng(0).normal(size=(20, 1, 30))
    >>> y = np.where(np.arange(20) % 2, "odd", "even")
    >>> X[y == "odd", 0, :10] += 3
    >>> HydraClassifier(random_state=1).fit(X, y).score(X, y)
    1.0
    """

    _architecture = "hydra"


class MultiRocketHydraClassifier(_RocketClassifier):
    """A classifier of series: MultiRocket and Hydra side by side (Dempster, Schmidt & Webb 2023).

    Parameters and attributes are those of :class:`MiniRocketClassifier`.

    Series of fewer than 10 steps are padded with zeros.

    Examples
    --------
    >>> import numpy as np
    >>> from tapline import MultiRocketHydraClassifier
    >>> X = np.random.default_rng(0).normal(size=(20, 1, 30))
    >>> y = np.where(np.arange(20) % 2, "odd", "even")
    >>> X[y == "odd", 0, :10] += 3
    >>> MultiRocketHydraClassifier(random_state=1).fit(X, y).score(X, y)
    1.0
    """

    _architecture = "multirocket-hydra"


class MiniRocketRegressor(_RocketRegressor):
    """A regressor of series: MiniRocket (Dempster, Schmidt & Webb 2021), 9,996 features.

    Parameters and attributes are those of :class:`MiniRocketClassifier`, without ``classes_`` and ``leave_one_out_accuracy_``. The
    error is that of target values which are scaled to mean 0 and deviation 1.

    Series of fewer than 9 steps are padded with zeros.

    Examples
    --------
    >>> import numpy as np
    >>> from tapline import MiniRocketRegressor
    >>> X = np.random.default_rng(0).normal(size=(20, 1, 30))
    >>> y = X.mean(axis=(1, 2))
    >>> MiniRocketRegressor(random_state=1).fit(X, y).predict(X).shape
    (20,)
    """

    _architecture = "minirocket"


class MultiRocketRegressor(_RocketRegressor):
    """A regressor of series: MultiRocket (Tan, Dempster, Bergmeir & Webb 2022), 49,728 features.

    Parameters and attributes are those of :class:`MiniRocketClassifier`, without ``classes_`` and ``leave_one_out_accuracy_``. The
    error is that of target values which are scaled to mean 0 and deviation 1.

    Series of fewer than 10 steps are padded with zeros.

    Examples
    --------
    >>> import numpy as np
    >>> from tapline import MultiRocketRegressor
    >>> X = np.random.default_rng(0).normal(size=(20, 1, 30))
    >>> y = X.mean(axis=(1, 2))
    >>> MultiRocketRegressor(random_state=1).fit(X, y).predict(X).shape
    (20,)
    """

    _architecture = "multirocket"


class HydraRegressor(_RocketRegressor):
    """A regressor of series: Hydra (Dempster, Schmidt & Webb 2023), 1,024 features for each dilation.

    Parameters and attributes are those of :class:`MiniRocketClassifier`, without ``classes_`` and ``leave_one_out_accuracy_``. The
    error is that of target values which are scaled to mean 0 and deviation 1.

    Series of fewer than 10 steps are padded with zeros.

    Examples
    --------
    >>> import numpy as np
    >>> from tapline import HydraRegressor
    >>> X = np.random.default_rng(0).normal(size=(20, 1, 30))
    >>> y = X.mean(axis=(1, 2))
    >>> HydraRegressor(random_state=1).fit(X, y).predict(X).shape
    (20,)
    """

    _architecture = "hydra"


class MultiRocketHydraRegressor(_RocketRegressor):
    """A regressor of series: MultiRocket and Hydra side by side (Dempster, Schmidt & Webb 2023).

    Parameters and attributes are those of :class:`MiniRocketClassifier`, without ``classes_`` and ``leave_one_out_accuracy_``. The
    error is that of target values which are scaled to mean 0 and deviation 1.

    Series of fewer than 10 steps are padded with zeros.

    Examples
    --------
    >>> import numpy as np
    >>> from tapline import MultiRocketHydraRegressor
    >>> X = np.random.default_rng(0).normal(size=(20, 1, 30))
    >>> y = X.mean(axis=(1, 2))
    >>> MultiRocketHydraRegressor(random_state=1).fit(X, y).predict(X).shape
    (20,)
    """

    _architecture = "multirocket-hydra"
