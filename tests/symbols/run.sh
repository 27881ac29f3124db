#!/bin/sh
# Checks what the libraries export, refer to and keep: see the messages.
#
# usage: run.sh NM WORK SANITIZED SHARED STATIC SHARED_F64 STATIC_F64    SANITIZED: 1 where the sanitizers add symbols
set -u
nm=$1 work=$2 sanitized=$3
shift 3
failed=0
rm -rf "$work"
mkdir -p "$work"

none() { # WHAT LINES
    [ -z "$2" ] && return
    printf '%s:\n%s\n' "$1" "$2"
    failed=1
}

# Output, exit and assertions: the library reports through tl_error only.
forbidden='printf|vprintf|puts|putchar|perror|stdout|stderr|exit|_exit|quick_exit|abort|__assert_fail|__(v)?printf_chk'

while [ $# -gt 0 ]; do
    shared=$1 static=$2
    shift 2
    "$nm" -D --defined-only "$shared" >"$work/exported.txt" || exit 1
    [ "$(grep -c ' T tl_' "$work/exported.txt")" -gt 50 ] || { echo "$shared exports next to nothing"; failed=1; }
    none "$shared exports more than tl_*" "$(grep -vE ' [A-Za-z] tl_[a-z0-9_]+$' "$work/exported.txt")"
    case $shared in
    *_f64*) none "$shared exports names without _f64" "$(grep -v '_f64$' "$work/exported.txt")" ;;
    *) none "$shared exports names with _f64" "$(grep '_f64$' "$work/exported.txt")" ;;
    esac
    none "$static refers to what a library must not call" "$("$nm" -A -u "$static" | grep -wE "U ($forbidden)$")"
    [ "$sanitized" = 1 ] && continue
    # openmp_threads: whether a fork has left the process without the threads of OpenMP; arrays_from: tl_set_allocator
    none "$static keeps mutable state" "$("$nm" -A -f sysv "$static" | awk -F'|' '$7 ~ /^\.t?(data|bss)$/ && $4 ~ /OBJECT|TLS/ && !/(parallel\.c\.o: ?openmp_threads|memory\.c\.o: ?arrays_from) /')"
    echo "$(basename "$shared"): $(wc -l <"$work/exported.txt") symbols"
done
exit $failed
