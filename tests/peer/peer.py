"""Functions that the checks with other programs share."""

import csv
import importlib
import io
import json
import pathlib
import subprocess
import sys

SKIPPED = 77
sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "parity"))


def require(*names):
    """Imports modules. If one is not installed, the check is skipped."""
    try:
        return [importlib.import_module(name) for name in names]
    except ModuleNotFoundError as missing:
        print(f"skipped: {missing}")
        sys.exit(SKIPPED)


def run(*arguments):
    """Runs the command and returns its output."""
    done = subprocess.run([sys.argv[1], *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, f"{arguments}: exit code {done.returncode}: {done.stderr}"
    return done.stdout


def run_json(*arguments):
    return json.loads(run(*arguments, "--json").splitlines()[-1])


def predictions(model, data):
    """Returns the numbers of `tapline predict` for each series, without the columns series, step, class, label and target."""
    head, *rows = csv.reader(io.StringIO(run("predict", model, data)))
    known = [name in ("series", "step", "class", "label") or name.startswith("target") for name in head]
    return [[float(value) for value, skipped in zip(row, known) if not skipped] for row in rows]
