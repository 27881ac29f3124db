#!/bin/sh
# Runs a check with a Python that has the packages it needs; exit code 77 (skipped) where it has not.
#
# usage: run.sh SCRIPT COMMAND    COMMAND: path of tapline. TAPLINE_PYTHON names the Python (python3).
set -eu
exec "${TAPLINE_PYTHON:-python3}" -B "$(dirname "$0")/$1" "$2"
