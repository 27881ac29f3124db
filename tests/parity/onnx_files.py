"""Writes tests/parity/onnx: small networks, exported by PyTorch's two exporters and by tf2onnx, with their outputs for one series.

usage: onnx_files.py torch|keras    with any Python that has torch and onnxscript, or tensorflow and tf2onnx. The text files contain the length, the
channels, then the outputs, step by step; series[i] is ((37 * i) % 101 - 50) / 50, (length, channels).
"""

import pathlib
import sys
import warnings

import numpy

warnings.simplefilter("ignore")
FOLDER = pathlib.Path(__file__).parent / "onnx"
LENGTH, CHANNELS = 16, 2


def numbers(count):
    return ((37 * numpy.arange(count)) % 101 - 50).astype("float32") / 50


def series():
    return numbers(LENGTH * CHANNELS).reshape(1, LENGTH, CHANNELS)


def write(name, y):
    y = y.reshape(-1)
    (FOLDER / f"{name}.txt").write_text("\n".join(map(str, [LENGTH, CHANNELS, *y.tolist()])) + "\n")


def torch_networks():
    import torch
    from torch import nn

    class Causal(nn.Module):
        """Weight normalisation, steps that are cut off, a residual connection, the last step."""

        def __init__(self):
            super().__init__()
            self.conv = nn.utils.parametrizations.weight_norm(nn.Conv1d(CHANNELS, 4, 3, padding=4, dilation=2))
            self.mix, self.out = nn.Conv1d(CHANNELS, 4, 1), nn.Linear(4, 3)

        def forward(self, x):
            return self.out(torch.relu(self.conv(x)[:, :, :-4] + self.mix(x))[:, :, -1])

    class Flat(nn.Module):
        """GELU, squeeze and excitation, a flatten in the order of channels with batch norm after it, a softmax."""

        def __init__(self):
            super().__init__()
            self.conv, self.norm = nn.Conv1d(CHANNELS, 3, 3, stride=2, padding=1), nn.BatchNorm1d(24)
            self.gate = nn.Sequential(nn.AdaptiveAvgPool1d(1), nn.Conv1d(3, 3, 1), nn.Sigmoid())
            self.out = nn.Linear(24, 3)

        def forward(self, x):
            x = nn.functional.gelu(self.conv(x))
            x = (x * self.gate(x)).view(x.size(0), -1)
            return torch.softmax(self.out(self.norm(x)), 1)

    class Steps(nn.Module):
        """Padding by reflection, group and layer norm, two halves of channels, a value for each step."""

        def __init__(self):
            super().__init__()
            self.conv = nn.Conv1d(CHANNELS, 8, 3, padding=1, padding_mode="reflect")
            self.group, self.layer, self.out = nn.GroupNorm(2, 8), nn.LayerNorm(4), nn.Linear(4, 2)

        def forward(self, x):
            a, b = self.group(self.conv(x)).chunk(2, 1)
            return self.out(self.layer((torch.tanh(a) * nn.functional.hardswish(b)).transpose(1, 2)))

    for kind in (Causal, Flat, Steps):
        torch.manual_seed(1)
        net = kind().eval()
        for module in net.modules():
            if isinstance(module, nn.BatchNorm1d):
                module.running_mean.copy_(torch.from_numpy(numbers(24)))
                module.running_var.copy_(torch.from_numpy(abs(numbers(24)) + 0.5))
        x = torch.from_numpy(series().transpose(0, 2, 1).copy())
        for exporter, opset in (("torchscript", 17), ("dynamo", 18)):
            name = f"{kind.__name__.lower()}_{exporter}"
            path = str(FOLDER / f"{name}.onnx")
            if exporter == "dynamo":
                torch.onnx.export(net, (x,), path, dynamo=True, opset_version=opset, external_data=False, verbose=False)
            else:
                torch.onnx.export(net, (x,), path, dynamo=False, opset_version=opset, dynamic_axes={"input": {0: "n"}}, input_names=["input"])
            strip(path)
            with torch.no_grad():
                write(name, net(x).numpy())


def strip(path):
    """Removes the parts that say where in a program a node comes from."""
    import onnx

    model = onnx.load(path)
    for part in [model, model.graph, *model.graph.node, *model.graph.value_info, *model.graph.input, *model.graph.output, *model.graph.initializer]:
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    del model.graph.value_info[:]
    onnx.save(model, path)


def keras_networks():
    import tensorflow
    import tf2onnx

    layers = tensorflow.keras.layers
    tensorflow.keras.utils.set_random_seed(1)
    x = layers.Input((LENGTH, CHANNELS), name="series")
    h = layers.BatchNormalization()(layers.Conv1D(4, 3, padding="causal", dilation_rate=2, activation="swish")(x))
    h = layers.UpSampling1D(2)(layers.MaxPooling1D(2)(layers.Dense(4, activation="elu")(h)))
    h = layers.Concatenate()([h, layers.SeparableConv1D(3, 5, padding="same")(x)])
    model = tensorflow.keras.Model(x, layers.Dense(3, activation="softmax")(layers.Flatten()(h)))
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.set_weights([abs(numbers(4)) + 0.5] * 4)
    function = tensorflow.function(lambda series: model(series, training=False))
    signature = [tensorflow.TensorSpec((None, LENGTH, CHANNELS), tensorflow.float32, name="series")]
    tf2onnx.convert.from_function(function, input_signature=signature, opset=17, output_path=str(FOLDER / "keras.onnx"))
    strip(str(FOLDER / "keras.onnx"))
    write("keras", model(series(), training=False).numpy())


FOLDER.mkdir(exist_ok=True)
{"torch": torch_networks, "keras": keras_networks}[sys.argv[1]]()
