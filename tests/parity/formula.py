"""The numbers that both sides start from, a function of (array, element): tests/test_parity.c has the same."""

import math

import numpy
import torch

# The first array of each sort.
INPUT, TARGET, PARAMETERS, STATES, CLASS_WEIGHTS, SAMPLE_WEIGHTS = 0, 1, 2, 1000, 2000, 2001



def hashes(array, count):
    """32 bits for each element (the finaliser of MurmurHash3, by Appleby)."""
    h = numpy.arange(count, dtype=numpy.uint64) + numpy.uint64(array * 0x9E3779B9)
    h = h & 0xFFFFFFFF
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        h = ((h ^ (h >> numpy.uint64(shift))) * factor) & 0xFFFFFFFF
    return h ^ (h >> numpy.uint64(16))


def uniform(array, count):
    """Odd multiples of 2^-16 in (-1, 1): never 0, and exact in single precision."""
    return (2 * (hashes(array, count) >> numpy.uint64(16)).astype(numpy.float64) - 65535) / 65536


def below(array, count, limit):
    """Integers in 0 … limit - 1."""
    return (hashes(array, count) % limit).astype(numpy.int64)


def tensor(values, shape):
    return torch.from_numpy(values).reshape(shape).clone()


def initial(array, name, shape):
    """Weights in ± the power of two that is nearest to sqrt(3 / fan_in); vectors in ±1/4, around 1 what is a scale or a variance."""
    count = math.prod(shape)
    if len(shape) > 1:
        return tensor(uniform(array, count) * 2.0 ** round(math.log2(math.sqrt(3 / (count // shape[-1])))), shape)
    return tensor(uniform(array, count) / 4 + (name in ("scale", "variance")), shape)


def digest(flat):
    """What is written of a large array: root mean square, mean, first, middle and last element."""
    return numpy.array([math.sqrt((flat**2).mean()), flat.mean(), flat[0], flat[len(flat) // 2], flat[-1]])
