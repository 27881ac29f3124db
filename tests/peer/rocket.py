"""Compares the features of MiniRocket with those of aeon, for the biases and channels that aeon drew. For series of integers all features
are equal; for real series (folder TAPLINE_DATA) nearly all, and the others differ by one counted output."""

import os
import pathlib
import tempfile

from peer import predictions, require, run

numpy, arrays, _ = require("numpy", "safetensors.numpy", "aeon")
from aeon.datasets import load_from_ts_file
from aeon.transformations.collection.convolution_based import MiniRocket

folder = tempfile.TemporaryDirectory()
where = pathlib.Path(folder.name)
FEATURES, MIN_EQUAL = 9996, 0.999


def features(fitted, x):
    """Returns the features of x, (series, channels, length), with the parameters that aeon fitted."""
    counts, channels, _, _, biases = fitted.parameters
    chosen = numpy.full((len(counts), min(x.shape[1], 9)), -1, numpy.float32)
    ends = numpy.cumsum(counts)
    for row, count, end in zip(chosen, counts, ends):
        row[:count] = channels[end - count : end]
    states = {"rocket.fitted": numpy.ones(1, numpy.float32), "rocket.bias": biases}
    if x.shape[1] > 1:
        states["rocket.channel"] = chosen
    arrays.save_file(states, where / "states.safetensors")
    (where / "rocket.json").write_text('{"layers": [{"type": "rocket"}]}')
    numpy.savez(where / "series.npz", x=x.transpose(0, 2, 1), y=numpy.zeros((len(x), FEATURES), numpy.float32))
    options = ["--arch", where / "rocket.json", "--raw", "--loss", "squared-error", "--out", where / "model.safetensors"]
    run("import", where / "states.safetensors", where / "series.npz", *options)
    return numpy.array(predictions(where / "model.safetensors", where / "series.npz"), numpy.float32)


def compare(name, train, test, min_equal):
    fitted = MiniRocket(random_state=0).fit(train)
    expected, found = numpy.asarray(fitted.transform(test)), features(fitted, test)
    equal = (found == expected).mean()
    print(f"{name}: {100 * equal:.4f} % of {expected.size} features are equal")
    assert found.shape == expected.shape and equal >= min_equal
    worst = numpy.abs(found.astype(float) - expected).max() * test.shape[2]
    assert worst < 1.01, f"{name}: a share differs by {worst} of {test.shape[2]} outputs"


def integers(seed, channels):
    return numpy.random.default_rng(seed).integers(-9, 10, (20, channels, 40)).astype(numpy.float32)


for channels in (1, 3, 12):
    compare(f"integers, {channels} channels", integers(1, channels), integers(2, channels), 1)
data = pathlib.Path(os.environ.get("TAPLINE_DATA", pathlib.Path(__file__).parents[3] / "shared" / "data"))
for name in ("ItalyPowerDemand", "GunPoint", "ArrowHead", "BasicMotions"):
    if (data / name).is_dir():
        sets = [load_from_ts_file(str(data / name / f"{name}_{half}.ts"))[0].astype(numpy.float32) for half in ("TRAIN", "TEST")]
        compare(name, *sets, MIN_EQUAL)
