"""Draws which steps of a series speak for its class (Zhou et al. 2016; Wang, Yan & Oates 2017), into class_activation.png.

A network that ends in a global average pool and a dense layer sums, for a class, what each step gives to it: the class activation map
is these parts of the sum before they are added.
"""

import matplotlib.pyplot as plt
import numpy as np

from tapline import FCNClassifier

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 100)).astype(np.float32)
y = np.arange(60) % 2
for series, label, place in zip(X, y, rng.integers(0, 80, size=60)):
    series[place : place + 20] += 3 * np.hanning(20) * (1 if label else -1)

classifier = FCNClassifier(n_epochs=40, normalize="none", random_state=0).fit(X, y)
model = classifier.models_[0]
layers = model.architecture["layers"]
pool = next(i for i, layer in enumerate(layers) if layer["type"] == "global_average_pool")

shown = np.flatnonzero(y == 1)[:3]
activations = model.layer_output(layers[pool - 1]["name"], X[shown])  # (series, steps, channels)
maps = activations @ model.parameters()["dense_1.weight"][:, 1]

figure, axes = plt.subplots(len(shown), sharex=True)
for axis, series, strength in zip(axes, X[shown], maps):
    axis.plot(series, color="black", linewidth=0.8)
    axis.imshow(strength[np.newaxis], aspect="auto", cmap="Reds", extent=(0, 100, *axis.get_ylim()))
axes[-1].set(xlabel="step")
figure.savefig("class_activation.png")
