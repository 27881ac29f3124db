"""Compares the time of `fit` with that of `tapline train` from the same build: the same network, data, seed and thread.

They run in turn; the processor's time is compared, since it depends less on other programs than the time of a clock. The command's
time includes its start and the reading of the data.

usage: fit.py COMMAND FOLDER [EPOCHS] [ROUNDS]    COMMAND: the program; FOLDER: that of GunPoint; EPOCHS: 60; ROUNDS: 5
"""

import os
import subprocess
import sys
import time

from gunpoint import read

import tapline

command, folder = sys.argv[1:3]
epochs = int(sys.argv[3]) if len(sys.argv) > 3 else 60
rounds = int(sys.argv[4]) if len(sys.argv) > 4 else 5
X, y = read(f"{folder}/GunPoint_TRAIN.ts")
classifier = tapline.FCNClassifier(n_epochs=epochs, random_state=0)


def of_python():
    begin = time.process_time()
    classifier.fit(X, y)
    return time.process_time() - begin


def of_command():
    begin = os.times()
    options = ["--arch", "fcn", "--epochs", str(epochs), "--threads", "1", "--quiet"]
    subprocess.run([command, "train", f"{folder}/GunPoint_TRAIN.ts", *options], check=True, stdout=subprocess.DEVNULL)
    end = os.times()
    return end.children_user + end.children_system - begin.children_user - begin.children_system


times = [(of_python(), of_command()) for _ in range(rounds)]
python, own = (min(column) for column in zip(*times))
print(f"fit {python:.2f} s, tapline train {own:.2f} s: ratio {python / own:.3f}")
