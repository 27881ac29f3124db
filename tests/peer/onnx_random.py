"""Compares random graphs with ONNX Runtime. Every graph that ONNX Runtime accepts must be refused by tapline, or have equal predictions.

usage: onnx_random.py PREDICT [FIRST COUNT]    PREDICT: the program of onnx_predict.c; FIRST, COUNT: the seeds of the graphs (0 400)
"""

import pathlib
import subprocess
import sys
import tempfile

from peer import require

numpy, onnx, runtime = require("numpy", "onnx", "onnxruntime")
from onnx import TensorProto, helper, numpy_helper

SERIES, CHANNELS, LENGTH = 2, 3, 8
LIMIT, MIN_COMPARED, OPERATOR_SET, IR_VERSION = 1e-4, 0.1, 17, 8

# Each row: the operator, its inputs after the first one, its attributes. "step" is a random integer, "value" the result of a random earlier node.
OPERATORS = [
    ("Conv", ["weight", "vector"], ["pads", "strides", "dilations"]),
    ("Conv", ["depthwise"], ["pads", "group"]),
    ("ConvTranspose", ["weight", "vector"], ["pads", "strides"]),
    ("MaxPool", [], ["kernel_shape", "strides"]),
    ("AveragePool", [], ["kernel_shape"]),
    ("GlobalAveragePool", [], []),
    ("GlobalMaxPool", [], []),
    ("ReduceMean", [], ["axes", "keepdims"]),
    ("ReduceMax", [], ["axes", "keepdims"]),
    ("Slice", ["step", "step", "time"], []),
    ("Slice", ["step", "step", "channels"], []),
    ("Split", [], ["axis"]),
    ("Split", ["parts"], ["axis"]),
    ("Gather", ["step"], ["axis"]),
    ("Gather", ["index"], ["axis"]),
    ("Pad", ["padding"], []),
    ("Reshape", ["flat"], []),
    ("Reshape", ["rows"], []),
    ("Reshape", ["steps"], []),
    ("Reshape", ["same"], []),
    ("Transpose", [], ["perm"]),
    ("Squeeze", ["step"], []),
    ("Unsqueeze", ["step"], []),
    ("Flatten", [], []),
    ("Concat", ["value"], ["axis"]),
    ("MatMul", ["matrix"], []),
    ("MatMul", ["tall"], []),
    ("Gemm", ["matrix", "vector"], ["transB"]),
    ("Gemm", ["tall", "vector"], []),
    ("BatchNormalization", ["vector", "vector", "vector", "variance"], []),
    ("LayerNormalization", ["variance", "vector"], []),
    ("InstanceNormalization", ["variance", "vector"], []),
    ("Add", ["vector"], []),
    ("Add", ["column"], []),
    ("Add", ["value"], []),
    ("Sub", ["column"], []),
    ("Sub", ["value"], []),
    ("Mul", ["column"], []),
    ("Mul", ["single"], []),
    ("Mul", ["value"], []),
    ("Div", ["variance"], []),
    ("PRelu", ["column"], []),
    ("Relu", [], []),
    ("Sigmoid", [], []),
    ("Elu", [], []),
    ("HardSwish", [], []),
    ("Neg", [], []),
    ("Softmax", [], ["axis"]),
]


def make_constants(rng):
    def floats(*shape):
        return rng.integers(-3, 4, shape).astype("float32")

    def integers(*values):
        return numpy.array(values, "int64")

    taps = rng.integers(1, 4)
    numbers = {"weight": floats(CHANNELS, CHANNELS, taps), "depthwise": floats(CHANNELS, 1, taps), "vector": floats(CHANNELS), "column": floats(CHANNELS, 1)}
    numbers |= {"matrix": floats(CHANNELS, CHANNELS), "tall": floats(CHANNELS * LENGTH, CHANNELS), "single": floats(1), "variance": 1 + abs(floats(CHANNELS))}
    first = int(rng.integers(1, LENGTH))
    shapes = {"flat": integers(0, -1), "rows": integers(-1, CHANNELS), "steps": integers(-1, LENGTH, CHANNELS), "same": integers(0, 0, -1)}
    lists = {"time": integers(2), "channels": integers(1), "parts": integers(first, LENGTH - first), "padding": integers(0, 0, rng.integers(3), 0, 0, rng.integers(3))}
    steps = {f"step_{number}": integers(number) for number in range(-1, LENGTH + 1)}
    return numbers | shapes | lists | steps | {"index": numpy.array(rng.integers(-1, 3), "int64")}


