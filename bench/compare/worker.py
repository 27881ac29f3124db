"""One peer, alive for the whole comparison: reads a request a line on stdin, answers with a line on stdout, both JSON.

usage: worker.py PEER THREADS          PEER: a module of the folder peers

{"do": "conv", "shape": {…}, "precision": "f32", "seconds": 0.2}   times forward, and forward and backward, of one convolution
{"do": "step", "case": {…}, "seconds": 0.2}                        times a training step and inference of one network
A subject is prepared at its first request and kept until another one is asked for. An answer holds, for each thing that was
timed, its samples in milliseconds as {"best", "median", "count"}, or "skip" with the reason why this peer does not do it.
"""

import importlib
import json
import os
import sys
import time


class Skip(Exception):
    """What a peer raises for what it does not do."""


def measure(work, seconds):
    """Calls `work` once to warm up, and then until the seconds are spent, at least once."""
    work()
    samples, end = [], time.perf_counter() + seconds
    while not samples or time.perf_counter() < end:
        start = time.perf_counter()
        work()
        samples.append(1e3 * (time.perf_counter() - start))
    samples.sort()
    return {"best": samples[0], "median": samples[len(samples) // 2], "count": len(samples)}


class Worker:
    def __init__(self, peer, threads):
        self.peer, self.threads = peer, threads
        self.key, self.subject = None, None

    def prepare(self, request):
        key = json.dumps([request.get(k) for k in ("do", "shape", "case", "precision")])
        if key == self.key:
            return
        self.key, self.subject = None, None
        if request["do"] == "conv":
            self.subject = self.peer.convolution(request["shape"], request["precision"])
        else:
            self.subject = self.peer.network(request["case"])
        self.key = key

    def answer(self, request):
        try:
            self.prepare(request)
            timed = {name: measure(work, request["seconds"]) for name, work in self.subject.items() if callable(work)}
        except Skip as reason:
            return {"skip": str(reason)}
        except Exception as error:  # what frameworks raise where they lack something is of many types
            self.key = None
            return {"skip": " ".join(str(error).split())[:300], "unexpected": True}
        return timed | {name: value for name, value in self.subject.items() if not callable(value)}


def main():
    # Frameworks write to stdout as they please: answers go to the real one, everything else to stderr.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    name, threads = sys.argv[1], int(sys.argv[2])
    sys.modules.setdefault("worker", sys.modules["__main__"])
    peer = importlib.import_module("peers." + name)
    peer.start(threads)
    print(json.dumps({"peer": name, "version": peer.version()}), file=answers, flush=True)
    worker = Worker(peer, threads)
    for line in sys.stdin:
        print(json.dumps(worker.answer(json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    main()
