"""The networks in Keras, on whichever backend was chosen before this is imported."""

import keras
from keras import layers

from peers import batch


def convolve(x, filters, kernel, padding="same", **other):
    return layers.Conv1D(filters, kernel, padding=padding, **other)(x)


def normalise(x, relu=True):
    x = layers.BatchNormalization(momentum=0.99, epsilon=1e-3)(x)
    return layers.ReLU()(x) if relu else x


def join(a, b):
    return layers.ReLU()(layers.Add()([a, b]))


def fcn(x):
    for filters, kernel in ((128, 8), (256, 5), (128, 3)):
        x = normalise(convolve(x, filters, kernel))
    return layers.GlobalAveragePooling1D()(x)


def resnet(x):
    for filters in (64, 128, 128):
        h = normalise(convolve(x, filters, 8))
        h = normalise(convolve(h, filters, 5))
        h = normalise(convolve(h, filters, 3), relu=False)
        shortcut = x if x.shape[-1] == filters else convolve(x, filters, 1)
        x = join(h, normalise(shortcut, relu=False))
    return layers.GlobalAveragePooling1D()(x)


def inception(x):
    for _ in range(2):
        before = x
        for _ in range(3):
            narrow = convolve(x, 32, 1, use_bias=False) if x.shape[-1] > 1 else x
            branches = [convolve(narrow, 32, kernel, use_bias=False) for kernel in (40, 20, 10)]
            branches.append(convolve(layers.MaxPooling1D(3, 1, padding="same")(x), 32, 1, use_bias=False))
            x = normalise(layers.Concatenate()(branches))
        x = join(x, normalise(convolve(before, 128, 1, use_bias=False), relu=False))
    return layers.GlobalAveragePooling1D()(x)


def timecnn(x):
    for filters in (6, 12):
        x = layers.AveragePooling1D(3)(convolve(x, filters, 7, padding="valid", activation="sigmoid"))
    return layers.Flatten()(x)


def tcn(x):
    for i in range(8):
        h = x
        for _ in range(2):
            h = convolve(h, 25, 7, padding="causal", dilation_rate=2**i, activation="relu")
        x = join(h, x if i else convolve(x, 25, 1))
    return x[:, -1, :]


def build(case, batch=None):
    body = {"fcn": fcn, "resnet": resnet, "inception": inception, "timecnn": timecnn, "tcn": tcn}[case["model"].split("_")[0]]
    x = layers.Input((case["length"], case["channels"]), batch_size=batch)
    return keras.Model(x, layers.Dense(case["classes"])(body(x)))


def trained(model):
    return sum(int(v.value.size if hasattr(v.value, "size") else v.shape.num_elements()) for v in model.trainable_variables)


def network(case):
    model = build(case)
    model.compile(keras.optimizers.Adam(1e-3), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    x, labels = batch(case)
    return {
        "step": lambda: model.train_on_batch(x, labels),
        "infer": lambda: model.predict_on_batch(x),
        "parameters": trained(model),
    }
