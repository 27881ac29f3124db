"""ONNX Runtime: inference of the networks, exported from PyTorch in a process of their own."""

import onnxruntime

from peers import batch, exported
from worker import Skip

options = onnxruntime.SessionOptions()


def start(threads):
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1


def version():
    return "ONNX Runtime " + onnxruntime.__version__


def convolution(shape, precision):
    raise Skip("it is timed on networks only")


def session_of(case):
    with exported("export", case, "network.onnx") as path:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def network(case):
    session, single = session_of(case), session_of(case | {"batch": 1})
    x = batch(case)[0].transpose(0, 2, 1).copy()
    return {"infer": lambda: session.run(None, {"x": x}), "infer1": lambda: single.run(None, {"x": x[:1]})}
