"""Classifiers of series, for scikit-learn."""

from __future__ import annotations

from typing import Any, Mapping, Optional, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, column_or_1d

from ._estimators import NetworkEstimator, SeriesEstimator, Targets
from ._training import Callback
from .model import Architecture


def _classes_of(names: Optional[list[str]], outputs: int) -> NDArray[Any]:
    """Classes by their names in a file: whole numbers where all of them are."""
    if names is None:
        return np.arange(outputs)
    try:
        return np.array([int(name) for name in names])
    except ValueError:
        return np.array(names)


class SeriesClassifier(ClassifierMixin, SeriesEstimator):  # type: ignore[misc]
    """The common part of all classifiers."""

    classes_: NDArray[Any]

    def _loss_settings(self) -> dict[str, Any]:
        return {"loss": "cross-entropy"}

    def _class_names(self) -> Optional[list[str]]:
        return [str(name) for name in self.classes_]

    def _labels(self, y: Any, weights: Optional[NDArray[np.float64]] = None) -> Targets:
        """Finds the classes of y, of samples with a weight above 0, and returns the label of each sample."""
        names: NDArray[Any] = column_or_1d(y, warn=True)
        check_classification_targets(names)
        self.classes_, labels = np.unique(names if weights is None else names[weights > 0], return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"y has {len(self.classes_)} class; a classifier needs at least 2 classes")
        if weights is not None:
            labels = np.clip(np.searchsorted(self.classes_, names), 0, len(self.classes_) - 1)
        return Targets(labels.astype(np.int32), None, len(self.classes_))

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float32]:
        """The probability of each class.

        Parameters
        ----------
        X : array or list
            Series, as for :meth:`fit`.

        Returns
        -------
        ndarray of shape (n_cases, n_classes)
            Columns are in the order of ``classes_``. Probabilities do not depend on the other series of X.
        """
        return self._outputs(X).astype(np.float32)

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """The most probable class.

        Parameters
        ----------
        X : array or list
            Series, as for :meth:`fit`.

        Returns
        -------
        ndarray of shape (n_cases,)
            Elements of ``classes_``.
        """
        probabilities = self._outputs(X)
        predicted: NDArray[Any] = self.classes_[probabilities.argmax(axis=1)]
        return predicted

    def _take_info(self, info: Mapping[str, Any]) -> None:
        if info["loss"] != "cross-entropy":
            raise ValueError(f'the network of the file was trained for {info["loss"]}: a regressor loads it')
        self.classes_ = _classes_of(info["classes"], info["outputs"])


class _Classifier(SeriesClassifier, NetworkEstimator):
    """The common part of trained classifiers; see :class:`NetworkClassifier` for the parameters."""

    label_smoothing: float
    class_weight: Union[None, str, Mapping[Any, float]]

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
        label_smoothing: float = 0.0,
        class_weight: Union[None, str, Mapping[Any, float]] = None,
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
        self.label_smoothing = label_smoothing
        self.class_weight = class_weight
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

    def _loss_settings(self) -> dict[str, Any]:
        return {**super()._loss_settings(), "label_smoothing": self.label_smoothing or None}

    def _class_weights(self, targets: Targets) -> Optional[NDArray[np.float64]]:
        if self.class_weight is None:
            return None
        labels = self.classes_[targets.keys()]
        weights: NDArray[np.float64] = compute_class_weight(self.class_weight, classes=self.classes_, y=labels)
        return np.ascontiguousarray(weights)

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: Optional[ArrayLike] = None) -> "_Classifier":
        """Trains the network.

        Parameters
        ----------
        X : array of shape (n_cases, n_channels, n_timepoints) or (n_cases, n_timepoints), or a list
            The series. A list holds arrays of shape (n_channels, n_timepoints) or (n_timepoints,), whose lengths may differ.
        y : array of shape (n_cases,)
            Their classes: numbers or texts.
        sample_weight : array of shape (n_cases,), optional
            The weight of each series in the loss, 0 or more. A weight of k has the same effect as k copies of the series, to the
            last bit. For this, the series are sorted first if some weight is neither 0 nor 1, or if some series are equal.

        Returns
        -------
        self
            The trained classifier.
        """
        series, given = self._series_to_fit(X, y, multi_output=False)
        weights = None
        if sample_weight is not None:
            weights = _check_sample_weight(sample_weight, series.x[:, 0], dtype=np.float64, ensure_non_negative=True)
        self._fit_series(series, self._labels(given, weights), weights)
        return self


class FCNClassifier(_Classifier):
    """A classifier of series: a fully convolutional network (Wang, Yan & Oates 2017).

    Parameters and attributes are those of :class:`NetworkClassifier`, without ``architecture``. Published: 2000 epochs, batches of
    a tenth of the series, from 2 to 16, the schedule ``"plateau"``.

    Examples
    --------
    >>> import numpy as np
    >>> from tapline import FCNClassifier
    >>> X = np.random.default_rng(0).normal(size=(20, 1, 30))
    >>> y = np.where(np.arange(20) % 2, "odd", "even")
    >>> classifier = FCNClassifier(n_epochs=2, random_state=1).fit(X, y)
    >>> classifier.predict(X).shape, classifier.predict_proba(X).shape
    ((20,), (20, 2))
    """

    _architecture = "fcn"


class ResNetClassifier(_Classifier):
    """A classifier of series: a residual network (Wang, Yan & Oates 2017).

    Parameters and attributes are those of :class:`NetworkClassifier`, without ``architecture``. Published: 1500 epochs, batches of
    a tenth of the series, from 2 to 64, the schedule ``"plateau"``.

    Examples
    --------
    >>> import numpy as np
    >>> from tapline import ResNetClassifier
    >>> X = np.random.default_rng(0).normal(size=(20, 1, 30))
    >>> y = np.where(np.arange(20) % 2, "odd", "even")
    >>> classifier = ResNetClassifier(n_epochs=2, random_state=1).fit(X, y)
    >>> classifier.predict(X).shape, classifier.predict_proba(X).shape
    ((20,), (20, 2))
    """

    _architecture = "resnet"


