"""aeon's own checks, where aeon is installed: `pytest python/tests/test_aeon.py`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from conftest import make_series

pytest.importorskip("aeon")

from aeon.testing.estimator_checking import check_estimator  # noqa: E402

import tapline.aeon  # noqa: E402

NAMES = ["FCN", "ResNet", "InceptionTime", "LITETime", "TCN", "TimeCNN", "Network", "MiniRocket", "MultiRocket", "Hydra", "MultiRocketHydra"]


# These compare with stored numbers of aeon's own classes, which they find by the name alone: MiniRocketClassifier is the name of a class
# of aeon too, which draws other random numbers.
OF_AEON_ITSELF = ["check_classifier_against_expected_results", "check_regressor_against_expected_results"]


@pytest.mark.parametrize("name", [name + kind for kind in ("Classifier", "Regressor") for name in NAMES])
def test_aeon(name: str) -> None:
    check_estimator(getattr(tapline.aeon, name), raise_exceptions=True, checks_to_exclude=OF_AEON_ITSELF)


def test_given_the_same_settings_when_fitted_then_as_the_estimator_of_tapline() -> None:
    X, y = make_series(20)
    ours: Any = tapline.FCNClassifier(n_epochs=2, random_state=0).fit(X, y)
    theirs = tapline.aeon.FCNClassifier(n_epochs=2, random_state=0).fit(X, y)
    np.testing.assert_array_equal(ours.predict_proba(X), theirs.predict_proba(X))
