#!/usr/bin/env python3
"""Networks in PyTorch as people write them, whose weights go to tapline and back through safetensors. Run by hand, with a Python that
has torch and safetensors, it writes the fixtures of tests/test_weights.c:

    python3 tests/parity/export.py

The weights and inputs are those of formula.py; the outputs are computed in double precision.
"""

import json
import math
import pathlib

import torch
from safetensors.torch import save_file
from torch import nn

from formula import INPUT, PARAMETERS, below, initial, tensor, uniform
from make import Writer


class FCN(nn.Module):
    """Wang, Yan & Oates 2017."""

    def __init__(self, channels, classes, filters=(128, 256, 128), eps=1e-3):
        super().__init__()
        first, second, third = filters
        self.conv1 = nn.Conv1d(channels, first, 8, padding="same")
        self.bn1 = nn.BatchNorm1d(first, eps)
        self.conv2 = nn.Conv1d(first, second, 5, padding="same")
        self.bn2 = nn.BatchNorm1d(second, eps)
        self.conv3 = nn.Conv1d(second, third, 3, padding="same")
        self.bn3 = nn.BatchNorm1d(third, eps)
        self.fc = nn.Linear(third, classes)

    def forward(self, x):
        x = self.bn1(self.conv1(x)).relu()
        x = self.bn2(self.conv2(x)).relu()
        x = self.bn3(self.conv3(x)).relu()
        return self.fc(x.mean(2))


class Block(nn.Module):
    def __init__(self, channels, filters, eps):
        super().__init__()
        sizes = (channels, filters, filters)
        self.convs = nn.ModuleList(nn.Conv1d(n, filters, k, padding="same") for n, k in zip(sizes, (8, 5, 3)))
        self.norms = nn.ModuleList(nn.BatchNorm1d(filters, eps) for _ in range(3))
        widen = [] if channels == filters else [nn.Conv1d(channels, filters, 1)]
        self.shortcut = nn.Sequential(*widen, nn.BatchNorm1d(filters, eps))

    def forward(self, x):
        y = x
        for i, (conv, norm) in enumerate(zip(self.convs, self.norms)):
            y = norm(conv(y))
            y = y.relu() if i < 2 else y
        return (y + self.shortcut(x)).relu()


class ResNet(nn.Module):
    """Wang, Yan & Oates 2017."""

    def __init__(self, channels, classes, filters=(64, 128, 128), eps=1e-3):
        super().__init__()
        sizes = (channels, *filters)
        self.blocks = nn.Sequential(*(Block(a, b, eps) for a, b in zip(sizes, sizes[1:])))
        self.head = nn.Linear(filters[-1], classes)

    def forward(self, x):
        return self.head(self.blocks(x).mean(2))


def resnet_map():
    """Which module is which of tl_resnet's layers."""
    named, convolutions, norms = {}, 0, 0
    for index, widened in enumerate((True, True, False)):
        block = f"blocks.{index}"
        if widened:
            convolutions += 1
            named[f"{block}.shortcut.0"] = f"conv1d_{convolutions}"
        for i in range(3):
            convolutions, norms = convolutions + 1, norms + 1
            named[f"{block}.convs.{i}"] = f"conv1d_{convolutions}"
            named[f"{block}.norms.{i}"] = f"batch_norm_{norms}"
        norms += 1
        named[f"{block}.shortcut.{int(widened)}"] = f"batch_norm_{norms}"
    return named | {"head": "dense_1"}


class Mixed(nn.Sequential):
    """Groups, slopes, a transposed convolution, norms, and layers behind a flatten."""

    def __init__(self, channels, classes):
        super().__init__(
            nn.Conv1d(channels, 6, 3, groups=2, padding="same", bias=False),
            nn.PReLU(6),
            nn.ConvTranspose1d(6, 4, 4, stride=2, padding=1),
            nn.GroupNorm(2, 4),
            nn.Conv1d(4, 8, 3, groups=4),
            nn.ReLU(),
            nn.MaxPool1d(3),
            nn.Flatten(),
            nn.BatchNorm1d(48),
            nn.Dropout(0.2),
            nn.Linear(48, 5),
            nn.LayerNorm(5),
            nn.Linear(5, classes),
        )


class Words(nn.Module):
    """A table of rows, of which a convolution and a dense layer without bias read."""

    def __init__(self, words, classes):
        super().__init__()
        self.table = nn.Embedding(words, 4)
        self.convolution = nn.Conv1d(4, 3, 3)
        self.out = nn.Linear(3 * 7, classes, bias=False)

    def forward(self, x):
        x = self.convolution(self.table(x[:, 0].long()).transpose(1, 2))
        return self.out(x.relu().flatten(1))


