#!/bin/sh
# Compiles program.c with the headers that were kept, and runs it with the library of today.
#
# usage: run.sh CC FLAGS HEADERS LIBRARY WORK    HEADERS: the folder that holds tapline/; LIBRARY: the shared one
set -eu
cc=$1 flags=$2 headers=$3 library=$4 work=$5
definition=
case $library in *_f64.so*) definition=-DTAPLINE_F64 ;; esac
rm -rf "$work"
mkdir -p "$work"
# shellcheck disable=SC2086 # lists of words
"$cc" -std=c11 -D_GNU_SOURCE $flags $definition -I "$headers" program.c "$library" "-Wl,-rpath,$(dirname "$library")" -o "$work/program"
# shellcheck disable=SC2086
${EMULATOR:-} "$work/program" "$work/model.safetensors"
