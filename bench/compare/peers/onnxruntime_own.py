"""ONNX Runtime: inference of the networks as tapline itself exports them (tapline export --out net.onnx)."""

import os
import subprocess
import tempfile

import numpy
import onnxruntime

from peers import batch
from peers.onnxruntime import convolution, options, start, version  # noqa: F401 (the same runtime)
from worker import Skip


def session_of(case):
    """Of a model that has seen one epoch of noise."""
    command = os.environ["TAPLINE_COMPARE_COMMAND"]
    with tempfile.TemporaryDirectory() as folder:
        data, model, graph = (os.path.join(folder, name) for name in ("data.npz", "model", "net.onnx"))
        x = numpy.random.default_rng(1).normal(size=(case["classes"], case["length"], case["channels"]))
        numpy.savez(data, x=x.astype("float32"), y=numpy.arange(case["classes"]))
        train = [command, "train", data, "--arch", case["model"], "--raw", "--epochs", "1", "--quiet", "--out", model]
        if subprocess.run(train, stdout=subprocess.DEVNULL).returncode != 0:
            raise Skip("the command has no such network")
        subprocess.run([command, "export", model, "--out", graph, "--logits"], check=True, stdout=subprocess.DEVNULL)
        return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def network(case):
    session, x = session_of(case), batch(case)[0].copy()
    return {"infer": lambda: session.run(None, {"series": x}), "infer1": lambda: session.run(None, {"series": x[:1]})}
