"""The lower tier: passes, gradients, parameters, losses and callbacks of one's own, files, errors."""

from __future__ import annotations

import json
import pickle
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import TINY

from tapline import Model, Progress

LENGTH, CLASSES = 12, 3


def network(**settings: Any) -> Model:
    return Model(TINY, length=LENGTH, outputs=CLASSES, seed=1).compile(**{"batch": 8, **settings})


@pytest.fixture
def batch() -> tuple[Any, Any]:
    return np.random.default_rng(0).normal(size=(6, LENGTH, 1)).astype(np.float32), np.arange(6) % CLASSES


# ---- passes ----


def test_given_a_batch_when_passed_back_then_gradients_are_differences(batch: Any) -> None:
    x, y = batch
    model = network(input_gradient=True)
    model.forward(x, "training")
    loss = model.loss(y)
    model.backward()
    slopes = {name: array.copy() / len(x) for name, array in model.gradients().items()}
    towards_input = model.input_gradient().copy() / len(x)
    for name, parameter in model.parameters().items():
        at = np.unravel_index(np.abs(slopes[name]).argmax(), parameter.shape)
        parameter[at] += 0.01
        model.forward(x, "training")
        above = model.loss(y)
        parameter[at] -= 0.02
        model.forward(x, "training")
        below = model.loss(y)
        parameter[at] += 0.01
        assert (above - below) / 0.02 == pytest.approx(slopes[name][at], rel=0.02), name
    moved = x.copy()
    at = np.unravel_index(np.abs(towards_input).argmax(), x.shape)
    moved[at] += 0.02
    model.forward(moved, "training")
    assert (model.loss(y) - loss) / 0.02 == pytest.approx(towards_input[at], rel=0.1)


def test_given_a_loop_of_ones_own_when_stepped_then_fit_learns_the_same(batch: Any) -> None:
    x, y = batch
    fitted, looped = network(), network()
    result = fitted.fit(x, y, epochs=3, batch=6, keep_order=True)
    for _ in range(3):
        looped.forward(x, "training")
        loss = looped.loss(y)
        looped.backward()
        looped.step()
    assert loss == result.history["loss"][-1]
    assert looped.steps == result.steps == 3
    for name, array in fitted.parameters().items():
        np.testing.assert_array_equal(array, looped.parameters()[name])


def test_given_an_objective_of_ones_own_when_passed_back_then_from_its_gradient(batch: Any) -> None:
    x, _ = batch
    model = network(input_gradient=True, loss="squared-error")
    y = model.forward(x, "gradients")
    dy = np.zeros_like(y)
    dy[:, :, 1] = 1
    model.backward(dy)
    assert np.abs(model.input_gradient()).max() > 0
    with pytest.raises(ValueError, match="an array has shape"):
        model.forward(x, "gradients")
        model.backward(dy[:2])


def test_given_arrays_of_the_right_layout_when_run_then_nothing_is_copied(batch: Any) -> None:
    x, _ = batch
    model = network()
    model.forward(x)
    assert model._x is x
    view = model.parameters()["dense_1.bias"]
    view[:] = 7
    assert (model.parameters()["dense_1.bias"] == 7).all()
    del model
    assert (view == 7).all()  # the memory lives as long as a view of it


def test_given_a_layer_inside_when_asked_then_its_output(batch: Any) -> None:
    x, _ = batch
    model = network()
    inner = model.layer_output("activation", x)
    assert inner.shape == (6, LENGTH, 8) and inner.min() == 0
    weight, bias = model.parameters()["dense_1.weight"], model.parameters()["dense_1.bias"]
    np.testing.assert_allclose(inner.mean(axis=1) @ weight + bias, model.forward(x)[:, 0], rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match='no layer "activatoin"'):
        model.layer_output("activatoin", x)


def test_given_lengths_when_run_then_padding_counts_for_nothing(batch: Any) -> None:
    x, _ = batch
    lengths = np.array([12, 5, 7, 12, 3, 4])
    for series, length in zip(x, lengths):
        series[length:] = 0
    model = network()
    together = model.predict(x, lengths=lengths)
    alone = np.concatenate([model.predict(x[i : i + 1], lengths=lengths[i : i + 1]) for i in range(6)])
    np.testing.assert_array_equal(together, alone)
    with pytest.raises(ValueError, match="lengths should be 6 whole numbers"):
        model.predict(x, lengths=lengths[:2])


