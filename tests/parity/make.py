#!/usr/bin/env python3
"""Writes the fixtures of tests/test_parity.c: what PyTorch computes. Run by hand where a case was added, with a Python that has
torch and numpy:

    python3 tests/parity/make.py

Each file holds cases: a network, its input's shape, how it is compiled, and then arrays in the order in which the test computes
them, each as "name count" and its numbers. All is computed in double precision.
"""

import json
import pathlib

import torch
from torch import nn
from torch.nn import functional

import cases
from formula import INPUT, TARGET, below, digest, hashes, tensor, uniform
from network import Network

OPTIMIZERS = {
    "adam": (torch.optim.Adam, 1e-3),
    "adamw": (torch.optim.AdamW, 1e-3),
    "sgd": (torch.optim.SGD, 1e-2),
    "rmsprop": (torch.optim.RMSprop, 1e-2),
    "adagrad": (torch.optim.Adagrad, 1e-2),
}


class Writer:
    def __init__(self, path):
        self.file = path.open("w")

    def line(self, *words):
        print(*words, file=self.file)

    def array(self, name, values):
        values = digest(values)
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


def loss_of(case, y):
    """The mean loss of the batch, and the target's values from the formula."""
    kind = case.get("loss", "squared_error")
    if kind == "cross_entropy":
        labels = tensor(below(TARGET, len(y) * y.shape[1], y.shape[2]), y.shape[:2])
        return functional.cross_entropy(y.transpose(1, 2), labels)
    return functional.mse_loss(y, tensor(uniform(TARGET, y.numel()), y.shape))


def clip(case, net):
    """PyTorch divides by the norm + 1e-6, which is taken off here."""
    parameters = list(net.parameters.values())
    if "clip_value" in case:
        nn.utils.clip_grad_value_(parameters, case["clip_value"])
    if "clip_norm" in case:
        norm = nn.utils.get_total_norm([p.grad for p in parameters])
        nn.utils.clip_grads_with_norm_(parameters, case["clip_norm"], norm - 1e-6)


def backward(case, net, x):
    """One training pass; gradients are those of the mean loss."""
    net.training = True
    for array in (x, *net.parameters.values()):
        array.grad = None
    y = net(x)
    loss = loss_of(case, y)
    loss.backward()
    return y, loss


def write_pass(out, case, net, x):
    """The output of inference, that of training, the loss, and the gradients of its sum over the batch."""
    net.training = False
    with torch.no_grad():
        out.array("inference", net(x))
    y, loss = backward(case, net, x)
    out.array("output", y.detach())
    out.array("loss", [loss.item()])
    out.array("input gradient", len(x) * x.grad)
    for name, array in net.parameters.items():
        out.array(name + " gradient", len(x) * array.grad)


def write_arrays(out, case, net, x, step):
    """What training has come to: parameters, state, and the loss of inference with them."""
    for name, array in (net.parameters | net.states).items():
        out.array(f"step {step}: {name}", array.detach())
    net.training = False
    with torch.no_grad():
        out.array(f"step {step}: loss", [loss_of(case, net(x)).item()])


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


def write_case(out, name, case):
    batch, length, channels = shape = case.get("input", (2, 7, 3))
    scale = case.get("scale", 1)
    x = tensor(uniform(INPUT, batch * length * channels) * scale, shape).requires_grad_()
    net = Network(case["layers"], x)
    compiled = {key: case[key] for key in ("loss", "clip_value", "clip_norm") if key in case}
    out.line("case", name)
    out.line("input", *shape, scale)
    out.line("network", case.get("built", json.dumps({"layers": case["layers"]})))
    out.line("optimizer", case.get("optimizer", "adam"))
    out.line("compile", pairs(compiled | case.get("options", {})))
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
    for file, listed in (("layers", cases.LAYERS), ("training", cases.TRAINING), ("networks", cases.NETWORKS)):
        out = Writer(folder / (file + ".txt"))
        for name, case in listed.items():
            write_case(out, name, case)
    out = Writer(folder / "schedules.txt")
    for name, case in cases.SCHEDULES.items():
        write_schedule(out, name, *case)
    out = Writer(folder / "formula.txt")
    for array in (0, 1, 2, 1000):
        out.line("case", array)
        out.array("hashes", hashes(array, 8))
        out.array("uniform", uniform(array, 8))


if __name__ == "__main__":
    main()
