"""Keras on JAX, as its users call it: train_on_batch of a compiled model. Its convolutions alone are JAX's."""

from peers import jax
from worker import Skip

start = jax.start


def version():
    import keras

    return f"Keras {keras.__version__} on {jax.version()}"


def convolution(shape, precision):
    raise Skip("its convolutions are those of jax")


def network(case):
    from peers import keras_networks

    return keras_networks.network(case)
