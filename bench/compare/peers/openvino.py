"""OpenVINO: inference of the networks, exported from PyTorch in a process of their own."""

import openvino

from peers import batch, exported
from worker import Skip

options = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32", "NUM_STREAMS": 1}


def start(threads):
    options["INFERENCE_NUM_THREADS"] = threads


def version():
    return "OpenVINO " + openvino.__version__.split("-")[0]


def convolution(shape, precision):
    raise Skip("it is timed on networks only")


def network(case):
    core, x = openvino.Core(), batch(case)[0].transpose(0, 2, 1).copy()

    def request_of(case):
        with exported("export", case, "network.onnx") as path:
            return core.compile_model(core.read_model(path), "CPU", options).create_infer_request()

    whole, single, first = request_of(case), request_of(case | {"batch": 1}), x[:1].copy()
    return {
        "infer": lambda: whole.infer([x], share_inputs=True, share_outputs=True),
        "infer1": lambda: single.infer([first], share_inputs=True, share_outputs=True),
    }
