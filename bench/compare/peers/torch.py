"""PyTorch, eager, channels first as its convolutions have it."""

import copy

import torch
from torch import nn
from torch.nn import functional

from peers import arrays, batch, padding


def start(threads):
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)


def version():
    return "PyTorch " + torch.__version__


def convolution(shape, precision):
    kind = torch.float32 if precision == "f32" else torch.float64
    x, weight, bias = (torch.from_numpy(a).to(kind) for a in arrays(shape))
    x, weight = x.transpose(1, 2).contiguous(), weight.permute(2, 1, 0).contiguous()
    wanted = [t.requires_grad_() for t in (x, weight, bias)]
    left, right = padding(shape)

    def run():
        padded = x if left == right else functional.pad(x, (left, right))
        return functional.conv1d(padded, weight, bias, shape["stride"], left if left == right else 0, shape["dilation"])

    gradient = torch.randn_like(run())

    def forward():
        with torch.no_grad():
            run()

    return {"forward": forward, "all": lambda: torch.autograd.grad(run(), wanted, gradient)}


# ---- networks ----


class Convolution(nn.Module):
    def __init__(self, channels, filters, kernel, dilation=1, causal=False, bias=True):
        super().__init__()
        shape = {"kernel": kernel, "dilation": dilation, "stride": 1, "length": 1, "padding": "causal" if causal else "same"}
        left, right = padding(shape)
        self.pad = (left, right) if left != right else None
        self.conv = nn.Conv1d(channels, filters, kernel, padding=left if left == right else 0, dilation=dilation, bias=bias)

    def forward(self, x):
        return self.conv(functional.pad(x, self.pad) if self.pad else x)


def normalised(*layers, filters, relu=True):
    norm = nn.BatchNorm1d(filters, eps=1e-3, momentum=0.01)
    return nn.Sequential(*layers, norm, *([nn.ReLU()] if relu else []))


class Mean(nn.Module):
    def forward(self, x):
        return x.mean(2)


class LastStep(nn.Module):
    def forward(self, x):
        return x[:, :, -1]


class Sum(nn.Module):
    """relu(body(x) + shortcut(x))"""

    def __init__(self, body, shortcut):
        super().__init__()
        self.body, self.shortcut = body, shortcut

    def forward(self, x):
        return functional.relu(self.body(x) + self.shortcut(x))


class Branches(nn.Module):
    """The four branches of an Inception block, side by side."""

    def __init__(self, channels):
        super().__init__()
        narrow = 32 if channels > 1 else channels
        self.neck = Convolution(channels, 32, 1, bias=False) if channels > 1 else nn.Identity()
        self.branches = nn.ModuleList(Convolution(narrow, 32, kernel, bias=False) for kernel in (40, 20, 10))
        self.pooled = nn.Sequential(nn.MaxPool1d(3, 1, 1), Convolution(channels, 32, 1, bias=False))

    def forward(self, x):
        narrow = self.neck(x)
        return torch.cat([branch(narrow) for branch in self.branches] + [self.pooled(x)], 1)


def fcn(case):
    layers, channels = [], case["channels"]
    for filters, kernel in ((128, 8), (256, 5), (128, 3)):
        layers.append(normalised(Convolution(channels, filters, kernel), filters=filters))
        channels = filters
    return nn.Sequential(*layers, Mean(), nn.Linear(128, case["classes"]))


def resnet(case):
    blocks, channels = [], case["channels"]
    for filters in (64, 128, 128):
        body = nn.Sequential(
            *(
                normalised(Convolution(channels if i == 0 else filters, filters, kernel), filters=filters, relu=i < 2)
                for i, kernel in enumerate((8, 5, 3))
            )
        )
        match = [] if channels == filters else [Convolution(channels, filters, 1)]
        blocks.append(Sum(body, normalised(*match, filters=filters, relu=False)))
        channels = filters
    return nn.Sequential(*blocks, Mean(), nn.Linear(128, case["classes"]))


def inception(case):
    thirds, channels = [], case["channels"]
    for _ in range(2):
        body = nn.Sequential(*(normalised(Branches(channels if i == 0 else 128), filters=128) for i in range(3)))
        thirds.append(Sum(body, normalised(Convolution(channels, 128, 1, bias=False), filters=128, relu=False)))
        channels = 128
    return nn.Sequential(*thirds, Mean(), nn.Linear(128, case["classes"]))


def timecnn(case):
    length = ((case["length"] - 6) // 3 - 6) // 3
    return nn.Sequential(
        nn.Conv1d(case["channels"], 6, 7),
        nn.Sigmoid(),
        nn.AvgPool1d(3),
        nn.Conv1d(6, 12, 7),
        nn.Sigmoid(),
        nn.AvgPool1d(3),
        nn.Flatten(),
        nn.Linear(12 * length, case["classes"]),
    )


def tcn(case):
    blocks, channels = [], case["channels"]
    for i in range(8):
        body = nn.Sequential(Convolution(channels, 25, 7, 2**i, True), nn.ReLU(), Convolution(25, 25, 7, 2**i, True), nn.ReLU())
        blocks.append(Sum(body, nn.Identity() if channels == 25 else nn.Conv1d(channels, 25, 1)))
        channels = 25
    return nn.Sequential(*blocks, LastStep(), nn.Linear(25, case["classes"]))


def build(case):
    return {"fcn": fcn, "resnet": resnet, "inception": inception, "timecnn": timecnn, "tcn": tcn}[case["model"].split("_")[0]](case)


def network(case):
    torch.manual_seed(0)
    model = build(case)
    trained = copy.deepcopy(model).eval()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    values, labels = batch(case)
    x, labels = torch.from_numpy(values).transpose(1, 2).contiguous(), torch.from_numpy(labels)

    def step():
        optimizer.zero_grad(set_to_none=True)
        functional.cross_entropy(model(x), labels).backward()
        optimizer.step()

    def infer():
        with torch.inference_mode():
            trained(x)

    def infer1():
        with torch.inference_mode():
            trained(x[:1])

    return {"step": step, "infer": infer, "infer1": infer1, "parameters": sum(p.numel() for p in model.parameters())}
