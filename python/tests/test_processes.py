"""What happens around a process: imports, forks, Ctrl-C, memory. Each runs in a process of its own."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import time

import pytest

SETUP = """
import os, sys, time
import numpy as np
rng = np.random.default_rng(0)
X = rng.normal(size=(64, 1, 200))
y = np.arange(64) % 3
"""


def run(program: str, timeout: float = 300) -> str:
    """What the program prints. The time limit is long, since the machine may have much other work."""
    done = subprocess.run(
        [sys.executable, "-c", SETUP + textwrap.dedent(program)], capture_output=True, text=True, timeout=timeout
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_given_numpy_alone_when_imported_then_nothing_else_is_loaded() -> None:
    loaded = run(
        """
        before = set(sys.modules)
        import tapline
        print(sorted({name.partition(".")[0] for name in set(sys.modules) - before} & {"sklearn", "scipy", "aeon", "tqdm", "pandas"}))
        """
    )
    assert loaded.strip() == "[]"


def test_given_no_scikit_learn_when_an_estimator_is_asked_for_then_the_cure_is_named() -> None:
    said = run(
        """
        sys.modules["sklearn"] = None
        import tapline
        try:
            tapline.FCNClassifier
        except ImportError as error:
            print(error)
        """
    )
    assert "pip install tapline[sklearn]" in said


def test_given_threads_when_forked_then_the_child_predicts_within_five_seconds() -> None:
    pytest.importorskip("sklearn")
    took = run(
        """
        import multiprocessing, tapline
        classifier = tapline.FCNClassifier(n_epochs=1, n_jobs=2, random_state=0).fit(X, y)
        expected = classifier.predict_proba(X)
        def job():
            sys.exit(0 if np.array_equal(classifier.predict_proba(X), expected) else 1)
        child = multiprocessing.get_context("fork").Process(target=job)
        begin = time.monotonic()
        child.start()
        child.join(20)
        print(child.exitcode, time.monotonic() - begin)
        if child.is_alive():
            child.kill()
        """
    )
    code, seconds = took.split()
    assert code == "0" and float(seconds) < 5


def test_given_ctrl_c_when_training_then_it_stops_and_the_model_predicts() -> None:
    pytest.importorskip("sklearn")
    program = """
    import signal
    import tapline
    signal.signal(signal.SIGINT, signal.default_int_handler)  # it may be ignored, as in scripts in the background
    classifier = tapline.FCNClassifier(n_epochs=10**6, random_state=0)
    print("begin", flush=True)
    classifier.fit(X, y)
    print(time.monotonic())
    print(classifier.n_iter_ < 10**6, classifier.predict(X).shape)
    """
    child = subprocess.Popen(
        [sys.executable, "-c", SETUP + textwrap.dedent(program)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "begin\n"
    time.sleep(1)
    begin = time.monotonic()
    child.send_signal(signal.SIGINT)
    try:
        out, err = child.communicate(timeout=30)
    finally:
        child.kill()
    ended, predicted = out.splitlines()
    assert predicted == "True (64,)", err
    assert "the training was interrupted" in err
    assert float(ended) - begin < 1


def test_given_a_thousand_trainings_when_they_are_deleted_then_memory_stays() -> None:
    pytest.importorskip("sklearn")
    grown = run(
        """
        import resource, tapline
        tiny = {"layers": [{"type": "conv1d", "filters": 4, "kernel": 3}, {"type": "global_average_pool"}, {"type": "dense", "units": "outputs"}]}
        def once():
            tapline.NetworkClassifier(tiny, n_epochs=1, random_state=0).fit(X[:8, :, :30], y[:8]).predict(X[:8, :, :30])
        def kilobytes():
            return int(next(line for line in open("/proc/self/status") if line.startswith("VmRSS")).split()[1])
        for _ in range(100):
            once()
        before = kilobytes()
        for _ in range(1000):
            once()
        print(kilobytes() - before)
        """
    )
    assert int(grown) < 1024


def test_given_members_when_fitted_then_only_one_has_the_memory_of_the_training() -> None:
    pytest.importorskip("sklearn")
    added, training = map(float, run(
        """
        import resource, tapline
        layer = {"type": "conv1d", "filters": 32, "kernel": 1}
        wide = {"layers": [layer, layer, layer, {"type": "global_average_pool"}, {"type": "dense", "units": "outputs"}]}
        def peak_after(members):
            classifier = tapline.NetworkClassifier(wide, n_epochs=1, batch_size=64, n_members=members, random_state=0)
            return classifier.fit(np.tile(X, 10), y), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        first, before = peak_after(1)
        several, after = peak_after(4)
        print(after - before, first.models_[0].copy(batch=64, inference_only=False).memory / 2**20)
        """
    ).split())  # fmt: skip
    assert added < training  # three more trainings at the same time would add three times as much


def test_given_numpy_when_imported_then_at_most_fifty_milliseconds_more() -> None:
    """Of the processor's time, which other programs of the machine do not lengthen."""
    times = [float(run("begin = time.process_time(); import tapline; print(time.process_time() - begin)")) for _ in range(3)]
    assert min(times) < 0.05
