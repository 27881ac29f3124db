"""Compares classifiers of fixed convolutions by their leave-one-out accuracy, which needs no test set, in leave_one_out.png."""

import matplotlib.pyplot as plt
import numpy as np

import tapline

rng = np.random.default_rng(0)
X = rng.normal(size=(240, 100))
y = np.arange(240) % 3
for series, label, place in zip(X, y, rng.integers(0, 70, size=240)):
    series[place : place + 30] += 1.5 * np.sin(np.linspace(0, (label + 1) * np.pi, 30))

names = ["MiniRocketClassifier", "MultiRocketClassifier", "HydraClassifier", "MultiRocketHydraClassifier"]
fitted = [getattr(tapline, name)(random_state=0).fit(X[:60], y[:60]) for name in names]

place = np.arange(len(names))
figure, axis = plt.subplots()
axis.bar(place - 0.2, [classifier.leave_one_out_accuracy_ for classifier in fitted], 0.4, label="60 series, left out one by one")
axis.bar(place + 0.2, [classifier.score(X[60:], y[60:]) for classifier in fitted], 0.4, label="180 other series")
axis.set(ylabel="accuracy", ylim=(0, 1))
axis.set_xticks(place, [name.removesuffix("Classifier") for name in names])
axis.legend(loc="lower right")
figure.savefig("leave_one_out.png")
