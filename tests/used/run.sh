#!/bin/sh
# Counts the public functions that no example and no ```c listing of the documents calls. They are in unused.txt, which may only become
# shorter: a new function needs an example, and a function that has got one leaves the list. Only functions that a header marks TL_ADVANCED
# may be there.
#
# usage: run.sh SOURCE NM LIBRARY WORK    LIBRARY: the shared library of single precision
set -eu
source=$1 nm=$2 library=$3 work=$4
list=$source/tests/used/unused.txt
failed=0
export LC_ALL=C
rm -rf "$work"
mkdir -p "$work"

# Programs call tl_NAME_sized by the inline function tl_NAME.
"$nm" -D --defined-only "$library" | awk '$2 == "T" { sub(/_sized$/, "", $3); print $3 }' | sort -u >"$work/public.txt"
[ "$(wc -l <"$work/public.txt")" -gt 200 ] || { echo "$library exports fewer functions than expected"; exit 1; }
{
    find "$source/README.md" "$source/docs" -name '*.md' -exec awk 'FNR == 1 { inside = 0 } /^```/ { inside = /^```c$/ } inside' {} +
    cat "$source"/examples/*.c
} | grep -oE '\btl_[a-z0-9_]+' | sort -u >"$work/called.txt"
comm -23 "$work/public.txt" "$work/called.txt" >"$work/unused.txt"
sort "$list" | cmp -s - "$list" || { echo "tests/used/unused.txt is not in order (LC_ALL=C sort)"; failed=1; }

comm -13 "$list" "$work/unused.txt" >"$work/new.txt"
while read -r name; do
    echo "$name: no example and no listing calls it; add one to examples/ or docs/"
    failed=1
done <"$work/new.txt"
comm -23 "$list" "$work/unused.txt" >"$work/old.txt"
while read -r name; do
    echo "$name: has an example now, or is gone; remove it from tests/used/unused.txt"
    failed=1
done <"$work/old.txt"
while read -r name; do
    if ! grep -qE "TL_ADVANCED .*\b$name(_sized)?\(" "$source"/include/tapline/*.h; then
        echo "$name: no header marks it TL_ADVANCED; it needs an example"
        failed=1
    fi
done <"$list"

echo "$(wc -l <"$list") of $(wc -l <"$work/public.txt") public functions have no example"
exit $failed
