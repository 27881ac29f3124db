"""Networks described as in tapline/architecture.h, in PyTorch, with parameters in tapline's layouts and order."""

import torch
from torch.nn import functional

from formula import PARAMETERS, STATES, initial


def pads(settings, length, extent):
    """How much a layer pads on the left and on the right."""
    kind, stride = settings.get("padding", "valid"), settings["stride"]
    if kind == "explicit":
        return settings.get("pad_left", 0), settings.get("pad_right", 0)
    if kind == "valid":
        return 0, 0
    total = max((-(-length // stride) - 1) * stride + extent - length, 0)
    return (total, 0) if kind == "causal" else (total // 2, total - total // 2)


def channels_first(layer):
    return lambda net, x, settings: layer(net, x.transpose(1, 2), settings).transpose(1, 2)


@channels_first
def conv1d(net, x, settings):
    kernel, stride, dilation = settings["kernel"], settings.get("stride", 1), settings.get("dilation", 1)
    groups, mode = settings.get("groups", 1), settings.get("padding_mode", "constant")
    weight = net.parameter("weight", (kernel, x.shape[1] // groups, settings["filters"])).permute(2, 1, 0)
    bias = net.parameter("bias", (settings["filters"],)) if settings.get("bias", True) else None
    if settings.get("padding") == "same" and stride == 1 and mode == "constant":
        return functional.conv1d(x, weight, bias, padding="same", dilation=dilation, groups=groups)
    pad = pads(settings | {"stride": stride}, x.shape[2], (kernel - 1) * dilation + 1)
    if mode == "constant" and pad[0] == pad[1]:
        return functional.conv1d(x, weight, bias, stride, pad[0], dilation, groups)
    return functional.conv1d(functional.pad(x, pad, mode), weight, bias, stride, 0, dilation, groups)


@channels_first
def conv1d_transpose(net, x, settings):
    kernel, stride, dilation = settings["kernel"], settings.get("stride", 1), settings.get("dilation", 1)
    left, right, more = (settings.get(key, 0) for key in ("pad_left", "pad_right", "output_padding"))
    weight = net.parameter("weight", (kernel, settings["filters"], x.shape[1])).permute(2, 1, 0)
    bias = net.parameter("bias", (settings["filters"],)) if settings.get("bias", True) else None
    pad = left if left == right else 0
    y = functional.conv_transpose1d(x, weight, bias, stride, pad, more, dilation=dilation)
    return y if left == right else y[:, :, left : y.shape[2] - right]


def dense(net, x, settings):
    weight = net.parameter("weight", (x.shape[2], settings["units"]))
    bias = net.parameter("bias", (settings["units"],)) if settings.get("bias", True) else None
    return functional.linear(x, weight.T, bias)


@channels_first
def max_pool(net, x, settings):
    window, stride = settings["window"], settings.get("stride", settings["window"])
    pad = pads(settings | {"stride": stride}, x.shape[2], window)
    return functional.max_pool1d(functional.pad(x, pad, value=-torch.inf), window, stride)


@channels_first
def average_pool(net, x, settings):
    window, stride = settings["window"], settings.get("stride", settings["window"])
    pad = pads(settings | {"stride": stride}, x.shape[2], window)
    if pad[0] == pad[1] and pad[0] <= window // 2:
        return functional.avg_pool1d(x, window, stride, pad[0], count_include_pad=False)
    counted = functional.avg_pool1d(functional.pad(torch.ones_like(x), pad), window, stride)
    return functional.avg_pool1d(functional.pad(x, pad), window, stride) / counted


@channels_first
def batch_norm(net, x, settings):
    channels, momentum = (x.shape[1],), settings.get("momentum", 0.9)
    scale, shift = net.parameter("scale", channels), net.parameter("shift", channels)
    mean, variance = net.state("mean", channels), net.state("variance", channels)
    epsilon = settings.get("epsilon", 1e-3)
    return functional.batch_norm(x, mean, variance, scale, shift, net.training, 1 - momentum, epsilon)


def layer_norm(net, x, settings):
    channels = (x.shape[2],)
    scale, shift = net.parameter("scale", channels), net.parameter("shift", channels)
    return functional.layer_norm(x, channels, scale, shift, settings.get("epsilon", 1e-5))


@channels_first
def group_norm(net, x, settings):
    channels = (x.shape[1],)
    scale, shift = net.parameter("scale", channels), net.parameter("shift", channels)
    return functional.group_norm(x, settings["groups"], scale, shift, settings.get("epsilon", 1e-5))


@channels_first
def upsample(net, x, settings):
    if settings.get("linear"):
        return functional.interpolate(x, scale_factor=settings["factor"], mode="linear", align_corners=False)
    return functional.interpolate(x, scale_factor=settings["factor"], mode="nearest")


def embedding(net, x, settings):
    return functional.embedding(x[:, :, 0].long(), net.parameter("table", (settings["vocabulary"], settings["units"])))


def fixed_filters_filters():
    """Of 96 taps each, those of fewer amid zeros as `same` pads them; after LITE's authors."""
    trends = [[-((-1.0) ** j) for j in range(2 << i)] for i in range(6)]
    filters = trends + [[-tap for tap in taps] for taps in trends]
    for taps in (4 << i for i in range(5)):
        left = torch.linspace(0, 1, taps // 4 + 1)[1:] ** 2
        side = torch.cat([left, left.flip(0)])
        filters.append(torch.cat([-side, 2 * side, -side]).tolist())
    rows = [functional.pad(torch.tensor(taps), (47 - (len(taps) - 1) // 2, 48 - len(taps) // 2)) for taps in filters]
    return torch.stack(rows)[:, None]


@channels_first
def fixed_filters(net, x, settings):
    return functional.conv1d(functional.pad(x, (47, 48)), fixed_filters_filters().expand(-1, x.shape[1], -1))


def plain(function):
    return lambda net, x, settings: function(x)


LAYERS = {
    "conv1d": conv1d,
    "conv1d_transpose": conv1d_transpose,
    "dense": dense,
    "relu": plain(functional.relu),
    "sigmoid": plain(torch.sigmoid),
    "tanh": plain(torch.tanh),
    "softmax": plain(lambda x: functional.softmax(x, 2)),
    "leaky_relu": lambda net, x, settings: functional.leaky_relu(x, settings.get("slope", 0.01)),
    "prelu": channels_first(lambda net, x, settings: functional.prelu(x, net.parameter("slope", (x.shape[1],)))),
    "elu": lambda net, x, settings: functional.elu(x, settings.get("alpha", 1)),
    "selu": plain(functional.selu),
    "gelu": lambda net, x, settings: functional.gelu(x, approximate="tanh" if settings.get("approximate") else "none"),
    "silu": plain(functional.silu),
    "softplus": plain(functional.softplus),
    "hard_sigmoid": plain(functional.hardsigmoid),
    "exponential": plain(torch.exp),
    "affine": lambda net, x, settings: settings["scale"] * x + settings["shift"],
    "max_pool": max_pool,
    "average_pool": average_pool,
    "global_average_pool": plain(lambda x: x.mean(1, keepdim=True)),
    "global_max_pool": plain(lambda x: x.max(1, keepdim=True).values),
    "upsample": upsample,
    "embedding": embedding,
    "fixed_filters": fixed_filters,
    "last_step": plain(lambda x: x[:, -1:]),
    "flatten": plain(lambda x: x.reshape(len(x), 1, -1)),
    "batch_norm": batch_norm,
    "layer_norm": layer_norm,
    "group_norm": group_norm,
    "add": lambda net, x, settings: sum(x[1:], start=x[0]),
    "multiply": lambda net, x, settings: torch.stack(x).prod(0),
    "concat": lambda net, x, settings: torch.cat(x, 2),
}


class Network:
    """`values` holds the arrays by the name that tapline gives them, such as "conv1d_1 weight"; those of the first pass are made."""

    def __init__(self, layers, x):
        self.layers, self.parameters, self.states = layers, {}, {}
        self.training = False
        with torch.no_grad():
            self(x)
        for array in self.parameters.values():
            array.requires_grad_()

    def parameter(self, name, shape):
        return self.array(self.parameters, PARAMETERS, name, shape)

    def state(self, name, shape):
        return self.array(self.states, STATES, name, shape)

    def array(self, arrays, first, name, shape):
        full = f"{self.layer} {name}"
        if full not in arrays:
            arrays[full] = initial(first + len(arrays), name, shape)
        return arrays[full]

    def __call__(self, x):
        kinds, named, last = {}, {"input": x}, x
        for settings in self.layers:
            kind = settings["type"]
            kinds[kind] = kinds.get(kind, 0) + 1
            self.layer = f"{kind}_{kinds[kind]}"
            inputs = [last if name == "-" else named[name] for name in settings.get("inputs", ["-"])]
            last = LAYERS[kind](self, inputs if len(inputs) > 1 else inputs[0], settings)
            if "name" in settings:
                named[settings["name"]] = last
        return last
