"""What is compared. A case is a network (the layers of tapline/architecture.h) and how it is run; make.py says what is left out."""

import json

from torch.optim import lr_scheduler


def layer(kind, **settings):
    return {"type": kind, **settings}


# ---- layers: one each, on an input of (2, 7, 3), compared in every element ----


def alone(kind, **settings):
    return {"layers": [layer(kind, **settings)]}


def conv(**settings):
    return alone("conv1d", filters=2, **settings)


def joined(kind, *after):
    """Of two convolutions and the input itself."""
    branches = [layer("conv1d", filters=3, kernel=3, padding="same", name=name, inputs=["input"]) for name in ("a", "b")]
    return {"layers": [*branches, layer(kind, inputs=["a", "input", "b"]), *after]}


LAYERS = {
    "conv1d kernel 1": conv(kernel=1),
    "conv1d valid": conv(kernel=3),
    "conv1d valid stride 2": conv(kernel=3, stride=2),
    "conv1d unused tail": conv(kernel=2, stride=4),
    "conv1d dilation 3": conv(kernel=3, dilation=3),
    "conv1d stride 2 dilation 2": conv(kernel=3, stride=2, dilation=2),
    "conv1d same": conv(kernel=3, padding="same"),
    "conv1d same even": conv(kernel=4, padding="same"),
    "conv1d same dilation 2": conv(kernel=4, padding="same", dilation=2),
    "conv1d same stride 2": conv(kernel=4, padding="same", stride=2),
    "conv1d causal": conv(kernel=3, padding="causal"),
    "conv1d causal dilation 3": conv(kernel=3, padding="causal", dilation=3),
    "conv1d causal stride 2": conv(kernel=3, padding="causal", stride=2),
    "conv1d explicit": conv(kernel=3, padding="explicit", pad_left=2, pad_right=2),
    "conv1d explicit uneven": conv(kernel=3, padding="explicit", pad_left=5, pad_right=1, stride=2),
    "conv1d longer than the input": conv(kernel=13, padding="same"),
    "conv1d without bias": conv(kernel=3, bias=False),
    "conv1d groups": {"layers": [layer("conv1d", filters=6, kernel=3, groups=2, padding="same")], "input": (2, 7, 4)},
    "conv1d groups stride 2": {"layers": [layer("conv1d", filters=4, kernel=3, groups=4, stride=2)], "input": (2, 9, 4)},
    "conv1d depthwise": alone("conv1d", filters=3, kernel=3, groups=3, padding="causal", dilation=2),
    "conv1d depthwise without bias": alone("conv1d", filters=3, kernel=4, groups=3, padding="same", stride=2, bias=False),
    "conv1d depthwise two filters": alone("conv1d", filters=6, kernel=3, groups=3, padding="same"),
    "conv1d reflect": conv(kernel=5, padding="same", padding_mode="reflect"),
    "conv1d replicate": conv(kernel=4, padding="same", stride=2, padding_mode="replicate"),
    "conv1d circular": conv(kernel=3, padding="explicit", pad_left=3, pad_right=1, padding_mode="circular"),
    "conv1d_transpose": alone("conv1d_transpose", filters=2, kernel=3),
    "conv1d_transpose stride 2": alone("conv1d_transpose", filters=2, kernel=4, stride=2, pad_left=1, pad_right=1),
    "conv1d_transpose uneven": alone("conv1d_transpose", filters=3, kernel=3, stride=2, dilation=2, pad_left=2, pad_right=1),
    "conv1d_transpose output_padding": alone(
        "conv1d_transpose", filters=3, kernel=2, stride=3, pad_left=1, pad_right=1, output_padding=2, bias=False
    ),
    "dense": alone("dense", units=4),
    "dense without bias": alone("dense", units=4, bias=False),
    "relu": alone("relu"),
    "sigmoid": alone("sigmoid") | {"scale": 8},
    "tanh": alone("tanh") | {"scale": 4},
    "softmax": alone("softmax") | {"scale": 4},
    "leaky_relu": alone("leaky_relu"),
    "leaky_relu slope 0.2": alone("leaky_relu", slope=0.2),
    "prelu": alone("prelu"),
    "elu": alone("elu") | {"scale": 4},
    "elu alpha 0.5": alone("elu", alpha=0.5) | {"scale": 4},
    "selu": alone("selu") | {"scale": 4},
    "gelu": alone("gelu") | {"scale": 4},
    "gelu approximate": alone("gelu", approximate=True) | {"scale": 4},
    "silu": alone("silu") | {"scale": 8},
    "softplus": alone("softplus") | {"scale": 32},
    "hard_sigmoid": alone("hard_sigmoid") | {"scale": 8},
    "exponential": alone("exponential"),
    "affine": alone("affine", scale=-2.5, shift=0.75),
    "max_pool": alone("max_pool", window=3),
    "max_pool same": alone("max_pool", window=3, stride=1, padding="same"),
    "max_pool same stride 2": alone("max_pool", window=4, stride=2, padding="same"),
    "max_pool causal": alone("max_pool", window=3, stride=2, padding="causal"),
    "max_pool explicit": alone("max_pool", window=4, stride=3, padding="explicit", pad_left=1, pad_right=3),
    "max_pool of equals": {"layers": [layer("relu"), layer("max_pool", window=3, stride=2)]},
    "average_pool": alone("average_pool", window=3),
    "average_pool overlapping": alone("average_pool", window=3, stride=2),
    "average_pool same": alone("average_pool", window=3, stride=1, padding="same"),
    "average_pool same even": alone("average_pool", window=4, stride=2, padding="same"),
    "average_pool explicit": alone("average_pool", window=4, stride=3, padding="explicit", pad_left=2, pad_right=2),
    "average_pool explicit uneven": alone("average_pool", window=4, stride=3, padding="explicit", pad_left=3, pad_right=0),
    "global_average_pool": alone("global_average_pool"),
    "global_max_pool": alone("global_max_pool"),
    "upsample": alone("upsample", factor=3) | {"input": (2, 5, 2)},
    "upsample linear": alone("upsample", factor=3, linear=True) | {"input": (2, 5, 2)},
    "fixed_filters": alone("fixed_filters"),
    "embedding": alone("embedding", vocabulary=6, units=3) | {"input": (2, 7, 1), "integers": 6},
    "last_step": alone("last_step"),
    "flatten": alone("flatten"),
    "batch_norm": alone("batch_norm"),
    "batch_norm momentum 0.5": alone("batch_norm", momentum=0.5, epsilon=1e-5) | {"steps": [1]},
    "batch_norm and relu": {"layers": [layer("batch_norm"), layer("relu")]},
    "layer_norm": alone("layer_norm"),
    "layer_norm epsilon 0.1": alone("layer_norm", epsilon=0.1),
    "group_norm": alone("group_norm", groups=2) | {"input": (2, 7, 4)},
    "group_norm of each channel": alone("group_norm", groups=3, epsilon=0.01),
    "add": joined("add"),
    "add and relu": joined("add", layer("relu")),
    "multiply": joined("multiply"),
    "concat": joined("concat"),
}


