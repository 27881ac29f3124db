"""Draws the loss of a training, epoch by epoch, into training_curve.png."""

import matplotlib.pyplot as plt
import numpy as np

from tapline import FCNClassifier

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 1, 50))
y = np.where(np.arange(60) % 2, "rising", "flat")
X[y == "rising", 0] += np.linspace(0, 2, 50)

classifier = FCNClassifier(n_epochs=60, early_stopping=True, validation_fraction=0.2, random_state=0).fit(X, y)

figure, axis = plt.subplots()
axis.plot(classifier.history_["loss"], label="training")
axis.plot(classifier.history_["validation_loss"], label="validation")
axis.set(xlabel="epoch", ylabel="loss", yscale="log")
axis.legend()
figure.savefig("training_curve.png")
