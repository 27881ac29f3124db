"""Compares the features of MiniRocket with those of aeon, for the biases and channels that aeon drew. For series of integers all features
are equal; for real series (folder TAPLINE_DATA) nearly all, and the others differ by one counted output. Then compares aeon with the stored
features of tests/parity/rocket.txt, which tests/test_rocket.c reads.

usage: rocket.py TAPLINE [--write]    --write: first writes tests/parity/rocket.txt anew, with the features that TAPLINE computes
"""

import os
import pathlib
import sys
import tempfile

from peer import predictions, require, run

numpy, arrays, _ = require("numpy", "safetensors.numpy", "aeon")
from aeon.datasets import load_from_ts_file
from aeon.transformations.collection.convolution_based import MiniRocket
from aeon.transformations.collection.convolution_based import _minirocket as functions

folder = tempfile.TemporaryDirectory()
where = pathlib.Path(folder.name)
MIN_EQUAL = 0.999


def features(parameters, x):
    """Returns the features of x, (series, channels, length), with parameters as aeon stores them."""
    counts, channels, _, _, biases = parameters
    chosen = numpy.full((len(counts), min(x.shape[1], 9)), -1, numpy.float32)
    ends = numpy.cumsum(counts)
    for row, count, end in zip(chosen, counts, ends):
        row[:count] = channels[end - count : end]
    states = {"rocket.fitted": numpy.ones(1, numpy.float32), "rocket.bias": biases}
    if x.shape[1] > 1:
        states["rocket.channel"] = numpy.ascontiguousarray(chosen.T)  # axes in the order of PyTorch
    arrays.save_file(states, where / "states.safetensors")
    (where / "rocket.json").write_text(f'{{"layers": [{{"type": "rocket", "features": {len(biases)}}}]}}')
    numpy.savez(where / "series.npz", x=x.transpose(0, 2, 1), y=numpy.zeros((len(x), len(biases)), numpy.float32))
    options = ["--arch", where / "rocket.json", "--raw", "--loss", "squared-error", "--out", where / "model.safetensors"]
    run("import", where / "states.safetensors", where / "series.npz", *options)
    return numpy.array(predictions(where / "model.safetensors", where / "series.npz"), numpy.float32)


def compare(name, train, test, min_equal):
    fitted = MiniRocket(random_state=0).fit(train)
    expected, found = numpy.asarray(fitted.transform(test)), features(fitted.parameters, test)
    equal = (found == expected).mean()
    print(f"{name}: {100 * equal:.4f} % of {expected.size} features are equal")
    assert found.shape == expected.shape and equal >= min_equal
    worst = numpy.abs(found.astype(float) - expected).max() * test.shape[2]
    assert worst < 1.01, f"{name}: a share differs by {worst} of {test.shape[2]} outputs"


def integers(seed, channels):
    return numpy.random.default_rng(seed).integers(-9, 10, (20, channels, 40)).astype(numpy.float32)


# ---- the stored features ----

STORED = pathlib.Path(__file__).parents[1] / "parity" / "rocket.txt"
HEAD = """# MiniRocket's features for given biases, dilations and channels. tests/peer/rocket.py TAPLINE --write wrote them on 30 November 2026
# with the features that tapline computed, and checked that aeon 1.6.0 computes the same counts. Series and biases are multiples of
# 1/8, so that sums are exact in any order. A feature is counted / outputs; "channel" ends the channels of a kernel with -1.
"""
LENGTH, KERNELS = 40, 84


def draw(channels, dilations, each):
    """Returns series, and parameters as aeon stores them: `each` biases of all kernels at each dilation."""
    rng = numpy.random.default_rng(channels)
    x = (rng.integers(-20, 21, (4, channels, LENGTH)) / 8).astype(numpy.float32)
    counts = rng.integers(1, channels + 1, len(dilations) * KERNELS).astype(numpy.int32)
    chosen = numpy.concatenate([rng.permutation(channels)[:count] for count in counts]).astype(numpy.int32)
    biases = (rng.integers(-40, 41, sum(each) * KERNELS) / 8).astype(numpy.float32)
    return x, (counts, chosen, numpy.array(dilations, numpy.int32), numpy.array(each, numpy.int32), biases)


