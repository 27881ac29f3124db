"""The frameworks that tapline is compared with, one module each.

start(threads) comes first; version() names the framework; convolution(shape, precision) and network(case) give what there is to
time, by name: "forward" and "all" (forward and backward: gradients of input, weight and bias), or "step", "infer" and
"infer1" (inference of one sample) beside the number of trained "parameters". They raise worker.Skip for what the framework does not do.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile


@contextlib.contextmanager
def exported(how, case, name):
    """The path of a network that peers/HOW.py wrote in a process of its own, while the context lasts."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, name)
        subprocess.run([sys.executable, "-m", "peers." + how, json.dumps(case), path], check=True, stdout=subprocess.DEVNULL)
        yield path


def padding(shape):
    """The steps of padding on the left and on the right; an odd one of `same` goes to the right."""
    extent = (shape["kernel"] - 1) * shape["dilation"] + 1
    if shape["padding"] == "valid":
        return 0, 0
    if shape["padding"] == "causal":
        return extent - 1, 0
    outputs = -(-shape["length"] // shape["stride"])
    total = max(0, (outputs - 1) * shape["stride"] + extent - shape["length"])
    return total // 2, total - total // 2


def arrays(shape):
    """Random input (batch, length, channels), weight (kernel, channels, filters) and bias, in double precision."""
    import numpy

    random = numpy.random.default_rng(0)
    sizes = [
        (shape["batch"], shape["length"], shape["channels"]),
        (shape["kernel"], shape["channels"], shape["filters"]),
        (shape["filters"],),
    ]
    return [random.standard_normal(size) for size in sizes]


def batch(case):
    """A random batch (batch, length, channels) in single precision, and its labels."""
    import numpy

    random = numpy.random.default_rng(0)
    x = random.standard_normal((case["batch"], case["length"], case["channels"])).astype("float32")
    return x, random.integers(0, case["classes"], case["batch"])
