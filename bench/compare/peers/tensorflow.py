"""TensorFlow: tf.function, channels last. Its networks are Keras's on this backend."""

import os


def start(threads):
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["KERAS_BACKEND"] = "tensorflow"
    import tensorflow

    tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
    tensorflow.config.threading.set_inter_op_parallelism_threads(1)


def version():
    import tensorflow

    return "TensorFlow " + tensorflow.__version__


def convolution(shape, precision):
    import tensorflow as tf
    from peers import arrays, padding

    kind = tf.float32 if precision == "f32" else tf.float64
    x, weight, bias = (tf.constant(a, kind) for a in arrays(shape))
    pads = padding(shape)
    same = shape["padding"] == "same"

    def run(x, weight, bias):
        if not same and any(pads):
            x = tf.pad(x, [[0, 0], pads, [0, 0]])
        return tf.nn.conv1d(x, weight, shape["stride"], "SAME" if same else "VALID", dilations=shape["dilation"]) + bias

    forward = tf.function(run)
    gradient = tf.random.normal(forward(x, weight, bias).shape, dtype=kind)

    @tf.function
    def both(gradient, *inputs):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            y = run(*inputs)
        return y, tape.gradient(y, inputs, gradient)  # y too: what is not asked for is not computed

    return {"forward": lambda: forward(x, weight, bias), "all": lambda: both(gradient, x, weight, bias)}


def network(case):
    from peers import keras_networks

    return keras_networks.network(case)
