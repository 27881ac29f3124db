"""Imports networks that PyTorch's two exporters wrote: predictions are equal; operators without a counterpart are refused by name.

usage: onnx_import.py PREDICT    the program of onnx_predict.c
"""

import pathlib
import subprocess
import sys
import tempfile
import warnings

from peer import require

numpy, torch, _, _ = require("numpy", "torch", "onnxscript", "onnx")
from torch import nn

LIMIT = 1e-5
SERIES, LENGTH = 6, 64
sys.argv[1] = str(pathlib.Path(sys.argv[1]).resolve())


def block(inputs, filters, kernel, **options):
    return nn.Sequential(nn.Conv1d(inputs, filters, kernel, padding="same", **options), nn.BatchNorm1d(filters), nn.ReLU())


class FCN(nn.Module):
    """Wang, Yan & Oates 2017."""

    def __init__(self, channels, classes):
        super().__init__()
        self.body = nn.Sequential(block(channels, 128, 8), block(128, 256, 5), block(256, 128, 3))
        self.out = nn.Linear(128, classes)

    def forward(self, x):
        return self.out(self.body(x).mean(2))


class Residual(nn.Module):
    def __init__(self, inputs, filters):
        super().__init__()
        self.body = nn.Sequential(block(inputs, filters, 8), block(filters, filters, 5), nn.Conv1d(filters, filters, 3, padding=1), nn.BatchNorm1d(filters))
        self.shortcut = nn.Sequential(nn.Conv1d(inputs, filters, 1), nn.BatchNorm1d(filters))

    def forward(self, x):
        return torch.relu(self.body(x) + self.shortcut(x))


class ResNet(nn.Module):
    """Wang, Yan & Oates 2017."""

    def __init__(self, channels, classes):
        super().__init__()
        self.net = nn.Sequential(Residual(channels, 64), Residual(64, 128), Residual(128, 128), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(128, classes), nn.Softmax(1))

    def forward(self, x):
        return self.net(x)


