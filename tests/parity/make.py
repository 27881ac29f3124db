#!/usr/bin/env python3
"""Writes the fixtures of tests/test_parity.c: what PyTorch computes. Run by hand where a case was added, with a Python that has
torch and numpy:

    python3 tests/parity/make.py

Each file holds cases: a network, its input's shape, how it is compiled, and then arrays in the order in which the test computes
them, each as "name count" and its numbers. All is computed in double precision.
"""

import json
import math
import pathlib

import numpy
import torch
from torch import nn
from torch.nn import functional

import cases
from formula import CLASS_WEIGHTS, INPUT, PARAMETERS, SAMPLE_WEIGHTS, STATES, TARGET, below, digest, hashes, tensor, uniform
from network import Network

OPTIMIZERS = {
    "adam": (torch.optim.Adam, 1e-3),
    "adamw": (torch.optim.AdamW, 1e-3),
    "sgd": (torch.optim.SGD, 1e-2),
    "rmsprop": (torch.optim.RMSprop, 1e-2),
    "adagrad": (torch.optim.Adagrad, 1e-2),
}


class Writer:
    """Of arrays with more elements than `largest` a digest is written."""

    def __init__(self, path, largest=60):
        self.file, self.largest = path.open("w"), largest

    def line(self, *words):
        print(*words, file=self.file)

    def array(self, name, values):
        values = numpy.asarray(values, dtype=numpy.float64).reshape(-1)
        values = digest(values) if len(values) > self.largest else values
        self.line(f"{name} {len(values)}")
        self.line(*(f"{value:.17g}" for value in values))


def optimizer_of(case, net):
    kind, rate = OPTIMIZERS[case.get("optimizer", "adam")]
    options = dict(case.get("options", {}))
    rate = options.pop("learning_rate", rate)
    options.pop("l1", None)
    if "epsilon" in options:
        options["eps"] = options.pop("epsilon")
    if kind in (torch.optim.Adam, torch.optim.AdamW):
        options["betas"] = (options.pop("beta1", 0.9), options.pop("beta2", 0.999))
    return kind(net.parameters.values(), lr=rate, **options)


def target_of(case, y):
    kind = case.get("loss", "squared-error")
    if kind == "cross-entropy":
        return tensor(below(TARGET, len(y) * y.shape[1], y.shape[2]), y.shape[:2])
    values = tensor(uniform(TARGET, y.numel()), y.shape)
    return (values + 1) / 2 if kind == "binary-cross-entropy" else values


def cross_entropy(settings, y, labels):
    """The loss of each step, and its weight."""
    weights = torch.ones(y.shape[2])
    if settings.get("class_weights"):
        weights = 1 + tensor(uniform(CLASS_WEIGHTS, len(weights)), weights.shape)
    smoothing = settings.get("label_smoothing", 0.0)
    return functional.cross_entropy(y.transpose(1, 2), labels, weights, reduction="none", label_smoothing=smoothing), weights[labels]


POINTWISE = {
    "squared-error": lambda settings, y, t: functional.mse_loss(y, t, reduction="none"),
    "absolute-error": lambda settings, y, t: functional.l1_loss(y, t, reduction="none"),
    "huber": lambda settings, y, t: functional.huber_loss(y, t, reduction="none", delta=settings.get("huber_delta", 1.0)),
    "binary-cross-entropy": lambda settings, y, t: functional.binary_cross_entropy_with_logits(y, t, reduction="none"),
}


def loss_of(case, y):
    """The mean loss of the batch, and the sum of the samples' weights, which it was divided by."""
    settings, kind, target = case.get("settings", {}), case.get("loss", "squared-error"), target_of(case, y)
    if kind == "cross-entropy":
        losses, weights = cross_entropy(settings, y, target)
    else:
        losses = POINTWISE[kind](settings, y, target).mean(2)
        weights = torch.ones(losses.shape)
    if settings.get("sample_weights"):
        samples = 1 + tensor(uniform(SAMPLE_WEIGHTS, len(y)), (len(y), 1))
        losses, weights = losses * samples, weights * samples
    return losses.sum() / weights.sum(), weights.mean(1).sum().item()