def outputs_of(parameters):
    """Returns for each feature how many outputs count: all, or, if kernel and dilation are odd together, those without padding."""
    _, _, dilations, each, _ = parameters
    rows = [(d, kernel) for d in range(len(dilations)) for kernel in range(KERNELS) for _ in range(each[d])]
    return numpy.array([LENGTH - 8 * dilations[d] * ((d + kernel) % 2) for d, kernel in rows])


def write_array(file, name, values):
    file.write(f"{name} {values.size}\n{' '.join(format(float(value), '.9g') for value in values.ravel())}\n")


def write_case(file, name, channels, dilations, each):
    x, parameters = draw(channels, dilations, each)
    outputs = outputs_of(parameters)
    counted = features(parameters, x) * outputs
    assert numpy.abs(counted - counted.round()).max() < 1e-4
    rows = numpy.full((len(parameters[0]), min(channels, 9)), -1)
    for row, count, end in zip(rows, parameters[0], numpy.cumsum(parameters[0])):
        row[:count] = parameters[1][end - count : end]
    file.write(f"case {name}\nshape {len(x)} {LENGTH} {channels} {len(outputs)}\n")
    write_array(file, "series", x.transpose(0, 2, 1))
    write_array(file, "bias", parameters[4])
    write_array(file, "channel", rows)
    write_array(file, "outputs", outputs)
    write_array(file, "counted", counted.round())


def check_stored():
    """Compares the stored features with those of aeon."""
    lines = [line for line in STORED.read_text().splitlines() if not line.startswith("#")]
    for (name, _, dilations, each), first in zip(CASES, range(0, len(lines), 12)):
        series, length, channels, _ = map(int, lines[first + 1].split()[1:])
        x, bias, rows, outputs, counted = (numpy.array(lines[first + i].split(), numpy.float32) for i in (3, 5, 7, 9, 11))
        x = x.reshape(series, length, channels).transpose(0, 2, 1).copy()
        rows = rows.reshape(-1, channels).astype(numpy.int32)
        parameters = ((rows >= 0).sum(1).astype(numpy.int32), rows[rows >= 0], numpy.array(dilations, numpy.int32), numpy.array(each, numpy.int32), bias)
        transform = functions._static_transform_uni if channels == 1 else functions._static_transform_multi
        found = transform(x[:, 0] if channels == 1 else x, parameters, MiniRocket._indices) * outputs
        assert (found.round() == counted.reshape(series, -1)).all(), f"{name}: the stored features are not those of aeon"
        print(f"stored, {name}: all {counted.size} features are those of aeon")


CASES = (("one channel", 1, (1, 2, 4), (1, 1, 1)), ("three channels", 3, (1, 4), (1, 1)))
if "--write" in sys.argv:
    with open(STORED, "w", encoding="utf-8") as stored:
        stored.write(HEAD)
        for case in CASES:
            write_case(stored, *case)
check_stored()

# ---- aeon's own biases ----

for channels in (1, 3, 12):
    compare(f"integers, {channels} channels", integers(1, channels), integers(2, channels), 1)
data = pathlib.Path(os.environ.get("TAPLINE_DATA", pathlib.Path(__file__).parents[3] / "shared" / "data"))
for name in ("ItalyPowerDemand", "GunPoint", "ArrowHead", "BasicMotions"):
    if (data / name).is_dir():
        sets = [load_from_ts_file(str(data / name / f"{name}_{half}.ts"))[0].astype(numpy.float32) for half in ("TRAIN", "TEST")]
        compare(name, *sets, MIN_EQUAL)