class InceptionBlock(nn.Module):
    """Ismail Fawaz et al. 2020."""

    def __init__(self, inputs):
        super().__init__()
        self.narrow = nn.Conv1d(inputs, 32, 1, bias=False)
        self.branches = nn.ModuleList(nn.Conv1d(32, 32, k, padding=k // 2, bias=False) for k in (39, 19, 9))
        self.pool = nn.Sequential(nn.MaxPool1d(3, 1, 1), nn.Conv1d(inputs, 32, 1, bias=False))
        self.norm = nn.BatchNorm1d(128)

    def forward(self, x):
        narrow = self.narrow(x)
        return torch.relu(self.norm(torch.cat([branch(narrow) for branch in self.branches] + [self.pool(x)], 1)))


class InceptionTime(nn.Module):
    def __init__(self, channels, classes):
        super().__init__()
        self.first = nn.Sequential(*(InceptionBlock(channels if i == 0 else 128) for i in range(3)))
        self.shortcut = nn.Sequential(nn.Conv1d(channels, 128, 1, bias=False), nn.BatchNorm1d(128))
        self.out = nn.Linear(128, classes)

    def forward(self, x):
        return self.out(torch.relu(self.first(x) + self.shortcut(x)).mean(-1))


class Chomp(nn.Module):
    def __init__(self, steps):
        super().__init__()
        self.steps = steps

    def forward(self, x):
        return x[:, :, : -self.steps].contiguous()


class TemporalBlock(nn.Module):
    """Bai, Kolter & Koltun 2018, with weight normalisation and steps that are cut off."""

    def __init__(self, inputs, filters, dilation, kernel=3):
        super().__init__()
        pad = (kernel - 1) * dilation
        conv = lambda n: nn.utils.parametrizations.weight_norm(nn.Conv1d(n, filters, kernel, padding=pad, dilation=dilation))
        self.net = nn.Sequential(conv(inputs), Chomp(pad), nn.ReLU(), nn.Dropout(0.2), conv(filters), Chomp(pad), nn.ReLU(), nn.Dropout(0.2))
        self.shortcut = nn.Conv1d(inputs, filters, 1) if inputs != filters else nn.Identity()

    def forward(self, x):
        return torch.relu(self.net(x) + self.shortcut(x))


class TCN(nn.Module):
    def __init__(self, channels, classes):
        super().__init__()
        self.net = nn.Sequential(*(TemporalBlock(channels if i == 0 else 25, 25, 2**i) for i in range(4)))
        self.out = nn.Linear(25, classes)

    def forward(self, x):
        return self.out(self.net(x)[:, :, -1])


class Separable(nn.Module):
    """Keyword spotting by depthwise separable convolutions (Zhang et al. 2017)."""

    def __init__(self, channels, classes):
        super().__init__()
        pair = lambda a, b: nn.Sequential(nn.Conv1d(a, a, 5, padding=2, groups=a, bias=False), nn.BatchNorm1d(a), nn.ReLU6(), nn.Conv1d(a, b, 1, bias=False), nn.BatchNorm1d(b), nn.ReLU6())
        self.net = nn.Sequential(nn.Conv1d(channels, 16, 10, stride=2), pair(16, 24), pair(24, 32), nn.AvgPool1d(2), nn.Flatten(1))
        self.out = nn.Linear(32 * 14, classes)

    def forward(self, x):
        return self.out(self.net(x))


class UNet(nn.Module):
    """Ronneberger, Fischer & Brox 2015, along time."""

    def __init__(self, channels, outputs):
        super().__init__()
        self.down = nn.ModuleList([block(channels, 8, 5), block(8, 16, 5)])
        self.middle = block(16, 32, 5)
        self.up = nn.ModuleList([nn.ConvTranspose1d(32, 16, 2, 2), nn.ConvTranspose1d(16, 8, 4, 2, 1)])
        self.side = nn.ModuleList([block(32, 16, 5), block(16, 8, 5)])
        self.out = nn.Conv1d(8, outputs, 1)

    def forward(self, x):
        kept = []
        for layer in self.down:
            x = layer(x)
            kept.append(x)
            x = nn.functional.max_pool1d(x, 2)
        x = self.middle(x)
        for up, side in zip(self.up, self.side):
            x = side(torch.cat([kept.pop(), up(x)], 1))
        return self.out(x)


# ---- definitions of public networks, rebuilt from their papers ----


class WaveNet(nn.Module):
    """van den Oord et al. 2016: both halves of a convolution form a gate."""

    def __init__(self, channels, outputs):
        super().__init__()
        self.first = nn.Conv1d(channels, 16, 1)
        self.gates = nn.ModuleList(nn.Conv1d(16, 32, 2, dilation=2**i) for i in range(4))
        self.mix = nn.ModuleList(nn.Conv1d(16, 16, 1) for _ in range(4))
        self.skip = nn.ModuleList(nn.Conv1d(16, 12, 1) for _ in range(4))
        self.out = nn.Sequential(nn.ReLU(), nn.Conv1d(12, 12, 1), nn.ReLU(), nn.Conv1d(12, outputs, 1))

    def forward(self, x):
        x, total = self.first(x), 0
        for i, (gate, mix, skip) in enumerate(zip(self.gates, self.mix, self.skip)):
            value, weight = gate(nn.functional.pad(x, (2**i, 0))).chunk(2, 1)
            h = torch.tanh(value) * torch.sigmoid(weight)
            total = total + skip(h)
            x = x + mix(h)
        return self.out(total)


class SqueezeExcite(nn.Module):
    """Squeeze and excitation (Hu, Shen & Sun 2018) in a network for ECG like that of Hannun et al. 2019."""

    def __init__(self, channels, classes):
        super().__init__()
        self.body = nn.Sequential(block(channels, 32, 7), nn.MaxPool1d(2), block(32, 32, 7))
        self.gate = nn.Sequential(nn.AdaptiveAvgPool1d(1), nn.Conv1d(32, 8, 1), nn.SiLU(), nn.Conv1d(8, 32, 1), nn.Sigmoid())
        self.out = nn.Sequential(nn.AdaptiveMaxPool1d(1), nn.Flatten(), nn.Linear(32, classes))

    def forward(self, x):
        x = self.body(x)
        return self.out(x * self.gate(x))


class M5(nn.Module):
    """Raw waveforms (Dai et al. 2017)."""

    def __init__(self, channels, classes):
        super().__init__()
        self.net = nn.Sequential(nn.Conv1d(channels, 32, 16, stride=4), nn.BatchNorm1d(32), nn.ReLU(), nn.MaxPool1d(4), nn.Conv1d(32, 32, 3), nn.BatchNorm1d(32), nn.ReLU())
        self.out = nn.Linear(32, classes)

    def forward(self, x):
        x = self.net(x)
        x = nn.functional.avg_pool1d(x, x.shape[-1]).permute(0, 2, 1)
        return nn.functional.softmax(self.out(x), dim=2)[:, 0]


class Mixer(nn.Module):
    """ConvNeXt (Liu et al. 2022) along time: layer norm and GELU on channels last."""

    def __init__(self, channels, classes):
        super().__init__()
        self.stem = nn.Conv1d(channels, 16, 4, stride=4)
        self.depth = nn.Conv1d(16, 16, 7, padding=3, groups=16)
        self.norm = nn.LayerNorm(16)
        self.wide, self.narrow = nn.Linear(16, 64), nn.Linear(64, 16)
        self.out = nn.Linear(16, classes)

    def forward(self, x):
        x = self.stem(x)
        h = self.norm(self.depth(x).transpose(1, 2))
        x = x + self.narrow(nn.functional.gelu(self.wide(h))).transpose(1, 2)
        return self.out(x.mean(-1))


class GroupNormed(nn.Module):
    """A denoiser with group norm (Wu & He 2018) that repeats steps to make series longer."""

    def __init__(self, channels, outputs):
        super().__init__()
        self.net = nn.Sequential(nn.Conv1d(channels, 12, 5, stride=2, padding=2), nn.GroupNorm(3, 12), nn.ELU(), nn.Upsample(scale_factor=2), nn.Conv1d(12, 12, 5, padding=2, padding_mode="reflect"), nn.InstanceNorm1d(12, affine=True), nn.LeakyReLU(0.2), nn.Upsample(scale_factor=2), nn.Conv1d(12, outputs, 4, stride=2, padding=1), nn.PReLU(outputs))

    def forward(self, x):
        return self.net(x)


class Lines(nn.Module):
    """Linear upsampling, which the newer exporter writes as the arithmetic of indices."""

    def __init__(self, channels, outputs):
        super().__init__()
        self.net = nn.Sequential(nn.Conv1d(channels, 4, 3, stride=2), nn.SELU(), nn.Upsample(scale_factor=3, mode="linear"), nn.Conv1d(4, outputs, 1))

    def forward(self, x):
        return self.net(x)


class HAR(nn.Module):
    """Activities from sensors (Ronao & Cho 2016): convolutions, flatten, then dense layers with batch norm."""

    def __init__(self, channels, classes):
        super().__init__()
        self.net = nn.Sequential(nn.Conv1d(channels, 12, 9), nn.ReLU(), nn.MaxPool1d(3), nn.Conv1d(12, 24, 5), nn.Tanh(), nn.MaxPool1d(3, ceil_mode=True))
        self.norm = nn.BatchNorm1d(24 * 5)
        self.out = nn.Sequential(nn.Linear(24 * 5, 30), nn.Hardswish(), nn.Dropout(), nn.Linear(30, classes))

    def forward(self, x):
        x = self.net(x)
        return self.out(self.norm(x.view(x.size(0), -1)))


class ECG(nn.Module):
    """ECG as images of height 1 (Conv2d), similar to Acharya et al. 2017."""

    def __init__(self, channels, classes):
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(channels, 8, (1, 5), padding=(0, 2)), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d((1, 2)), nn.Conv2d(8, 8, (1, 3)), nn.Mish())
        self.out = nn.Linear(8, classes)

    def forward(self, x):
        return self.out(self.net(x.unsqueeze(2)).mean((2, 3)))


class MLP(nn.Module):
    """The multilayer perceptron of Wang, Yan & Oates 2017."""

    def __init__(self, channels, classes):
        super().__init__()
        self.net = nn.Sequential(nn.Flatten(), nn.Linear(channels * LENGTH, 50), nn.GELU("tanh"), nn.Linear(50, classes), nn.Sigmoid())

    def forward(self, x):
        return self.net(x)


class LSTMFCN(nn.Module):
    """Karim et al. 2018: its LSTM has no counterpart."""

    def __init__(self, channels, classes):
        super().__init__()
        self.body, self.lstm = block(channels, 16, 8), nn.LSTM(channels, 8, batch_first=True)
        self.out = nn.Linear(24, classes)

    def forward(self, x):
        return self.out(torch.cat([self.body(x).mean(2), self.lstm(x.transpose(1, 2))[0][:, -1]], 1))


class Attention(nn.Module):
    """A transformer block (Vaswani et al. 2017): products of activations have no counterpart."""

    def __init__(self, channels, classes):
        super().__init__()
        self.stem, self.attend, self.out = nn.Conv1d(channels, 8, 3), nn.MultiheadAttention(8, 2, batch_first=True), nn.Linear(8, classes)

    def forward(self, x):
        x = self.stem(x).transpose(1, 2)
        return self.out(self.attend(x, x, x, need_weights=False)[0].mean(1))


REFUSED_FROM = {"dynamo": {Lines: ("GatherND",)}, "torchscript": {}}
IMPORTED = (Lines, FCN, ResNet, InceptionTime, TCN, Separable, UNet, WaveNet, SqueezeExcite, M5, Mixer, GroupNormed, HAR, ECG, MLP)
REFUSED = {LSTMFCN: ("LSTM", "Concat"), Attention: ("node",)}


def make(kind, channels):
    """Returns a network with weights and running statistics after some training passes."""
    torch.manual_seed(1)
    net = kind(channels, 3)
    for _ in range(5):
        net(torch.randn(8, channels, LENGTH) * 2 + 0.5)
    for module in net.modules():
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d, nn.GroupNorm, nn.LayerNorm)):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias)
    return net.eval()