def fill(net):
    """What formula.py gives for each parameter; running variances are around 1. Returns the network, in double precision."""
    net.double().eval()
    for index, (name, array) in enumerate(net.state_dict().items()):
        if array.dtype.is_floating_point:
            kind = "variance" if name.endswith("running_var") or (name.endswith("weight") and array.dim() == 1) else ""
            shape = tuple(reversed(array.shape)) if array.dim() > 1 else tuple(array.shape)
            values = initial(PARAMETERS + index, kind, shape)
            array.copy_(values.permute(*reversed(range(array.dim()))) if array.dim() > 1 else values)
    return net


def layer(kind, **settings):
    return {"type": kind, **settings}


def convolution(filters, kernel, **settings):
    return layer("conv1d", filters=filters, kernel=kernel, padding="same", **settings)


def fcn_layers(filters, **norm):
    blocks = [[convolution(f, k), layer("batch_norm", **norm), layer("relu")] for f, k in zip(filters, (8, 5, 3))]
    return [*sum(blocks, []), layer("global_average_pool"), layer("dense", units="outputs")]


def resnet_layers(filters, **norm):
    layers, source = [], "input"
    for index, size in enumerate(filters):
        if index < 2:
            layers += [convolution(size, 1, name=f"shortcut {index}", inputs=[source])]
        for i, kernel in enumerate((8, 5, 3)):
            layers += [convolution(size, kernel, inputs=["-" if i else source]), layer("batch_norm", **norm)]
            layers += [layer("relu")] if i < 2 else []
        layers[-1]["name"] = f"deep {index}"
        layers += [layer("batch_norm", inputs=[f"shortcut {index}" if index < 2 else source], **norm)]
        layers += [layer("add", inputs=[f"deep {index}", "-"]), layer("relu", name=f"block {index}")]
        source = f"block {index}"
    return [*layers, layer("global_average_pool"), layer("dense", units="outputs")]


def mixed_layers():
    return [
        convolution(6, 3, groups=2, bias=False),
        layer("prelu"),
        layer("conv1d_transpose", filters=4, kernel=4, stride=2, pad_left=1, pad_right=1),
        layer("group_norm", groups=2),
        layer("conv1d", filters=8, kernel=3, groups=4),
        layer("relu"),
        layer("max_pool", window=3),
        layer("flatten"),
        layer("batch_norm", epsilon=1e-5),
        layer("dropout", rate=0.2),
        layer("dense", units=5),
        layer("layer_norm"),
        layer("dense", units="outputs"),
    ]


def words_layers(words):
    return [
        layer("embedding", vocabulary=words, units=4),
        layer("conv1d", filters=3, kernel=3),
        layer("relu"),
        layer("flatten"),
        layer("dense", units="outputs", bias=False),
    ]


CLASSES = 3

# Name, network, input (batch, length, channels), below which integers it is (0: numbers), layers, map of names (None: without).
CASES = [
    ("fcn", FCN(2, CLASSES, (8, 12, 8), eps=1e-5), (3, 20, 2), 0, fcn_layers((8, 12, 8), epsilon=1e-5), None),
    ("resnet", ResNet(1, CLASSES, (6, 8, 8)), (3, 24, 1), 0, resnet_layers((6, 8, 8)), resnet_map()),
    ("mixed", Mixed(4, CLASSES), (2, 10, 4), 0, mixed_layers(), None),
    ("words", Words(6, CLASSES), (2, 9, 1), 6, words_layers(6), None),
]


def main():
    torch.set_num_threads(1)
    folder = pathlib.Path(__file__).parent / "weights"
    folder.mkdir(exist_ok=True)
    out = Writer(folder / "cases.txt")
    for name, net, shape, integers, layers, names in CASES:
        count = math.prod(shape)
        x = tensor(below(INPUT, count, integers).astype(float) if integers else uniform(INPUT, count), shape)
        fill(net)
        with torch.no_grad():
            y = net(x.transpose(1, 2))
        save_file({key: array.float() if array.is_floating_point() else array for key, array in net.state_dict().items()},
                  folder / (name + ".safetensors"))
        if names:
            (folder / (name + ".names.json")).write_text(json.dumps(names, indent=2) + "\n")
        out.line("case", name)
        out.line("input", *shape, 1, integers)
        out.line("network", json.dumps({"layers": layers}))
        out.line("map", int(names is not None))
        out.array("output", y)


if __name__ == "__main__":
    main()