# ---- losses and optimizers: a small network, in every element after some steps ----


def perceptron(steps=(10,), **compiled):
    layers = [layer("dense", units=4), layer("tanh"), layer("global_average_pool"), layer("dense", units=3)]
    return {"layers": layers, "input": (4, 3, 2), "loss": "cross-entropy", "steps": steps, **compiled}


def stepped(optimizer, **options):
    return perceptron(optimizer=optimizer, options=options)


def clipped(**settings):
    return perceptron(optimizer="sgd", options={"learning_rate": 0.5}, settings=settings)


def with_loss(name, **settings):
    """Of each of three steps."""
    layers = [layer("dense", units=4)]
    return {"layers": layers, "input": (4, 3, 2), "scale": 4, "loss": name, "steps": [1], "optimizer": "sgd", **settings}


TRAINING = {
    "cross-entropy": perceptron([1], scale=8),
    "cross-entropy of steps": with_loss("cross-entropy"),
    "cross-entropy label_smoothing": with_loss("cross-entropy", settings={"label_smoothing": 0.2}),
    "cross-entropy class_weights": with_loss("cross-entropy", settings={"class_weights": True}),
    "cross-entropy all": with_loss("cross-entropy", settings={"class_weights": True, "label_smoothing": 0.2}),
    "squared-error": with_loss("squared-error"),
    "absolute-error": with_loss("absolute-error"),
    "huber": with_loss("huber"),
    "huber delta 0.3": with_loss("huber", settings={"huber_delta": 0.3}),
    "binary-cross-entropy": with_loss("binary-cross-entropy", scale=16),
    "sample_weights": with_loss("squared-error", settings={"sample_weights": True}),
    "sample_weights of binary-cross-entropy": with_loss("binary-cross-entropy", settings={"sample_weights": True}),
    "adam": stepped("adam"),
    "adam with all options": stepped("adam", learning_rate=0.1, beta1=0.7, beta2=0.9, epsilon=1e-3, weight_decay=0.1),
    "adam with l1": stepped("adam", learning_rate=0.01, l1=0.05),
    "adamw": stepped("adamw", learning_rate=0.1),
    "adamw weight_decay 0.2": stepped("adamw", learning_rate=0.1, weight_decay=0.2),
    "sgd": stepped("sgd"),
    "sgd momentum": stepped("sgd", learning_rate=0.1, momentum=0.9),
    "sgd nesterov": stepped("sgd", learning_rate=0.1, momentum=0.9, nesterov=True),
    "sgd nesterov weight_decay": stepped("sgd", learning_rate=0.1, momentum=0.9, nesterov=True, weight_decay=0.1),
    "rmsprop": stepped("rmsprop"),
    "rmsprop with all options": stepped("rmsprop", learning_rate=0.01, alpha=0.8, epsilon=1e-4, momentum=0.5, weight_decay=0.1),
    "adagrad": stepped("adagrad"),
    "adagrad weight_decay": stepped("adagrad", learning_rate=0.1, weight_decay=0.1, epsilon=1e-6),
    "clip_norm": clipped(clip_norm=0.05),
    "clip_norm that is not reached": clipped(clip_norm=50),
    "clip_value": clipped(clip_value=0.03),
    "clip_value and clip_norm": clipped(clip_value=0.03, clip_norm=0.05),
}


