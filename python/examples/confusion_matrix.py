"""Trains on some series, predicts others, and draws what was taken for what into confusion_matrix.png."""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import ConfusionMatrixDisplay
from sklearn.model_selection import train_test_split

from tapline import LITETimeClassifier

rng = np.random.default_rng(0)
steps = np.linspace(0, 6 * np.pi, 80)
waves = {"sine": np.sin(steps), "square": np.sign(np.sin(steps)), "sawtooth": steps % (2 * np.pi) / np.pi - 1}
y = np.repeat(list(waves), 30)
X = np.array([waves[name] + rng.normal(size=80) for name in y])

X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
classifier = LITETimeClassifier(n_epochs=20, n_members=1, random_state=0).fit(X_train, y_train)

ConfusionMatrixDisplay.from_estimator(classifier, X_test, y_test)
plt.savefig("confusion_matrix.png")