def export(net, x, path, exporter, opset):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if exporter == "torchscript":
            axes = {"input": {0: "batch"}}
            torch.onnx.export(net, (x,), path, dynamo=False, opset_version=opset, input_names=["input"], dynamic_axes=axes)
        else:
            torch.onnx.export(net, (x,), path, dynamo=True, opset_version=opset, external_data=False, verbose=False)


def predict(path, x):
    """Imports the file; returns the predictions, or the message of the refusal."""
    with tempfile.TemporaryDirectory() as folder:
        series, out = pathlib.Path(folder) / "x", pathlib.Path(folder) / "y"
        series.write_bytes(numpy.ascontiguousarray(x.transpose(0, 2, 1)).tobytes())
        count, channels, length = x.shape
        done = subprocess.run([sys.argv[1], path, series, *map(str, (count, length, channels)), out], capture_output=True, text=True)
        if done.returncode == 1:
            return None, done.stdout.strip()
        assert done.returncode == 0, done.stderr
        _, steps, outputs = map(int, done.stdout.split())
        return numpy.fromfile(out, "float32").reshape(count, steps, outputs), None


def check(kind, exporter, opset, folder):
    channels = 1 if kind is MLP else 3
    net = make(kind, channels)
    x = torch.randn(SERIES, channels, LENGTH)
    path = pathlib.Path(folder) / f"{kind.__name__}.onnx"
    export(net, x[:2] if exporter == "torchscript" else x, path, exporter, opset)
    found, reason = predict(path, x.numpy())
    what = f"{kind.__name__}, {exporter}, operator set {opset}"
    refused = REFUSED | REFUSED_FROM[exporter]
    if kind in refused:
        assert found is None and any(name in reason for name in refused[kind]), f"{what}: {reason}"
        print(f"{what}: refused: {reason[reason.index('.onnx') + 7:]}")
        return
    assert found is not None, f"{what}: {reason}"
    with torch.no_grad():
        expected = net(x).numpy()
    expected = expected.transpose(0, 2, 1) if expected.ndim == 3 else expected[:, None, :]
    off = abs(found - expected).max() / abs(expected).max()
    assert off <= LIMIT, f"{what}: off by {off:.3g}"
    print(f"{what}: largest difference {off:.2g} of the largest output")


def main():
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for exporter, opsets in (("torchscript", (14, 17)), ("dynamo", (18,))):
            for kind in IMPORTED + tuple(REFUSED):
                for opset in opsets:
                    try:
                        check(kind, exporter, opset, folder)
                    except Exception as wrong:
                        failed += 1
                        print(f"FAILED {kind.__name__}, {exporter}, {opset}: {str(wrong)[:400]}")
    return failed


sys.exit(main() > 0)
