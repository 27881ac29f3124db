"""scikit-learn's own checks of every estimator, without an expected failure."""

from __future__ import annotations

from typing import Any

import pytest

import tapline

sklearn = pytest.importorskip("sklearn")

from sklearn.utils.estimator_checks import estimator_checks_generator  # noqa: E402

# Epochs with which the networks learn the checks' own small sets.
EPOCHS = {"FCN": 40, "ResNet": 30, "InceptionTime": 30, "LITETime": 60, "TCN": 40, "TimeCNN": 300, "Network": 40}


def _estimators() -> list[Any]:
    made = []
    for kind in ("Classifier", "Regressor"):
        for name, epochs in EPOCHS.items():
            made.append(getattr(tapline, name + kind)(n_epochs=epochs, n_members=1, learning_rate=0.003))
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