# ---- the published networks: as the library builds them ("built"), and trained. A convolution before a batch norm has no bias
# where it is trained: its gradient is 0, and Adam would make steps of what rounding leaves ----


def convolve(filters, kernel, bias=False, **settings):
    return layer("conv1d", filters=filters, kernel=kernel, bias=bias, **({"padding": "same"} | settings))


# Keras' momentum, by PyTorch's formula: the default of tapline begins otherwise.
def batch_norm(**settings):
    return layer("batch_norm", momentum=0.99, **settings)


def block(filters, kernel, bias):
    return [convolve(filters, kernel, bias), batch_norm(), layer("relu")]


def head():
    return [layer("global_average_pool"), layer("dense", units=3)]


def fcn(bias):
    return [*block(128, 8, bias), *block(256, 5, bias), *block(128, 3, bias), *head()]


def residual_block(bias, index, source, filters, widened):
    shortcut = f"shortcut {index}"
    first = [convolve(filters, 1, bias, inputs=[source], name=shortcut)] if widened else []
    convolutions = [*block(filters, 8, bias), *block(filters, 5, bias), convolve(filters, 3, bias)]
    convolutions[0]["inputs"] = [source]
    return [
        *first,
        *convolutions,
        batch_norm(name=f"deep {index}"),
        batch_norm(inputs=[shortcut if widened else source]),
        layer("add", inputs=[f"deep {index}", "-"]),
        layer("relu", name=f"block {index}"),
    ]


def resnet(bias):
    parts = (("input", 64, True), ("block 1", 128, True), ("block 2", 128, False))
    return [entry for i, part in enumerate(parts) for entry in residual_block(bias, i + 1, *part)] + head()


