"""scikit-learn's own checks of every estimator, without an expected failure."""

from __future__ import annotations

from typing import Any

import pytest

import tapline

sklearn = pytest.importorskip("sklearn")

from sklearn.utils.estimator_checks import estimator_checks_generator  # noqa: E402

# A network of the user's, which takes less time than the ready-made ones.
DENSE = {
    "layers": [
        {"type": "flatten"},
        {"type": "dense", "units": 32},
        {"type": "relu"},
        {"type": "dense", "units": "outputs"},
    ]
}

# Settings with which the networks learn the checks' own small sets in few steps. The published batch of Inception, 64, is larger than
# most of these sets: an epoch would be a single step.
SETTINGS: dict[str, dict[str, Any]] = {
    "FCN": {"n_epochs": 15, "learning_rate": 0.01},
    "ResNet": {"n_epochs": 15, "learning_rate": 0.01},
    "InceptionTime": {"n_epochs": 15, "learning_rate": 0.01, "batch_size": 16},
    "LITETime": {"n_epochs": 60, "learning_rate": 0.003},
    "TCN": {"n_epochs": 40, "learning_rate": 0.003},
    "TimeCNN": {"n_epochs": 300, "learning_rate": 0.003},
    "Network": {"architecture": DENSE, "n_epochs": 60, "learning_rate": 0.01},
}
ROCKETS = ("MiniRocket", "MultiRocket", "Hydra", "MultiRocketHydra")


def _estimators() -> list[Any]:
    made = []
    for kind in ("Classifier", "Regressor"):
        for name, settings in SETTINGS.items():
            made.append(getattr(tapline, name + kind)(n_members=1, **settings))
        for name in ROCKETS:
            made.append(getattr(tapline, name + kind)())
    return made


def _checks() -> list[Any]:
    return [
        pytest.param(own, check, id=f"{type(own).__name__}-{getattr(check, 'func', check).__name__}")
        for estimator in _estimators()
        for own, check in estimator_checks_generator(estimator)
    ]


@pytest.mark.parametrize("estimator, check", _checks())
def test_scikit_learn(estimator: Any, check: Any) -> None:
    check(estimator)
