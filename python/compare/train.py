"""Trains one network of one package on GunPoint and prints accuracy, seconds, seconds of processors and megabytes of the process.

usage: train.py tapline|aeon FCN|InceptionTime FOLDER SEED EPOCHS
"""

import resource
import sys
import time

import numpy as np
from gunpoint import read

begin = time.perf_counter()
package, network, folder, seed, epochs = sys.argv[1:]

X, y = read(f"{folder}/GunPoint_TRAIN.ts")
X_test, y_test = read(f"{folder}/GunPoint_TEST.ts")
if package == "tapline":
    import tapline

    classifier = getattr(tapline, network + "Classifier")(n_epochs=int(epochs), random_state=int(seed), n_jobs=-1)
else:
    from aeon.classification import deep_learning

    classifier = getattr(deep_learning, network + "Classifier")(n_epochs=int(epochs), random_state=int(seed))
accuracy = np.mean(classifier.fit(X, y).predict(X_test) == y_test)
seconds = time.perf_counter() - begin
usage = resource.getrusage(resource.RUSAGE_SELF)
busy, megabytes = usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
print(f"{package} {network} {epochs} epochs seed {seed}: accuracy {accuracy:.4f}, {seconds:.1f} s, {busy:.1f} s of processors, {megabytes:.0f} MB", flush=True)
