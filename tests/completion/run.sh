#!/bin/sh
# Sources the completion script of each shell that is installed, and compares what it completes.
#
# usage: run.sh COMMAND WORK    COMMAND: the path of tapline
set -eu
command=$1 work=$2
here=$PWD/completion
rm -rf "$work"
mkdir -p "$work/bin" "$work/files/folder"
ln -s "$command" "$work/bin/tapline"
touch "$work/files/my data.csv" "$work/files/network.json"
export PATH="$work/bin:$PATH" LC_ALL=C.UTF-8
cd "$work/files"

# Every candidate for an option is one of the help, and every option of the help a candidate.
tapline help | sed -n 's/^  tapline \([a-z]*\( [a-z]*\)\{0,1\}\)  *[A-Z].*/\1/p' >"$work/names.txt"
while read -r name; do
    # shellcheck disable=SC2086 # one or two words
    tapline help $name | sed -n 's/^  \(-[a-z], \)\{0,1\}\(--[a-z0-9-]*\).*/\2/p' >"$work/listed.txt"
    # shellcheck disable=SC2086
    tapline help --complete=-- -- $name | sed 's/	.*//' >"$work/completed.txt"
    diff "$work/listed.txt" "$work/completed.txt" || { echo "tapline $name: other options are completed (>) than listed (<)"; exit 1; }
done <"$work/names.txt"

# The generated sets are those that the library knows.
tapline train builtin:nothing 2>&1 | grep -oE 'builtin:[a-z-]+' | grep -v nothing | sort -u >"$work/sets.txt"
tapline help --complete=builtin: -- train | sed -n '/\//!s/	.*//p' | sort >"$work/offered.txt"
cmp "$work/sets.txt" "$work/offered.txt"

failed=0
for shell in bash fish zsh; do
    if ! command -v "$shell" >/dev/null; then
        echo "$shell is not installed: its completion was not tried"
        continue
    fi
    "$shell" "$here/try.$shell" >"$work/$shell.txt" 2>&1 || { echo "$shell: failed"; failed=1; }
    diff "$here/expected.txt" "$work/$shell.txt" || { echo "$shell completes otherwise than expected (<)"; failed=1; }
done
exit $failed
