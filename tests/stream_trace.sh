#!/bin/sh
# Runs test_stream_push under strace, and fails with the system calls between its two calls of getppid, where there are any.
#
# usage: stream_trace.sh STRACE PROGRAM
set -eu
strace=$1 program=$2
"$strace" -f -o "$program.trace" true 2>/dev/null || { echo "strace may not trace here"; exit 77; }
OPENBLAS_NUM_THREADS=1 "$strace" -f -o "$program.trace" "$program" trace # whose own threads would be traced, too
awk '/getppid\(\)/ { inside = !inside; marks++; next } inside { print; found++ } END { exit found > 0 || marks != 2 }' "$program.trace"
