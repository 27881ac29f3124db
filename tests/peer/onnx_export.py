"""Checks ONNX files that tapline wrote: onnx.checker accepts them, and ONNX Runtime and onnx.reference compute the same as tl_predict.

usage: onnx_export.py CASES [CASES_F64]    the programs of onnx_cases.c
"""

import math
import pathlib
import subprocess
import sys
import tempfile

from peer import require

numpy, onnx, runtime, reference = require("numpy", "onnx", "onnxruntime", "onnx.reference")
LIMIT = {"float32": 1e-5, "float64": 1e-9}
EPSILON = 1e-8  # the epsilon of a norm is an attribute, which is in single precision


def difference(found, expected):
    """Returns the largest difference, relative to the largest number of its series. Infinite numbers must be equal."""
    assert found.shape == expected.shape, f"shape {found.shape}, not {expected.shape}"
    assert found.dtype == expected.dtype, f"{found.dtype}, not {expected.dtype}"
    same = found == expected
    assert numpy.isfinite(expected[~same]).all() and numpy.isfinite(found[~same]).all(), "not finite"
    finite = numpy.where(numpy.isfinite(expected), abs(expected), 0).reshape(len(expected), -1)
    scale = numpy.maximum(finite.max(1), 1e-3).reshape(-1, *[1] * (expected.ndim - 1))
    return numpy.where(same, 0, abs(numpy.where(same, 0, found) - numpy.where(same, 0, expected)) / scale).max()


def run_runtime(path, x):
    options = runtime.SessionOptions()
    options.log_severity_level = 3
    return runtime.InferenceSession(path, options, providers=["CPUExecutionProvider"]).run(None, {"series": x})[0]


class MaxPool(reference.op_run.OpRun):
    """Replaces that of onnx.reference 1.23, which fails for padding along one axis."""

    def _run(self, x, kernel_shape=None, pads=None, strides=None, **unused):
        x = numpy.pad(x, ((0, 0), (0, 0), tuple(pads)), constant_values=-numpy.inf)
        windows = numpy.lib.stride_tricks.sliding_window_view(x, kernel_shape[0], axis=2)
        return (windows[:, :, :: strides[0]].max(3).copy(),)


class GlobalMaxPool(reference.op_run.OpRun):
    """Replaces that of onnx.reference 1.23, which assumes two axes after the channels."""

    def _run(self, x):
        return (x.max(2, keepdims=True),)


class Erf(reference.op_run.OpRun):
    """Replaces that of onnx.reference 1.23, which is in single precision."""

    def _run(self, x):
        return (numpy.vectorize(math.erf, otypes=[x.dtype])(x),)


def run_reference(path, x):
    return reference.ReferenceEvaluator(path, new_ops=[MaxPool, GlobalMaxPool, Erf]).run(None, {"series": x})[0]


def read(path, kind, *shape):
    return numpy.fromfile(path, kind).reshape(shape)


def check(folder, line, kind, worst):
    name, *sizes, layout = line.split()
    count, length, channels, out_length, outputs = map(int, sizes)
    path = str(folder / f"{name}.onnx")
    x = read(folder / f"{name}.x", kind, count, length, channels)
    y = read(folder / f"{name}.y", kind, count, out_length, outputs)
    if layout == "ncl":
        x, y = x.transpose(0, 2, 1).copy(), y.transpose(0, 2, 1)
    if out_length == 1:
        y = y.reshape(count, outputs)
    onnx.checker.check_model(path, full_check=True)
    norms = any(attribute.name == "epsilon" for node in onnx.load(path).graph.node for attribute in node.attribute)
    limit = max(LIMIT[kind], EPSILON) if norms else LIMIT[kind]
    for engine, run in (("onnx.reference", run_reference), ("ONNX Runtime", run_runtime))[: 2 if kind == "float32" else 1]:
        for first, batch in ((0, count), (1, 1), (2, 3)):
            try:
                off = difference(run(path, x[first : first + batch]), y[first : first + batch])
                worst[engine] = max(worst.get(engine, (0, "")), (float(off), name))
                assert off <= limit, f"off by {off:.3g}"
            except Exception as wrong:  # all cases are run, whatever fails
                text = str(wrong).splitlines()
                print(f"{kind} {name}, {engine}, batch {batch}: {text[0][:300] if text else type(wrong).__name__}")
                return 1
    return 0


def check_all(program, kind):
    with tempfile.TemporaryDirectory() as folder:
        lines = subprocess.run([program, folder], capture_output=True, text=True, check=True).stdout.splitlines()
        worst = {}
        failed = sum(check(pathlib.Path(folder), line, kind, worst) for line in lines)
        for engine, (off, name) in worst.items():
            print(f"{kind}: {len(lines)} files, {engine}: largest difference {off:.2g}, of {name}")
        return failed


failed = sum(check_all(program, kind) for program, kind in zip(sys.argv[1:], LIMIT))
sys.exit(failed > 0)
