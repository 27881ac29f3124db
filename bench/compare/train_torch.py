"""A whole training as a user of PyTorch would write it: from the start of the process to a trained and tested FCN.

usage: train_torch.py TRAIN.ts TEST.ts EPOCHS SEED THREADS

The defaults are those of `tapline train`: Adam, batches of a tenth of the series but at most 16, the learning rate halved after 50 epochs without a
lower training loss, down to 0.0001, and in the end the parameters of the epoch with the lowest training loss. Prints the test accuracy.
"""

import copy
import sys

import torch
from torch.nn import functional

from peers.torch import fcn, start


def read(path):
    """Series of one length and one channel, each scaled to mean 0 and deviation 1: (series, 1, length); their labels as text."""
    with open(path, encoding="utf-8") as file:
        lines = [line.strip() for line in file if line.strip() and line[0] not in "@#"]
    x = torch.tensor([[float(value) for value in line.split(":")[0].split(",")] for line in lines])
    x = (x - x.mean(1, keepdim=True)) / x.std(1, unbiased=False, keepdim=True)
    return x.unsqueeze(1), [line.split(":")[1] for line in lines]


def train(model, x, labels, epochs):
    batch = max(1, min(len(x) // 10, 16))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=50, min_lr=1e-4, threshold=0)
    lowest, best = float("inf"), None
    for _ in range(epochs):
        total = 0.0
        for part in torch.randperm(len(x)).split(batch):
            optimizer.zero_grad(set_to_none=True)
            loss = functional.cross_entropy(model(x[part]), labels[part])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(part)
        if total < lowest:
            lowest, best = total, copy.deepcopy(model.state_dict())
        schedule.step(total)
    model.load_state_dict(best)


def main():
    (train_path, test_path), (epochs, seed, threads) = sys.argv[1:3], map(int, sys.argv[3:])
    start(threads)
    torch.manual_seed(seed)
    (x, names), (test_x, test_names) = read(train_path), read(test_path)
    classes = sorted(set(names))
    labels, test_labels = (torch.tensor([classes.index(name) for name in part]) for part in (names, test_names))
    model = fcn({"channels": 1, "classes": len(classes)})
    train(model, x, labels, epochs)
    model.eval()
    with torch.inference_mode():
        print((model(test_x).argmax(1) == test_labels).float().mean().item())


main()
