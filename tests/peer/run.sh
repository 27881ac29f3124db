#!/bin/sh
# Runs a check with the Python that TAPLINE_PYTHON names (python3). The exit code is 77 (skipped) if it lacks a package.
#
# usage: run.sh SCRIPT PROGRAM…    PROGRAM: path of tapline, or of the program that the script names
set -eu
script=$(dirname "$0")/$1
shift
exec "${TAPLINE_PYTHON:-python3}" -B "$script" "$@"
