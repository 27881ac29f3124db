"""The estimators as subclasses of aeon's base classes, for aeon's pipelines, checks and benchmarks.

Parameters and attributes are those of the estimator with the same name in :mod:`tapline`; ``estimator_`` is this estimator.

Examples
--------
>>> from tapline.aeon import FCNClassifier  # doctest: +SKIP
>>> FCNClassifier(n_epochs=100, random_state=1).fit(X, y).predict(X_test)  # doctest: +SKIP
"""

from __future__ import annotations

import inspect
from typing import Any

try:
    from aeon.classification.base import BaseClassifier
    from aeon.regression.base import BaseRegressor
except ModuleNotFoundError as missing:
    if missing.name is None or missing.name.partition(".")[0] != "aeon":
        raise
    raise ImportError("tapline.aeon needs aeon: pip install tapline[aeon]") from missing

from . import _classifiers, _regressors, _rocket
from ._estimators import NetworkEstimator, SeriesEstimator

_TAGS = {
    "X_inner_type": ["np-list", "numpy3D"],
    "capability:multivariate": True,
    "capability:unequal_length": True,
    "capability:multithreading": True,
    "non_deterministic": False,
    "cant_pickle": False,
    "python_dependencies": "tapline",
}


class _Adapter:
    """What both kinds share: an estimator of tapline that is made by ``fit``."""

    _kind: type[SeriesEstimator]
    estimator_: Any

    def _fit(self, X: Any, y: Any) -> Any:
        self.estimator_ = self._kind(**self.get_params(deep=False))  # type: ignore[attr-defined]
        self.estimator_.fit(X, y)
        return self

    def _predict(self, X: Any) -> Any:
        return self.estimator_.predict(X)

    @classmethod
    def _get_test_params(cls, parameter_set: str = "default") -> dict[str, Any]:
        """Settings with which aeon's checks take seconds."""
        return {"n_epochs": 3, "n_members": 1} if issubclass(cls._kind, NetworkEstimator) else {}


class _Classifier(_Adapter):
    def _predict_proba(self, X: Any) -> Any:
        return self.estimator_.predict_proba(X)


def _adapt(kind: type[SeriesEstimator], base: Any, adapter: type[_Adapter]) -> Any:
    """The class of aeon for one of tapline, whose constructor has the same parameters."""
    own = inspect.signature(kind.__init__)
    # aeon requires this default, which means the same as None
    signature = own.replace(parameters=[p.replace(default=1) if p.name == "n_jobs" else p for p in own.parameters.values()])

    def __init__(self: Any, *arguments: Any, **settings: Any) -> None:
        bound = signature.bind(self, *arguments, **settings)
        bound.apply_defaults()
        for name, value in list(bound.arguments.items())[1:]:
            setattr(self, name, value)
        base.__init__(self)

    setattr(__init__, "__signature__", signature)
    tags = dict(_TAGS, algorithm_type="deeplearning" if issubclass(kind, NetworkEstimator) else "convolution")
    if not kind._takes_unequal_lengths:
        tags.update({"X_inner_type": "numpy3D", "capability:unequal_length": False})
    members = {"__init__": __init__, "__module__": __name__, "__doc__": kind.__doc__, "_kind": kind, "_tags": tags}
    return type(kind.__name__, (adapter, base), members)


FCNClassifier = _adapt(_classifiers.FCNClassifier, BaseClassifier, _Classifier)
InceptionTimeClassifier = _adapt(_classifiers.InceptionTimeClassifier, BaseClassifier, _Classifier)
LITETimeClassifier = _adapt(_classifiers.LITETimeClassifier, BaseClassifier, _Classifier)
NetworkClassifier = _adapt(_classifiers.NetworkClassifier, BaseClassifier, _Classifier)
ResNetClassifier = _adapt(_classifiers.ResNetClassifier, BaseClassifier, _Classifier)
TCNClassifier = _adapt(_classifiers.TCNClassifier, BaseClassifier, _Classifier)
TimeCNNClassifier = _adapt(_classifiers.TimeCNNClassifier, BaseClassifier, _Classifier)

FCNRegressor = _adapt(_regressors.FCNRegressor, BaseRegressor, _Adapter)
InceptionTimeRegressor = _adapt(_regressors.InceptionTimeRegressor, BaseRegressor, _Adapter)
LITETimeRegressor = _adapt(_regressors.LITETimeRegressor, BaseRegressor, _Adapter)
NetworkRegressor = _adapt(_regressors.NetworkRegressor, BaseRegressor, _Adapter)
ResNetRegressor = _adapt(_regressors.ResNetRegressor, BaseRegressor, _Adapter)
TCNRegressor = _adapt(_regressors.TCNRegressor, BaseRegressor, _Adapter)
TimeCNNRegressor = _adapt(_regressors.TimeCNNRegressor, BaseRegressor, _Adapter)

HydraClassifier = _adapt(_rocket.HydraClassifier, BaseClassifier, _Classifier)
MiniRocketClassifier = _adapt(_rocket.MiniRocketClassifier, BaseClassifier, _Classifier)
MultiRocketClassifier = _adapt(_rocket.MultiRocketClassifier, BaseClassifier, _Classifier)
MultiRocketHydraClassifier = _adapt(_rocket.MultiRocketHydraClassifier, BaseClassifier, _Classifier)

HydraRegressor = _adapt(_rocket.HydraRegressor, BaseRegressor, _Adapter)
MiniRocketRegressor = _adapt(_rocket.MiniRocketRegressor, BaseRegressor, _Adapter)
MultiRocketRegressor = _adapt(_rocket.MultiRocketRegressor, BaseRegressor, _Adapter)
MultiRocketHydraRegressor = _adapt(_rocket.MultiRocketHydraRegressor, BaseRegressor, _Adapter)
