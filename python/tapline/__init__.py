"""tapline: small one-dimensional convolutional networks on series.

Classifiers and regressors for scikit-learn, :mod:`tapline.aeon` for aeon, and :class:`Model` for single passes of a network.
The import needs only NumPy; scikit-learn is loaded when an estimator is first used.

Examples
--------
>>> import tapline
>>> tapline.__version__.count(".")
2
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ._library import plain as _plain
from ._training import Progress, Result
from .model import Model

if TYPE_CHECKING:
    from ._classifiers import (
        FCNClassifier,
        InceptionTimeClassifier,
        LITETimeClassifier,
        NetworkClassifier,
        ResNetClassifier,
        TCNClassifier,
        TimeCNNClassifier,
    )
    from ._regressors import (
        FCNRegressor,
        InceptionTimeRegressor,
        LITETimeRegressor,
        NetworkRegressor,
        ResNetRegressor,
        TCNRegressor,
        TimeCNNRegressor,
    )
    from ._rocket import (
        HydraClassifier,
        HydraRegressor,
        MiniRocketClassifier,
        MiniRocketRegressor,
        MultiRocketClassifier,
        MultiRocketHydraClassifier,
        MultiRocketHydraRegressor,
        MultiRocketRegressor,
    )

__version__: str = _plain("version")().decode()

# The modules of the estimators, by the first word that a name contains.
_ESTIMATORS = {"Rocket": "._rocket", "Hydra": "._rocket", "Classifier": "._classifiers", "Regressor": "._regressors"}

__all__ = [
    "FCNClassifier",
    "FCNRegressor",
    "HydraClassifier",
    "HydraRegressor",
    "InceptionTimeClassifier",
    "InceptionTimeRegressor",
    "LITETimeClassifier",
    "LITETimeRegressor",
    "MiniRocketClassifier",
    "MiniRocketRegressor",
    "Model",
    "MultiRocketClassifier",
    "MultiRocketHydraClassifier",
    "MultiRocketHydraRegressor",
    "MultiRocketRegressor",
    "NetworkClassifier",
    "NetworkRegressor",
    "Progress",
    "ResNetClassifier",
    "ResNetRegressor",
    "Result",
    "TCNClassifier",
    "TCNRegressor",
    "TimeCNNClassifier",
    "TimeCNNRegressor",
]


def __getattr__(name: str) -> Any:
    """Estimators, which need scikit-learn, when they are first asked for."""
    if name not in __all__:
        raise AttributeError(f"module 'tapline' has no attribute '{name}'")
    module = next(module for word, module in _ESTIMATORS.items() if word in name)
    try:
        return getattr(importlib.import_module(module, __name__), name)
    except ModuleNotFoundError as missing:
        if missing.name is None or missing.name.partition(".")[0] not in ("sklearn", "scipy"):
            raise
        raise ImportError(f"tapline.{name} needs scikit-learn: pip install tapline[sklearn]") from missing


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
