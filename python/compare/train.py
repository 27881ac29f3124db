"""Trains one network of one package on GunPoint for 100 epochs, and prints accuracy, seconds and megabytes of the whole process.

usage: train.py tapline|aeon FCN|InceptionTime FOLDER SEED
"""

import resource
import sys
import time

import numpy as np

begin = time.perf_counter()
package, network, folder, seed = sys.argv[1:]


def read(path):
    """Series (count, 1, length) and their classes, of a .ts file of one channel."""
    lines = [line.strip() for line in open(path) if line.strip() and line[0] not in "#@"]
    values, classes = zip(*(line.rsplit(":", 1) for line in lines))
    return np.array([[[float(v) for v in row.split(",")]] for row in values]), np.array(classes)


X, y = read(f"{folder}/GunPoint_TRAIN.ts")
X_test, y_test = read(f"{folder}/GunPoint_TEST.ts")
if package == "tapline":
    import tapline

    classifier = getattr(tapline, network + "Classifier")(n_epochs=100, random_state=int(seed), n_jobs=-1)
else:
    from aeon.classification import deep_learning

    classifier = getattr(deep_learning, network + "Classifier")(n_epochs=100, random_state=int(seed))
accuracy = np.mean(classifier.fit(X, y).predict(X_test) == y_test)
seconds = time.perf_counter() - begin
megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(f"{package} {network} seed {seed}: accuracy {accuracy:.4f}, {seconds:.1f} s, {megabytes:.0f} MB", flush=True)
