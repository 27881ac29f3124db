"""Reads the data of the comparisons."""

import numpy as np


def read(path):
    """Series (count, 1, length) and their classes, of a .ts file of one channel."""
    lines = [line.strip() for line in open(path) if line.strip() and line[0] not in "#@"]
    values, classes = zip(*(line.rsplit(":", 1) for line in lines))
    return np.array([[[float(v) for v in row.split(",")]] for row in values]), np.array(classes)
