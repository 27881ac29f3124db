#!/usr/bin/env python3
"""Converts a model of tapline with the converter of TensorFlow Lite, and prints accuracy and size of the result as JSON.

usage: tensorflow_lite.py MODEL.safetensors TRAIN.ts TEST.ts    (needs the Python packages tensorflow and numpy)

The network is built in Keras with the weights of the model. The converter quantizes it to 8-bit integers (weights for each filter,
activations for each tensor), with the training series as the representative data set. The interpreter of TensorFlow Lite evaluates it.
"float_accuracy" is that of the network in Keras, which must be that of the model in tapline. "bytes" is the size of the .tflite file.
"""

import json
import os
import struct
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow as tf

TYPES = {"F32": np.float32, "F64": np.float64}


def read_model(path):
    """Returns the texts and the arrays of a model file."""
    with open(path, "rb") as file:
        content = file.read()
    length = struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8 : 8 + length])
    texts = header.pop("__metadata__")
    arrays = {}
    for name, entry in header.items():
        first, end = (8 + length + offset for offset in entry["data_offsets"])
        arrays[name] = np.frombuffer(content[first:end], TYPES[entry["dtype"]]).reshape(entry["shape"]).astype(np.float32)
    return texts, arrays


def read_series(path, classes):
    """Reads a .ts file: (series, length, channels), each channel scaled to mean 0 and deviation 1, and the indices of the classes."""
    with open(path) as file:
        lines = [line.strip() for line in file if line.strip() and line[0] not in "#@"]
    x = np.array([[[float(v) for v in channel.split(",")] for channel in line.split(":")[:-1]] for line in lines])
    labels = np.array([classes.index(line.split(":")[-1]) for line in lines])
    deviation = x.std(axis=2, keepdims=True)
    x = (x - x.mean(axis=2, keepdims=True)) / np.where(deviation > 0, deviation, 1)
    return np.ascontiguousarray(x.transpose(0, 2, 1), np.float32), labels


def fixed_filter(index):
    """The taps of a filter of LITE: six increasing trends, six decreasing ones, five peaks (Ismail-Fawaz et al. 2022)."""
    if index < 12:
        taps = np.array([-1.0 if j % 2 == 0 else 1.0 for j in range(2 << index % 6)])
        return taps if index < 6 else -taps
    sixth = 1 << (index - 12)
    rise = [(j + 1) ** 2 / sixth**2 if j < sixth else (2 * sixth - j) ** 2 / sixth**2 for j in range(2 * sixth)]
    return np.array([-v for v in rise] + [2 * v for v in rise] + [-v for v in rise])


def fixed_weights(channels):
    weight = np.zeros((96, channels, 17), np.float32)
    for index in range(17):
        taps = fixed_filter(index)
        first = 95 // 2 - (len(taps) - 1) // 2
        weight[first : first + len(taps), :, index] = taps[:, None]
    return weight


def layer_of(layer, arrays, x):
    """Returns the output of a layer, and the function that sets its weights; None: it has none."""
    kind, name = layer["type"], layer["name"]
    keras = tf.keras.layers
    padding = layer.get("padding", "valid")
    bias = f"{name}.bias" in arrays
    if kind == "conv1d" and layer.get("groups", 1) > 1:
        made = keras.DepthwiseConv1D(layer["kernel"], padding=padding, dilation_rate=layer.get("dilation", 1), use_bias=bias, name=name)
        weight = arrays[f"{name}.weight"].transpose(0, 2, 1)
    elif kind == "conv1d":
        made = keras.Conv1D(layer["filters"], layer["kernel"], padding=padding, strides=layer.get("stride", 1),
                            dilation_rate=layer.get("dilation", 1), use_bias=bias, name=name)
        weight = arrays[f"{name}.weight"]
    elif kind == "fixed_filters":
        made, bias, weight = keras.Conv1D(17, 96, padding="same", use_bias=False, name=name), False, fixed_weights(x[0].shape[-1])
    elif kind == "dense":
        made, weight = keras.Dense(layer["units"], use_bias=bias, name=name), arrays[f"{name}.weight"]
    elif kind == "batch_norm":
        made = keras.BatchNormalization(epsilon=layer["epsilon"], name=name)
        values = [arrays[f"{name}.{key}"] for key in ("scale", "shift", "mean", "variance")]
        return made(x[0]), lambda: made.set_weights(values)
    else:
        simple = {"relu": keras.ReLU, "sigmoid": lambda: keras.Activation("sigmoid"), "concat": keras.Concatenate,
                  "flatten": keras.Flatten, "global_average_pool": keras.GlobalAveragePooling1D,
                  "average_pool": lambda: keras.AveragePooling1D(layer["window"])}
        return simple[kind]()(x if kind == "concat" else x[0]), None
    values = [weight] + ([arrays[f"{name}.bias"]] if bias else [])
    return made(x[0]), lambda: made.set_weights(values)


def build(texts, arrays, batch):
    """Returns the network in Keras for series in batches of this size; None: of any size."""
    network = json.loads(texts["architecture"])
    shape = network["input"]
    outputs = {"input": tf.keras.Input((shape["length"], shape["channels"]), batch_size=batch)}
    setters = []
    for layer in network["layers"]:
        outputs[layer["name"]], setter = layer_of(layer, arrays, [outputs[name] for name in layer["inputs"]])
        setters += [setter] if setter else []
    model = tf.keras.Model(outputs["input"], outputs[network["output"]])
    for setter in setters:
        setter()
    return model


def convert(model, series):
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([one[None]] for one in series)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    return converter.convert()


def predict(content, series):
    """Returns the class of each series."""
    interpreter = tf.lite.Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    first, last = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    classes = []
    for one in series:
        interpreter.set_tensor(first, one[None])
        interpreter.invoke()
        classes.append(int(interpreter.get_tensor(last).argmax()))
    return np.array(classes)


def main():
    texts, arrays = read_model(sys.argv[1])
    classes = json.loads(texts["classes"])
    train, _ = read_series(sys.argv[2], classes)
    test, labels = read_series(sys.argv[3], classes)
    floats = build(texts, arrays, None)(test, training=False).numpy().argmax(axis=1)
    content = convert(build(texts, arrays, 1), train)
    found = predict(content, test)
    print(json.dumps({"float_accuracy": float((floats == labels).mean()), "accuracy": float((found == labels).mean()),
                      "bytes": len(content)}))


if __name__ == "__main__":
    main()