# ---- building ----


def test_given_calls_when_built_then_as_from_json(tmp_path: Path, batch: Any) -> None:
    x, _ = batch
    path = tmp_path / "network.json"
    path.write_text(json.dumps(TINY))
    called = Model(length=LENGTH, outputs=CLASSES, seed=1)
    called.add("conv1d", filters=8, kernel=5, padding="same")
    called.add("relu")
    called.add("global_average_pool")
    called.add("dense", units="outputs")
    expected = network().predict(x)
    for model in (called, Model(path, length=LENGTH, outputs=CLASSES, seed=1), Model(json.dumps(TINY), length=LENGTH, outputs=CLASSES, seed=1)):
        np.testing.assert_array_equal(model.compile(batch=8).predict(x), expected)
    assert called.parameter_count == 8 * 5 + 8 + 8 * CLASSES + CLASSES
    assert "conv1d" in called.summary() and str(called.parameter_count) in called.summary()


def test_given_inputs_by_name_when_built_then_layers_join() -> None:
    model = Model(length=LENGTH)
    left = model.add("conv1d", filters=4, kernel=3, padding="same")
    right = model.add("conv1d", "input", filters=4, kernel=5, padding="same")
    model.add("add", [left, right])
    model.add("flatten")
    model.add("dense", units=1)
    assert model.compile(loss="squared-error").output_shape == (1, 1)


# ---- training ----


def test_given_a_loss_of_ones_own_when_fitted_then_it_is_learnt(batch: Any) -> None:
    x, _ = batch
    y = x.mean(axis=(1, 2))

    def quartic(output: Any, value: Any) -> Any:
        off = output - value
        return float((off**4).sum()), 4 * off**3

    model = Model(TINY, length=LENGTH, seed=1).compile(batch=8, loss=quartic, learning_rate=0.05)
    result = model.fit(x, y, epochs=100)
    assert result.best_loss < 0.1 * result.history["loss"][0]

    def wrong(output: Any, value: Any) -> Any:
        raise KeyError("of the loss")

    with pytest.raises(KeyError, match="of the loss"):
        Model(TINY, length=LENGTH).compile(batch=8, loss=wrong).fit(x, y)


def test_given_a_callback_when_it_says_false_then_training_stops(batch: Any) -> None:
    x, y = batch
    seen: list[Progress] = []

    def watch(at: Progress) -> Any:
        seen.append(at)
        return at.epoch < 3 if at.epoch_end else None

    result = network().fit(x, y, epochs=50, validation=(x, y), callback=watch)
    assert result.stopped and not result.interrupted and result.epochs == 3
    assert seen[-1].epochs == 50 and seen[-1].train["loss"] > 0 and seen[-1].validation["accuracy"] >= 0

    def wrong(at: Progress) -> Any:
        raise KeyError("of the callback")

    with pytest.raises(KeyError, match="of the callback"):
        network().fit(x, y, callback=wrong)


def test_given_weights_when_fitted_then_series_of_weight_0_count_for_nothing(batch: Any) -> None:
    x, y = batch
    weights = np.array([1, 1, 1, 1, 1, 0.0])
    changed = y.copy()
    changed[5] = (y[5] + 1) % CLASSES
    models = [network(), network()]
    for model, labels in zip(models, (y, changed)):
        model.fit(x, labels, sample_weight=weights, epochs=2)
    np.testing.assert_array_equal(models[0].predict(x), models[1].predict(x))


def test_given_a_checkpoint_when_resumed_then_the_same_bits(batch: Any, tmp_path: Path) -> None:
    x, y = batch
    whole, first, second = network(), network(), network()
    whole.fit(x, y, epochs=4)
    first.fit(x, y, epochs=2, checkpoint=tmp_path / "checkpoint")
    second.fit(x, y, epochs=4, resume=tmp_path / "checkpoint")
    np.testing.assert_array_equal(second.predict(x), whole.predict(x))