class InceptionTimeClassifier(_Classifier):
    """A classifier of series: five Inception networks, averaged (Ismail Fawaz et al. 2020).

    Parameters and attributes are those of :class:`NetworkClassifier`, without ``architecture``. Published: 1500 epochs, batches of
    64, the schedule ``"plateau"``, 5 members.

    Examples
    --------
    >>> import numpy as np
    >>> from tapline import InceptionTimeClassifier
    >>> X = np.random.default_rng(0).normal(size=(20, 1, 30))
    >>> y = np.where(np.arange(20) % 2, "odd", "even")
    >>> classifier = InceptionTimeClassifier(n_epochs=2, random_state=1).fit(X, y)
    >>> classifier.predict(X).shape, classifier.predict_proba(X).shape
    ((20,), (20, 2))
    """

    _architecture = "inceptiontime"


class LITETimeClassifier(_Classifier):
    """A classifier of series: five LITE networks, averaged (Ismail-Fawaz et al. 2023).

    Parameters and attributes are those of :class:`NetworkClassifier`, without ``architecture``. Published: 1500 epochs, batches of
    64, the schedule ``"plateau"``, 5 members.

    Series of fewer than 3 steps are padded with zeros, since the dilated filters would miss all their values.

    Examples
    --------
    >>> import numpy as np
    >>> from tapline import LITETimeClassifier
    >>> X = np.random.default_rng(0).normal(size=(20, 1, 30))
    >>> y = np.where(np.arange(20) % 2, "odd", "even")
    >>> classifier = LITETimeClassifier(n_epochs=2, random_state=1).fit(X, y)
    >>> classifier.predict(X).shape, classifier.predict_proba(X).shape
    ((20,), (20, 2))
    """

    _architecture = "litetime"


class TCNClassifier(_Classifier):
    """A classifier of series: a temporal convolutional network (Bai, Kolter & Koltun 2018).

    Parameters and attributes are those of :class:`NetworkClassifier`, without ``architecture``. Published: 300 epochs, batches of
    a tenth of the series, from 2 to 64, the schedule ``"plateau"``.

    Examples
    --------
    >>> import numpy as np
    >>> from tapline import TCNClassifier
    >>> X = np.random.default_rng(0).normal(size=(20, 1, 30))
    >>> y = np.where(np.arange(20) % 2, "odd", "even")
    >>> classifier = TCNClassifier(n_epochs=2, random_state=1).fit(X, y)
    >>> classifier.predict(X).shape, classifier.predict_proba(X).shape
    ((20,), (20, 2))
    """

    _architecture = "tcn"


class TimeCNNClassifier(_Classifier):
    """A classifier of series: Time-CNN (Zhao et al. 2017); series of fewer than 9 steps are padded with zeros.

    Parameters and attributes are those of :class:`NetworkClassifier`, without ``architecture``. Published: 2000 epochs, batches of
    16, the schedule ``"constant"``.

    Examples
    --------
    >>> import numpy as np
    >>> from tapline import TimeCNNClassifier
    >>> X = np.random.default_rng(0).normal(size=(20, 1, 30))
    >>> y = np.where(np.arange(20) % 2, "odd", "even")
    >>> classifier = TimeCNNClassifier(n_epochs=2, random_state=1).fit(X, y)
    >>> classifier.predict(X).shape, classifier.predict_proba(X).shape
    ((20,), (20, 2))
    """

    _architecture = "timecnn"
    _takes_unequal_lengths = False


class NetworkClassifier(_Classifier):
    """A classifier of series: any network.

    Parameters
    ----------
    architecture : str, dict or path, default="fcn"
        A ready-made network (``"fcn"``, ``"resnet"``, ``"inception"``, ``"inceptiontime"``, ``"timecnn"``, ``"lite"``,
        ``"litetime"``, ``"tcn"``, ``"wavenet"``), or layers as a dictionary, as JSON or in a JSON file
        (``docs/architectures.md``), whose last layer has as many units as there are classes: ``"units": "outputs"``.
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
    label_smoothing : float, default=0.0
        This share of a target is spread over all classes (Szegedy et al. 2016).
    class_weight : dict, "balanced" or None, default=None
        The weight of each class in the loss.
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
    classes_ : ndarray
        The classes, sorted.
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
    >>> from tapline import NetworkClassifier
    >>> X = np.random.default_rng(0).normal(size=(20, 1, 30))
    >>> y = np.where(np.arange(20) % 2, "odd", "even")
    >>> classifier = NetworkClassifier("tcn", n_epochs=2, random_state=1).fit(X, y)
    >>> classifier.predict(X).shape, classifier.predict_proba(X).shape
    ((20,), (20, 2))
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
        label_smoothing: float = 0.0,
        class_weight: Union[None, str, Mapping[Any, float]] = None,
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
            learning_rate=learning_rate, weight_decay=weight_decay, schedule=schedule,
            label_smoothing=label_smoothing, class_weight=class_weight, augment=augment,
            normalize=normalize, missing=missing, early_stopping=early_stopping,
            validation_fraction=validation_fraction, n_iter_no_change=n_iter_no_change,
            callback=callback, random_state=random_state, n_jobs=n_jobs, verbose=verbose,
        )  # fmt: skip
        self.architecture = architecture

    def _network(self) -> Architecture:
        return self.architecture
