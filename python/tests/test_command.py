"""The estimators and the command `tapline`, built from the same sources: the same networks, to the last bit."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import make_series

pytest.importorskip("sklearn")

import tapline  # noqa: E402


def write(path: Path, X: Any, y: Any) -> None:
    """A file that the command reads: series (count, length, channels)."""
    np.savez(path, x=np.moveaxis(X, 1, 2), y=y)


def train(command: str, data: Path, model: Path, *options: str) -> None:
    subprocess.run(
        [command, "train", str(data), "--out", str(model), "--threads", "1", "--quiet", *options], check=True, capture_output=True
    )


def assert_same(trained: Any, path: Path) -> None:
    """A model, or the only one of an estimator, has the parameters of a file."""
    expected = tapline.Model.load(path).parameters()
    parameters = getattr(trained, "models_", [trained])[0].parameters()
    assert set(parameters) == set(expected)
    for name, array in parameters.items():
        np.testing.assert_array_equal(array, expected[name], err_msg=name)


@pytest.mark.parametrize("name, arch", [("FCN", "fcn"), ("ResNet", "resnet"), ("InceptionTime", "inception"), ("LITETime", "lite"), ("TCN", "tcn"), ("TimeCNN", "timecnn")])  # fmt: skip
def test_given_the_same_recipe_when_trained_then_the_same_parameters(command: str, tmp_path: Path, name: str, arch: str) -> None:
    X, y = make_series(40, length=40, channels=2)
    write(tmp_path / "data.npz", X, y)
    train(command, tmp_path / "data.npz", tmp_path / "model.safetensors", "--arch", arch, "--epochs", "3", "--seed", "5")
    classifier = getattr(tapline, name + "Classifier")(n_epochs=3, n_members=1, random_state=5).fit(X, y)
    assert_same(classifier, tmp_path / "model.safetensors")


@pytest.mark.parametrize("name, arch", [("InceptionTime", "inceptiontime"), ("LITETime", "litetime")])
def test_given_a_published_ensemble_when_trained_then_the_same_five_networks(
    command: str, tmp_path: Path, name: str, arch: str
) -> None:
    X, y = make_series(20)
    write(tmp_path / "data.npz", X, y)
    train(command, tmp_path / "data.npz", tmp_path / "model.safetensors", "--arch", arch, "--epochs", "1")
    classifier = getattr(tapline, name + "Classifier")(n_epochs=1, random_state=0).fit(X, y)
    assert len(classifier.models_) == 5
    for number, model in enumerate(classifier.models_):
        assert_same(model, tmp_path / f"model.{number + 1}.safetensors")


@pytest.mark.parametrize("name, arch", [("MiniRocket", "minirocket"), ("MultiRocket", "multirocket"), ("Hydra", "hydra"), ("MultiRocketHydra", "multirocket-hydra")])  # fmt: skip
def test_given_fixed_convolutions_when_solved_then_the_same_parameters(command: str, tmp_path: Path, name: str, arch: str) -> None:
    X, y = make_series(40, length=40, channels=2)
    values = X[:, 0, 3] * 3 + 100
    for kind, targets in (("Classifier", y), ("Regressor", values)):
        write(tmp_path / "data.npz", X, targets)
        train(command, tmp_path / "data.npz", tmp_path / "model.safetensors", "--arch", arch, "--seed", "5")
        assert_same(getattr(tapline, name + kind)(random_state=5).fit(X, targets), tmp_path / "model.safetensors")


@pytest.mark.parametrize(
    "settings, options",
    [
        ({"normalize": "set"}, ["--normalize", "set"]),
        ({"class_weight": "balanced", "label_smoothing": 0.1}, ["--balance", "--label-smoothing", "0.1"]),
        ({"early_stopping": True, "validation_fraction": 0.25}, ["--folds", "4", "--fold", "0"]),
        ({"optimizer": "sgd", "learning_rate": 0.02, "schedule": "cosine"}, ["--optimizer", "sgd", "--lr", "0.02", "--schedule", "cosine"]),
        ({"augment": {"jitter": 0.1, "mixup": 0.2}}, ["--jitter", "0.1", "--mixup", "0.2"]),
    ],
)  # fmt: skip
def test_given_settings_when_trained_then_the_options_of_the_command(
    command: str, tmp_path: Path, settings: dict[str, Any], options: list[str]
) -> None:
    X, y = make_series(42)
    y[:5] = "early"
    write(tmp_path / "data.npz", X, y)
    train(command, tmp_path / "data.npz", tmp_path / "model.safetensors", "--arch", "fcn", "--epochs", "2", *options)
    assert_same(tapline.FCNClassifier(n_epochs=2, random_state=0, **settings).fit(X, y), tmp_path / "model.safetensors")


def test_given_values_when_trained_then_the_same_regression(command: str, tmp_path: Path) -> None:
    X, _ = make_series(40)
    y = 100 + X[:, 0, 3] / 3
    write(tmp_path / "data.npz", X, y)
    train(command, tmp_path / "data.npz", tmp_path / "model.safetensors", "--arch", "fcn", "--epochs", "2", "--seed", "1")
    assert_same(tapline.FCNRegressor(n_epochs=2, random_state=1).fit(X, y), tmp_path / "model.safetensors")


@pytest.mark.parametrize("name, settings", [("FCN", {"n_epochs": 3, "normalize": "set"}), ("InceptionTime", {"n_epochs": 1, "n_members": 1}), ("MiniRocket", {})])  # fmt: skip
def test_given_a_saved_estimator_when_the_command_predicts_then_the_same_bits(
    command: str, tmp_path: Path, series: Any, name: str, settings: dict[str, Any]
) -> None:
    X, y = series
    classifier = getattr(tapline, name + "Classifier")(random_state=0, **settings).fit(X, y)
    classifier.save(tmp_path / "model.safetensors")
    write(tmp_path / "data.npz", X, y)
    out = subprocess.run(
        [command, "predict", str(tmp_path / "model.safetensors"), str(tmp_path / "data.npz")],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    names, *rows = (line.split(",") for line in out.splitlines())
    predicted = [row[names.index("class")] for row in rows]
    probabilities = np.array([[row[names.index(str(label))] for label in classifier.classes_] for row in rows], dtype=np.float32)
    assert predicted == classifier.predict(X).tolist()
    np.testing.assert_array_equal(probabilities, classifier.predict_proba(X))
