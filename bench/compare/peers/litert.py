"""LiteRT with XNNPACK: inference of the networks of Keras, converted in a process of their own."""

from importlib.metadata import version as version_of

from ai_edge_litert.interpreter import Interpreter

from peers import batch, exported
from worker import Skip

chosen = {}


def start(threads):
    chosen["num_threads"] = threads


def version():
    return "LiteRT " + version_of("ai-edge-litert")


def convolution(shape, precision):
    raise Skip("it is timed on networks only")


def call_of(case, x):
    with exported("convert", case, "network.tflite") as path:
        with open(path, "rb") as file:
            interpreter = Interpreter(model_content=file.read(), **chosen)
    interpreter.allocate_tensors()
    entry = interpreter.get_input_details()[0]["index"]

    def call():
        interpreter.set_tensor(entry, x)
        interpreter.invoke()

    return call


def network(case):
    x = batch(case)[0]
    return {"infer": call_of(case, x), "infer1": call_of(case | {"batch": 1}, x[:1])}
