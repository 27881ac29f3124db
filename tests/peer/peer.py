"""What the checks with other programs share."""

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
    """The modules of that name; ends the check where one is not installed."""
    try:
        return [importlib.import_module(name) for name in names]
    except ModuleNotFoundError as missing:
        print(f"skipped: {missing}")
        sys.exit(SKIPPED)


def run(*arguments):
    """What the command prints."""
    done = subprocess.run([sys.argv[1], *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, f"{arguments}: exit code {done.returncode}: {done.stderr}"
    return done.stdout


def run_json(*arguments):
    return json.loads(run(*arguments, "--json").splitlines()[-1])


def predictions(model, data):
    """The numbers of `tapline predict`, without the class in front of probabilities and what the data says the series are."""
    head, *rows = csv.reader(io.StringIO(run("predict", model, data)))
    known = [name in ("class", "label") or name.startswith("target") for name in head]
    return [[float(value) for value, skipped in zip(row, known) if not skipped] for row in rows]