def make_attribute(rng, name):
    if name == "pads":
        return rng.integers(0, 3, 2).tolist()
    if name in ("strides", "dilations", "kernel_shape"):
        return [int(rng.integers(1, 4))]
    if name == "perm":
        return [0, 2, 1] if rng.random() < 0.7 else rng.permutation(3).tolist()
    if name == "axes":
        return [int(rng.integers(1, 3))]
    return CHANNELS if name == "group" else int(rng.integers(2 if name in ("keepdims", "transB") else 3))


def make_graph(rng):
    constants, values, nodes = make_constants(rng), ["x"], []
    for place in range(rng.integers(1, 6)):
        operator, inputs, attributes = OPERATORS[rng.integers(len(OPERATORS))]
        random = {"step": f"step_{rng.integers(-1, LENGTH + 1)}", "value": values[rng.integers(len(values))]}
        results = [f"{place}_{part}" for part in range(2 if operator == "Split" else 1)]
        settings = {name: make_attribute(rng, name) for name in attributes}
        nodes.append(helper.make_node(operator, [values[-1]] + [random.get(name, name) for name in inputs], results, **settings))
        values += rng.permutation(results).tolist()
    series = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", CHANNELS, LENGTH])
    tensors = [numpy_helper.from_array(numpy.asarray(array), name) for name, array in constants.items()]
    graph = helper.make_graph(nodes, "random", [series], [helper.make_empty_tensor_value_info(values[-1])], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPERATOR_SET)], ir_version=IR_VERSION)


def run_runtime(model, x):
    """Returns the output of ONNX Runtime; None if it refuses the graph."""
    try:
        return runtime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"]).run(None, {"x": x})[0]
    except Exception:  # its errors have no common class
        return None


def run_tapline(model, x, folder):
    """Returns the predictions of tapline; None if it refuses the graph."""
    path, series, out = folder / "net.onnx", folder / "x", folder / "y"
    onnx.save(model, path)
    series.write_bytes(numpy.ascontiguousarray(x.transpose(0, 2, 1)).tobytes())
    out.unlink(missing_ok=True)
    done = subprocess.run([sys.argv[1], path, series, *map(str, (SERIES, LENGTH, CHANNELS)), out], capture_output=True, text=True)
    assert done.returncode in (0, 1), f"exit code {done.returncode}: {done.stderr}"
    return numpy.fromfile(out, "float32") if out.exists() else None


def check(seed, folder):
    """Returns whether the predictions were compared."""
    rng = numpy.random.default_rng(seed)
    model, x = make_graph(rng), rng.integers(-4, 5, (SERIES, CHANNELS, LENGTH)).astype("float32")
    expected = run_runtime(model, x)
    found = None if expected is None else run_tapline(model, x, folder)
    if found is None:
        return False
    orders = [expected, numpy.moveaxis(expected, 1, -1)]  # the output is (batch, channels, steps) or (batch, steps, channels)
    finite = numpy.nan_to_num(expected.astype(float))
    off = min(abs(numpy.nan_to_num(order.astype(float)).ravel() - numpy.nan_to_num(found.astype(float))).max() for order in orders if order.size == found.size)
    assert off <= LIMIT * max(1, abs(finite).max()), f"off by {off:.3g}"
    return True


def main():
    first, count = map(int, sys.argv[2:4] or (0, 400))
    compared = failed = 0
    runtime.set_default_logger_severity(4)
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(first, first + count):
            try:
                compared += check(seed, pathlib.Path(folder))
            except Exception as wrong:
                failed += 1
                print(f"FAILED graph {seed}: {str(wrong)[:400]}")
    print(f"{compared} of {count} graphs were compared")
    return failed or compared < MIN_COMPARED * count


sys.exit(main() > 0)