def test_given_verbose_when_fitted_then_a_line_of_progress(batch: Any, capsys: Any) -> None:
    network().fit(*batch, epochs=2, verbose=1)
    assert "epoch 2/2, loss " in capsys.readouterr().err


def test_given_metrics_when_evaluated_then_those_that_apply(batch: Any) -> None:
    x, y = batch
    assert set(network().evaluate(x, y)) == {"loss", "accuracy", "balanced_accuracy", "f1", "auroc"}
    model = Model(TINY, length=LENGTH).compile(loss="huber")
    assert set(model.evaluate(x, x.mean(axis=(1, 2)))) == {"loss", "rmse", "mae", "r2"}


# ---- files ----


def test_given_a_model_when_saved_or_pickled_then_the_same_bits(batch: Any, tmp_path: Path) -> None:
    x, y = batch
    model = network()
    model.fit(x, y, epochs=1)
    model.save(tmp_path / "model.safetensors")
    for other in (Model.load(tmp_path / "model.safetensors"), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(other.predict(x), model.predict(x))
        assert other.architecture == model.architecture
    assert Model.load(tmp_path / "model.safetensors", length=20).input_shape == (20, 1)


def test_given_a_copy_when_used_then_it_has_names_settings_and_results(batch: Any) -> None:
    x, y = batch
    model = network(optimizer="sgd", learning_rate=0.5)
    model.fit(x, y, epochs=1)
    same, small = pickle.loads(pickle.dumps(model)), model.copy(inference_only=True)
    for other in (same, small):
        np.testing.assert_array_equal(other.layer_output("activation", x), model.layer_output("activation", x))
        np.testing.assert_array_equal(other.predict(x), model.predict(x))  # there is no batch norm to fold
    assert same.learning_rate == 0.5 and same.batch == 8
    assert small.gradients() == {} and small.summary().splitlines()[:-1] == model.summary().splitlines()[:-1]
    assert model.copy(length=20).input_shape == (20, 1)


# ---- errors ----


@pytest.mark.parametrize(
    "kind, message, action",
    [
        (FileNotFoundError, "nowhere", lambda: Model.load("nowhere.safetensors")),
        (FileNotFoundError, "ready-made networks are fcn", lambda: Model("fnc", length=9)),
        (ValueError, 'did you mean "filters"', lambda: Model({"layers": [{"type": "conv1d", "filtres": 3, "kernel": 1}]}, length=9).compile()),
        (ValueError, 'did you mean "clip_norm"', lambda: network(clip_nrom=1.0)),
        (ValueError, 'key "batch" is -1', lambda: network(batch=-1)),
        (MemoryError, "limit", lambda: network(batch=10**9, max_memory=10**6)),
        (RuntimeError, "not compiled yet", lambda: Model(TINY, length=9).predict(np.zeros((1, 9)))),
        (RuntimeError, "backward", lambda: network().backward()),
        (ValueError, "the model takes", lambda: network().predict(np.zeros((1, 5)))),
        (ValueError, "x has shape", lambda: network().predict(np.zeros(5))),
        (ValueError, "label 7", lambda: network().fit(np.zeros((3, LENGTH)), [0, 1, 7])),
        (FloatingPointError, "not finite", lambda: network().fit(np.full((3, LENGTH), np.nan), [0, 1, 2])),
        (OSError, "/proc/version", lambda: network().save("/proc/version")),
    ],
)  # fmt: skip
def test_given_what_cannot_be_when_called_then_an_exception_says_why(kind: Any, message: str, action: Any) -> None:
    with pytest.raises(kind, match=message):
        action()


def test_given_an_error_when_it_is_caught_then_the_model_goes_on(batch: Any) -> None:
    x, y = batch
    model = network()
    expected = model.predict(x)
    with pytest.raises(ValueError):
        model.predict(x[:, :5])
    np.testing.assert_array_equal(model.predict(x), expected)


def test_given_one_model_in_several_threads_when_they_predict_then_in_turn(batch: Any) -> None:
    x, _ = batch
    model = network()
    expected, wrong = model.predict(x), []

    def run() -> None:
        for _ in range(50):
            if not np.array_equal(model.predict(x), expected):
                wrong.append(1)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