def clip(case, net):
    """PyTorch divides by the norm + 1e-6, which is taken off here."""
    parameters = list(net.parameters.values())
    settings = case.get("settings", {})
    if "clip_value" in settings:
        nn.utils.clip_grad_value_(parameters, settings["clip_value"])
    if "clip_norm" in settings:
        norm = nn.utils.get_total_norm([p.grad for p in parameters])
        nn.utils.clip_grads_with_norm_(parameters, settings["clip_norm"], norm - 1e-6)


def backward(case, net, x):
    """One training pass; gradients are those of the mean loss. Returns output, loss and weight."""
    net.training = True
    for array in (x, *net.parameters.values()):
        array.grad = None
    y = net(x)
    loss, weight = loss_of(case, y)
    loss.backward()
    return y, loss, weight


def write_pass(out, case, net, x):
    """The output of inference, that of training, the loss, and the gradients of its weighted sum over the batch."""
    net.training = False
    with torch.no_grad():
        out.array("inference", net(x))
    y, loss, weight = backward(case, net, x)
    out.array("output", y.detach())
    out.array("loss", [loss.item()])
    out.array("input gradient", torch.zeros_like(x) if x.grad is None else weight * x.grad)
    for name, array in net.parameters.items():
        out.array(name + " gradient", weight * array.grad)


def write_arrays(out, case, net, x, step):
    """What training has come to: parameters, state, and the loss of inference with them."""
    for name, array in (net.parameters | net.states).items():
        out.array(f"step {step}: {name}", array.detach())
    net.training = False
    with torch.no_grad():
        out.array(f"step {step}: loss", [loss_of(case, net(x))[0].item()])


def write_steps(out, case, net, x):
    optimizer = optimizer_of(case, net)
    for step in range(1, max(case["steps"]) + 1):
        if step > 1:
            backward(case, net, x)
        clip(case, net)
        for array in net.parameters.values():
            array.grad += case.get("options", {}).get("l1", 0) * array.detach().sign()
        optimizer.step()
        if step in case["steps"]:
            write_arrays(out, case, net, x, step)


def pairs(settings):
    return " ".join(f"{key} {int(value) if isinstance(value, bool) else value}" for key, value in settings.items())


def input_of(case, shape):
    """Integers below a limit, or scaled numbers."""
    count = math.prod(shape)
    if "integers" in case:
        values = below(INPUT, count, case["integers"]).astype(float)
    else:
        values = uniform(INPUT, count) * case.get("scale", 1)
    return tensor(values, shape).requires_grad_()


def write_case(out, name, case):
    shape = case.get("input", (2, 7, 3))
    x = input_of(case, shape)
    net = Network(case["layers"], x)
    settings = {"loss": case.get("loss", "squared-error")} | case.get("settings", {}) | case.get("options", {})
    out.line("case", name)
    out.line("input", *shape, case.get("scale", 1), case.get("integers", 0))
    out.line("network", case.get("built", json.dumps({"layers": case["layers"]})))
    out.line("optimizer", case.get("optimizer", "adam"))
    out.line("compile", pairs(settings))
    write_pass(out, case, net, x)
    if "steps" in case:
        write_steps(out, case, net, x)


def write_schedule(out, name, rate, make, settings):
    """The rates of 50 steps, each an epoch by itself."""
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=rate)
    schedule, rates = make(optimizer), []
    for _ in range(50):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    out.line("case", name)
    out.line("rate", rate)
    out.line("schedule", pairs(settings))
    out.array("rates", rates)


def main():
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    folder = pathlib.Path(__file__).parent
    for file, listed, largest in (
        ("layers", cases.LAYERS, 44),
        ("training", cases.TRAINING, 44),
        ("networks", cases.NETWORKS | cases.examples(folder.parents[1] / "examples" / "architectures"), 12),
    ):
        out = Writer(folder / (file + ".txt"), largest)
        for name, case in listed.items():
            write_case(out, name, case)
    out = Writer(folder / "schedules.txt")
    for name, case in cases.SCHEDULES.items():
        write_schedule(out, name, *case)
    out = Writer(folder / "formula.txt")
    for array in (INPUT, TARGET, PARAMETERS, STATES):
        out.line("case", array)
        out.array("hashes", hashes(array, 8))
        out.array("uniform", uniform(array, 8))


if __name__ == "__main__":
    main()
