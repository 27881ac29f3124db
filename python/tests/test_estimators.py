"""What the estimators do beside what scikit-learn asks of all."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import TINY, make_series

pytest.importorskip("sklearn")

from sklearn.base import clone  # noqa: E402
from sklearn.model_selection import GridSearchCV, cross_val_score  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import FunctionTransformer  # noqa: E402

from tapline import (  # noqa: E402
    FCNClassifier,
    HydraRegressor,
    InceptionTimeClassifier,
    MiniRocketClassifier,
    MultiRocketHydraClassifier,
    NetworkClassifier,
    NetworkRegressor,
    TimeCNNClassifier,
)


def tiny(**settings: Any) -> NetworkClassifier:
    return NetworkClassifier(TINY, **{"n_epochs": 30, "learning_rate": 0.01, "random_state": 1, **settings})


# ---- data ----


def test_given_classes_of_texts_when_fitted_then_predicted_by_name(series: Any) -> None:
    X, y = series
    classifier = tiny().fit(X, y)
    assert list(classifier.classes_) == ["early", "late"]
    assert classifier.score(X, y) > 0.9
    assert classifier.predict(X[:3]).tolist() == y[:3].tolist()
    np.testing.assert_allclose(classifier.predict_proba(X).sum(axis=1), 1, rtol=1e-6)


def test_given_two_dimensions_when_fitted_then_one_channel(series: Any) -> None:
    X, y = series
    three, two = tiny().fit(X, y), tiny().fit(X[:, 0], y)
    np.testing.assert_array_equal(three.predict_proba(X), two.predict_proba(X[:, 0]))


def test_given_several_channels_when_fitted_then_channels_first(series: Any) -> None:
    X, y = make_series(30, channels=3)
    assert tiny().fit(X, y).n_channels_in_ == 3
    with pytest.raises(ValueError, match="channels|features"):
        tiny().fit(X, y).predict(X[:, :2])


def test_given_a_list_of_lengths_when_fitted_then_each_series_counts_by_itself(series: Any) -> None:
    X, y = series
    ragged = [x[:, : 30 - i % 5] for i, x in enumerate(X)]
    classifier = tiny().fit(ragged, y)
    assert classifier.unequal_lengths_ and classifier.n_timepoints_in_ == 30
    alone = np.concatenate([classifier.predict_proba([x]) for x in ragged])
    np.testing.assert_array_equal(classifier.predict_proba(ragged), alone)


def test_given_longer_series_than_in_training_when_predicted_then_as_by_themselves(series: Any) -> None:
    X, y = series
    classifier = tiny().fit([x[:, : 30 - i % 5] for i, x in enumerate(X)], y)
    longer = [x if i % 3 else np.tile(x, 1 + i % 5) for i, x in enumerate(X)]
    alone = np.concatenate([classifier.predict_proba([x]) for x in longer])
    np.testing.assert_array_equal(classifier.predict_proba(longer), alone)
    np.testing.assert_array_equal(alone[1], classifier.predict_proba(X[1:2])[0])
    with pytest.raises(ValueError, match="needs whole series"):
        TimeCNNClassifier(n_epochs=1).fit([x[:, : 30 - i % 5] for i, x in enumerate(X)], y)
    with pytest.raises(ValueError, match="31 features|31 steps"):
        tiny().fit(X, y).predict(np.zeros((1, 1, 31)))


def test_given_a_list_of_equal_series_when_fitted_then_as_an_array(series: Any) -> None:
    X, y = series
    np.testing.assert_array_equal(tiny().fit(list(X), y).predict_proba(X), tiny().fit(X, y).predict_proba(X))


def test_given_a_data_frame_when_fitted_then_its_columns_are_steps(series: Any) -> None:
    pandas = pytest.importorskip("pandas")
    X, y = series
    frame = pandas.DataFrame(X[:, 0], columns=[f"t{i}" for i in range(30)])
    np.testing.assert_array_equal(tiny().fit(frame, y).predict_proba(frame), tiny().fit(X, y).predict_proba(X))


def test_given_nan_when_fitted_then_the_policy_says_what_becomes_of_it(series: Any) -> None:
    X, y = series
    holes = X.copy()
    holes[3, 0, 4:6] = np.nan
    filled = holes.copy()
    filled[3, 0, 4:6] = np.interp([4, 5], [3, 6], holes[3, 0, [3, 6]])
    with pytest.raises(ValueError, match="NaN"):
        tiny().fit(holes, y)
    np.testing.assert_allclose(
        tiny(missing="interpolate").fit(holes, y).predict_proba(holes), tiny().fit(filled, y).predict_proba(filled), rtol=1e-5
    )
    empty = X.copy()
    empty[2] = np.nan
    with pytest.raises(ValueError, match="series 2 has a channel with NaN in every step"):
        tiny(missing="mean").fit(empty, y)


def test_given_short_series_when_fitted_then_the_set_is_the_scale() -> None:
    X = np.arange(40.0)[:, np.newaxis] % 20 + np.zeros((40, 2))
    y = X[:, 0] > 9
    classifier = FCNClassifier(n_epochs=20, random_state=0).fit(X, y)
    assert classifier.scaling_.kind == "set"
    np.testing.assert_allclose(classifier.scaling_.mean, 9.5)
    assert TimeCNNClassifier(n_epochs=2, random_state=0).fit(X, y).predict(X).shape == (40,)


# ---- results ----


def test_given_other_batches_and_orders_when_predicted_then_the_same_bits(series: Any) -> None:
    X, y = series
    classifier = FCNClassifier(n_epochs=2, random_state=0).fit(X, y)
    all_at_once, order = classifier.predict_proba(X), np.random.default_rng(3).permutation(len(X))
    np.testing.assert_array_equal(classifier.predict_proba(X[order]), all_at_once[order])
    np.testing.assert_array_equal(np.concatenate([classifier.predict_proba(x[np.newaxis]) for x in X]), all_at_once)


def test_given_threads_when_fitted_then_the_same_bits(series: Any) -> None:
    X, y = series
    one, two = (FCNClassifier(n_epochs=2, random_state=0, n_jobs=jobs).fit(X, y) for jobs in (1, 2))
    np.testing.assert_array_equal(one.predict_proba(X), two.predict_proba(X))


def test_given_whole_weights_when_fitted_then_as_copies_to_the_last_bit(series: Any) -> None:
    X, y = series
    weights = np.random.default_rng(0).integers(0, 4, size=len(X))
    order = np.random.default_rng(1).permutation(len(X))
    weighted = tiny(n_epochs=3).fit(X[order], y[order], sample_weight=weights[order])
    copies = tiny(n_epochs=3).fit(X.repeat(weights, axis=0), y.repeat(weights))
    np.testing.assert_array_equal(weighted.predict_proba(X), copies.predict_proba(X))


def test_given_fractional_weights_when_fitted_then_they_matter(series: Any) -> None:
    X, y = series
    noise = np.where(np.arange(len(X)) % 4 == 0, "early", y)
    weights = np.where(noise == y, 1.5, 1e-3)
    assert tiny(n_epochs=60).fit(X, noise, sample_weight=weights).score(X, y) > 0.9


def test_given_balanced_classes_when_fitted_then_the_rare_one_is_more_probable() -> None:
    X, y = make_series(60)
    rare = np.flatnonzero(y == "late")[:3]
    keep = np.r_[np.flatnonzero(y == "early"), rare]
    plain, balanced = (tiny(n_epochs=10, class_weight=weight).fit(X[keep], y[keep]) for weight in (None, "balanced"))
    late = list(plain.classes_).index("late")
    probability = [model.predict_proba(X[y == "late"])[:, late].mean() for model in (plain, balanced)]
    assert probability[1] > probability[0] + 0.1


def test_given_early_stopping_when_nothing_is_learnt_then_it_stops() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 1, 20)), rng.integers(0, 2, size=60)
    classifier = tiny(n_epochs=500, early_stopping=True, n_iter_no_change=3).fit(X, y)
    assert classifier.n_iter_ < 500
    assert len(classifier.history_["validation_loss"]) == classifier.n_iter_


def test_given_epochs_when_fitted_then_the_history_has_a_number_for_each(series: Any) -> None:
    X, y = series
    classifier = tiny(n_epochs=7).fit(X, y)
    assert classifier.n_iter_ == 7
    assert set(classifier.history_) == {"loss", "accuracy", "learning_rate", "seconds"}
    assert all(len(column) == 7 for column in classifier.history_.values())
    assert classifier.history_["loss"][-1] < classifier.history_["loss"][0]


def test_given_members_when_fitted_then_probabilities_are_averaged(series: Any) -> None:
    X, y = series
    several = tiny(n_epochs=3, n_members=2).fit(X, y)
    each = [tiny(n_epochs=3, random_state=seed).fit(X, y).predict_proba(X) for seed in (1, 2)]
    np.testing.assert_allclose(several.predict_proba(X), np.mean(each, axis=0), rtol=1e-6)
    assert several.history_["member"].tolist() == [1, 1, 1, 2, 2, 2]
    assert len(InceptionTimeClassifier(n_epochs=1, random_state=0).fit(X, y).models_) == 5


def test_given_a_fitted_network_when_copied_for_training_then_it_learns_further(series: Any) -> None:
    X, y = series
    classifier = FCNClassifier(n_epochs=2, normalize="none", random_state=0).fit(X, y)
    small, x = classifier.models_[0], np.moveaxis(X, 1, 2).astype(np.float32)
    large = small.copy(inference_only=False, batch=4)
    assert small.memory < large.memory  # without gradients and moments
    with pytest.raises(RuntimeError, match="for inference only"):
        small.fit(x, y == "late")
    before = large.evaluate(x, y == "late")["loss"]
    large.fit(x, y == "late", epochs=3)
    assert large.evaluate(x, y == "late")["loss"] < before
    assert small.summary().splitlines()[:-1] == large.summary().splitlines()[:-1]
    np.testing.assert_allclose(small.predict(x), classifier.predict_proba(X), rtol=1e-6)


def test_given_values_when_fitted_then_predicted_in_their_unit() -> None:
    X, _ = make_series(60, channels=2)
    y = 1000 + 50 * X.mean(axis=(1, 2))
    regressor = NetworkRegressor(TINY, n_epochs=200, learning_rate=0.01, normalize="set", random_state=0).fit(X, y)
    assert regressor.score(X, y) > 0.9
    both = NetworkRegressor(TINY, n_epochs=5, random_state=0).fit(X, np.stack([y, -y], axis=1))
    assert both.predict(X).shape == (60, 2)


# ---- fixed convolutions ----


def test_given_few_series_when_solved_then_the_left_out_ones_tell_the_accuracy(series: Any) -> None:
    X, y = series
    X_test, y_test = make_series(60, seed=1)
    classifier = MiniRocketClassifier(random_state=0).fit(X, y)
    assert classifier.leave_one_out_accuracy_ > 0.9 and 0 < classifier.leave_one_out_error_ < 1
    assert classifier.score(X_test, y_test) > 0.9
    np.testing.assert_allclose(classifier.predict_proba(X).sum(axis=1), 1, rtol=1e-6)
    assert MiniRocketClassifier(penalties=[0.5], random_state=0).fit(X, y).penalty_ == 0.5


def test_given_unequal_lengths_when_solved_then_each_series_counts_by_itself(series: Any) -> None:
    X, y = series
    ragged = [x[:, : 30 - i % 5] for i, x in enumerate(X)]
    classifier = MultiRocketHydraClassifier(random_state=0).fit(ragged, y)
    longer = [*ragged[:3], np.tile(X[3], 2)]
    alone = np.concatenate([classifier.predict_proba([x]) for x in longer])
    np.testing.assert_array_equal(classifier.predict_proba(longer), alone)


def test_given_values_when_solved_then_predicted_in_their_unit() -> None:
    X, _ = make_series(60, channels=2)
    y = 1000 + 50 * X.mean(axis=(1, 2))
    assert HydraRegressor(random_state=0).fit(X, y).score(X, y) > 0.9
    assert HydraRegressor(random_state=0).fit(X, np.stack([y, -y], axis=1)).predict(X).shape == (60, 2)


def test_given_a_saved_classifier_when_loaded_then_the_features_are_the_same(series: Any, tmp_path: Path) -> None:
    X, y = series
    classifier = MiniRocketClassifier(random_state=0).fit(X, y)
    classifier.save(tmp_path / "model.safetensors")
    for other in (MiniRocketClassifier.load(tmp_path / "model.safetensors"), pickle.loads(pickle.dumps(classifier))):
        np.testing.assert_array_equal(other.predict_proba(X), classifier.predict_proba(X))


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: MiniRocketClassifier(penalties=[1, 0]), "ridge: .*penalt.* 0"),
        (lambda: MiniRocketClassifier(penalties=[]), "ridge: .*at least one penalty"),
        (lambda: NetworkClassifier("minirocket"), "minirocket is not trained by epochs: use MiniRocketClassifier"),
    ],
)
def test_given_wrong_settings_of_a_ridge_when_fitted_then_the_message_names_them(series: Any, make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make().fit(*series)


# ---- scikit-learn ----


def test_given_a_grid_when_searched_by_two_processes_then_the_best_is_found(series: Any) -> None:
    X, y = series
    search = GridSearchCV(tiny(), {"n_epochs": [1, 30]}, cv=2, n_jobs=2).fit(X, y)
    assert search.best_params_ == {"n_epochs": 30}
    assert cross_val_score(tiny(), X, y, cv=2).mean() > 0.8


def test_given_a_pipeline_when_fitted_then_it_ends_in_the_network(series: Any) -> None:
    X, y = series
    assert make_pipeline(FunctionTransformer(np.negative), tiny()).fit(X, y).score(X, y) > 0.9


def test_given_copies_when_they_predict_then_the_same_bits(series: Any) -> None:
    X, y = series
    classifier = tiny().fit(X, y)
    expected = classifier.predict_proba(X)
    for other in (pickle.loads(pickle.dumps(classifier)), copy.deepcopy(classifier)):
        np.testing.assert_array_equal(other.predict_proba(X), expected)
        assert other.models_[0].memory == classifier.models_[0].memory
    assert not hasattr(clone(classifier), "classes_")


# ---- files ----


@pytest.mark.parametrize("members", [1, 2])
def test_given_a_saved_classifier_when_loaded_then_it_predicts_the_same(series: Any, tmp_path: Path, members: int) -> None:
    X, y = series
    classifier = tiny(n_members=members, normalize="set").fit(X, y)
    classifier.save(tmp_path / "model.safetensors")
    loaded = NetworkClassifier.load(tmp_path / "model.safetensors")
    assert loaded.classes_.tolist() == ["early", "late"]
    np.testing.assert_array_equal(loaded.predict_proba(X), classifier.predict_proba(X))
    assert sorted(path.name for path in tmp_path.iterdir()) == (
        ["model.safetensors"] if members == 1 else ["model.1.safetensors", "model.2.safetensors"]
    )


def test_given_whole_numbers_as_classes_when_loaded_then_they_are_numbers(series: Any, tmp_path: Path) -> None:
    X, y = series
    tiny().fit(X, (y == "late").astype(int) + 5).save(tmp_path / "model.safetensors")
    assert NetworkClassifier.load(tmp_path / "model.safetensors").classes_.tolist() == [5, 6]


def test_given_the_wrong_kind_of_file_when_loaded_then_it_says_so(series: Any, tmp_path: Path) -> None:
    X, y = series
    tiny().fit(X, y).save(tmp_path / "model.safetensors")
    with pytest.raises(ValueError, match="trained for classes: a classifier loads it"):
        NetworkRegressor.load(tmp_path / "model.safetensors")
    with pytest.raises(FileNotFoundError, match="nowhere"):
        NetworkClassifier.load(tmp_path / "nowhere.safetensors")


# ---- wrong settings ----


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"optimizer": "adm"}, 'did you mean "adam"'),
        ({"schedule": "cosin"}, 'did you mean "cosine"'),
        ({"normalize": "sets"}, "none, series and set|sets"),
        ({"n_jobs": 0}, "n_jobs is 0"),
        ({"n_members": 0}, "n_members is 0"),
        ({"augment": {"crp": 0.5}}, 'did you mean "crop"'),
        ({"early_stopping": True, "validation_fraction": 0.9}, "validation_fraction is 0.9"),
        ({"learning_rate": -1.0}, "learning"),
    ],
)
def test_given_a_wrong_setting_when_fitted_then_the_message_names_it(series: Any, settings: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tiny(**settings).fit(*series)
