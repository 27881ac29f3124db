"""Imports networks of Keras that tf2onnx wrote: predictions are equal.

usage: onnx_keras.py PREDICT    the program of onnx_predict.c
"""

import os
import pathlib
import subprocess
import sys
import tempfile

from peer import require

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
numpy, tensorflow, tf2onnx = require("numpy", "tensorflow", "tf2onnx")
layers, models = tensorflow.keras.layers, tensorflow.keras.models
LIMIT, SERIES, LENGTH, CHANNELS = 1e-5, 6, 64, 3


def block(x, filters, kernel):
    return layers.ReLU()(layers.BatchNormalization()(layers.Conv1D(filters, kernel, padding="same")(x)))


def fcn(x):
    """Wang, Yan & Oates 2017."""
    x = block(block(block(x, 128, 8), 256, 5), 128, 3)
    return layers.Dense(4, activation="softmax")(layers.GlobalAveragePooling1D()(x))


def resnet(x):
    """Wang, Yan & Oates 2017."""
    for filters in (64, 128, 128):
        h = layers.BatchNormalization()(layers.Conv1D(filters, 3, padding="same")(block(block(x, filters, 8), filters, 5)))
        shortcut = layers.BatchNormalization()(layers.Conv1D(filters, 1)(x) if x.shape[-1] != filters else x)
        x = layers.ReLU()(layers.Add()([h, shortcut]))
    return layers.Dense(4, activation="softmax")(layers.GlobalAveragePooling1D()(x))


def causal(x):
    """keras-tcn: dilated causal convolutions, and the last step."""
    for dilation in (1, 2, 4, 8):
        h = layers.Activation("relu")(layers.Conv1D(16, 3, padding="causal", dilation_rate=dilation)(x))
        x = layers.Add()([h, x if x.shape[-1] == 16 else layers.Conv1D(16, 1, padding="same")(x)])
    return layers.Dense(2)(x[:, -1, :])


def flat(x):
    """Time-CNN (Zhao et al. 2017)."""
    x = layers.AveragePooling1D(3)(layers.Conv1D(6, 7, activation="sigmoid")(x))
    x = layers.AveragePooling1D(3)(layers.Conv1D(12, 7, activation="sigmoid")(x))
    return layers.Dense(3, activation="sigmoid")(layers.Flatten()(x))


def steps(x):
    """An output for each step, from dense layers; strides and upsampling."""
    h = layers.Conv1D(8, 5, strides=2, padding="same", activation="elu")(x)
    h = layers.UpSampling1D(2)(layers.SeparableConv1D(12, 3, padding="same", activation="swish")(h))
    h = layers.Concatenate()([h, layers.MaxPooling1D(3, 1, padding="same")(x)])
    return layers.Dense(2)(layers.Dropout(0.3)(layers.Dense(7, activation="tanh")(h)))


def predict(path, x):
    with tempfile.TemporaryDirectory() as folder:
        series, out = pathlib.Path(folder) / "x", pathlib.Path(folder) / "y"
        series.write_bytes(x.tobytes())
        done = subprocess.run([sys.argv[1], path, series, *map(str, x.shape), out], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        _, count, outputs = map(int, done.stdout.split())
        return numpy.fromfile(out, "float32").reshape(len(x), count, outputs)


def check(build, opset, folder):
    tensorflow.keras.utils.set_random_seed(1)
    x = layers.Input((LENGTH, CHANNELS), name="series")
    model = models.Model(x, build(x))
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            shape = layer.get_weights()[0].shape
            layer.set_weights([numpy.random.uniform(0.5, 1.5, shape) for _ in range(4)])
    path = pathlib.Path(folder) / "net.onnx"
    function = tensorflow.function(lambda series: model(series, training=False))
    signature = [tensorflow.TensorSpec((None, LENGTH, CHANNELS), tensorflow.float32, name="series")]
    tf2onnx.convert.from_function(function, input_signature=signature, opset=opset, output_path=str(path))
    series = numpy.random.default_rng(1).normal(size=(SERIES, LENGTH, CHANNELS)).astype("float32")
    expected = model(series, training=False).numpy()
    found = predict(path, series)
    found = found.reshape(expected.shape)
    off = abs(found - expected).max() / abs(expected).max()
    assert off <= LIMIT, f"off by {off:.3g}"
    print(f"Keras {build.__name__}, tf2onnx, operator set {opset}: largest difference {off:.2g} of the largest output")


failed = 0
with tempfile.TemporaryDirectory() as folder:
    for build in (fcn, resnet, causal, flat, steps):
        for opset in (13, 17):
            try:
                check(build, opset, folder)
            except Exception as wrong:
                failed += 1
                print(f"FAILED Keras {build.__name__}, {opset}: {str(wrong)[:500]}")
sys.exit(failed > 0)
