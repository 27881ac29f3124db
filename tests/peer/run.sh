#!/bin/sh
# Runs a check with a Python that has the packages it needs; exit code 77 (skipped) where it has not.
#
# usage: run.sh SCRIPT PROGRAM…    PROGRAM: path of tapline, or of what the script says. TAPLINE_PYTHON names the Python (python3).
set -eu
script=$(dirname "$0")/$1
shift
exec "${TAPLINE_PYTHON:-python3}" -B "$script" "$@"