def inception_block(index, source):
    narrow = [] if source == "input" else [convolve(32, 1, inputs=[source], name=f"narrow {index}")]
    wide = [convolve(32, k, inputs=[f"narrow {index}" if narrow else source], name=f"{k} of {index}") for k in (40, 20, 10)]
    pooled = [layer("max_pool", window=3, stride=1, padding="same", inputs=[source]), convolve(32, 1)]
    branches = [entry["name"] for entry in wide] + ["-"]
    return [*narrow, *wide, *pooled, layer("concat", inputs=branches), batch_norm(), layer("relu", name=f"block {index}")]


def inception():
    layers, source, shortcut = [], "input", "input"
    for index in range(1, 7):
        layers += inception_block(index, source)
        source = f"block {index}"
        if index % 3 == 0:
            layers += [convolve(128, 1, inputs=[shortcut]), batch_norm(), layer("add", inputs=[source, "-"])]
            source = shortcut = f"sum {index}"
            layers += [layer("relu", name=source)]
    return layers + head()


def time_cnn():
    def pooled(filters):
        return [layer("conv1d", filters=filters, kernel=7), layer("sigmoid"), layer("average_pool", window=3)]

    return [*pooled(6), *pooled(12), layer("flatten"), layer("dense", units=3)]


def tcn():
    layers, source = [], "input"
    for index in range(8):
        deep = [convolve(25, 7, padding="causal", dilation=1 << index, bias=True) for _ in range(2)]
        deep[0]["inputs"] = [source]
        layers += [deep[0], layer("relu"), deep[1], layer("relu", name=f"deep {index}")]
        layers += [convolve(25, 1, bias=True, inputs=[source])] if index == 0 else []
        layers += [layer("add", inputs=[f"deep {index}", source if index else "-"]), layer("relu", name=f"block {index}")]
        source = f"block {index}"
    return layers + [layer("last_step"), layer("dense", units=3)]


def network(layers, **more):
    return {"layers": layers, "input": (4, 40, 1), "loss": "cross-entropy"} | more


NETWORKS = {
    "fcn": network(fcn(bias=True), built="fcn"),
    "fcn trained": network(fcn(bias=False), steps=[1, 100]),
    "resnet": network(resnet(bias=True), built="resnet"),
    "resnet trained": network(resnet(bias=False), steps=[1, 100]),
    "inception": network(inception(), built="inception", steps=[1, 100]),
    "time_cnn": network(time_cnn(), steps=[1, 100]),
    "tcn": network(tcn(), built="tcn", steps=[1, 100]),
}


def examples(folder):
    """Networks of the examples but those that the library builds itself. Of the lengths tried this one leaves every input of a ReLU
    further than 5e-6 from 0, where rounding would decide on a gradient."""
    listed = {}
    for path in sorted(folder.glob("*.json")):
        if path.stem in ("fcn", "inception", "resnet", "tcn", "timecnn"):
            continue
        layers = json.loads(path.read_text())["layers"]
        layers = [{key: 3 if value == "outputs" else value for key, value in settings.items()} for settings in layers]
        layers = [batch_norm() | settings if settings["type"] == "batch_norm" else settings for settings in layers]
        listed[path.name] = network(layers, input=(4, 44, 1), steps=[10])
    return listed


# ---- schedules: a rate, PyTorch's, and tapline's settings ----

SCHEDULES = {
    "StepLR": (0.5, lambda o: lr_scheduler.StepLR(o, 7, 0.3), {"kind": "step", "period": 7, "factor": 0.3}),
    "ExponentialLR": (0.5, lambda o: lr_scheduler.ExponentialLR(o, 0.9), {"kind": "exponential", "factor": 0.9}),
    "CosineAnnealingLR": (0.5, lambda o: lr_scheduler.CosineAnnealingLR(o, 50, 0.01), {"kind": "cosine", "minimum": 0.01}),
    "OneCycleLR": (0.5, lambda o: lr_scheduler.OneCycleLR(o, 0.5, 50, cycle_momentum=False), {"kind": "one-cycle"}),
}
