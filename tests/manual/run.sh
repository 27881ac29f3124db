#!/bin/sh
# Checks the manual pages: each command has one with all of its options, each public header is in tapline(3), each text of a file is in
# tapline-files(5), references lead somewhere, and, where it is installed, mandoc finds nothing to complain about.
#
# usage: run.sh SOURCE PAGES WORK COMMAND…    PAGES: what cmake/pages.cmake wrote
set -eu
source=$1 pages=$2 work=$3
shift 3
failed=0
rm -rf "$work"
mkdir -p "$work/man3" "$work/man5"
cp -r "$pages/man/man1" "$work"
cp "$source/docs/man/tapline.3" "$work/man3"
cp "$source/docs/man/tapline-files.5" "$work/man5"

complain() { # PAGE WHAT
    echo "$1: $2"
    failed=1
}

"$@" help >"$work/commands.txt"
sed -n 's/^  tapline \([a-z]*\( [a-z]*\)\{0,1\}\)  *[A-Z].*/\1/p' "$work/commands.txt" >"$work/names.txt"
[ "$(wc -l <"$work/names.txt")" -ge 12 ] || complain names.txt "has fewer commands than \`tapline help\`"
while read -r name; do
    page=tapline-$(echo "$name" | tr ' ' -).1
    # shellcheck disable=SC2086 # one or two words
    "$@" help $name | sed -n 's/^  \(-[a-z], \)\{0,1\}\(--[a-z0-9-]*\).*/\2/p' >"$work/listed.txt"
    sed -n 's/\\-/-/g; s/^\.It .*Fl \(--*[a-z0-9-]*\).*/-\1/p' "$work/man1/$page" >"$work/described.txt"
    diff "$work/listed.txt" "$work/described.txt" || complain "$page" "has other options (>) than \`tapline help $name\` (<)"
    sed 's/\\-/-/g' "$work/man1/tapline.1" | grep -q "^\.It Ic $name\$" || complain tapline.1 "does not have $name"
done <"$work/names.txt"

for header in "$source"/include/tapline/*.h; do
    grep -q "tapline/$(basename "$header")" "$work/man3/tapline.3" || complain tapline.3 "does not have $(basename "$header")"
done
# The first column of the tables of texts in docs/files.md, up to the end of the part on checkpoints.
# shellcheck disable=SC2016 # backquotes of Markdown
sed '/^## Weights of PyTorch/,$d' "$source/docs/files.md" | sed -n 's/^| `/`/p' | cut -d '|' -f 1 | grep -oE '`[a-z_]+`' | tr -d '`' >"$work/texts.txt"
[ "$(wc -l <"$work/texts.txt")" -gt 15 ] || complain texts.txt "has fewer texts than docs/files.md"
while read -r text; do
    case $text in recipe) continue ;; esac # the fingerprint of earlier files
    grep -qE "^\.It Cm .*\b$text\b" "$work/man5/tapline-files.5" || complain tapline-files.5 "does not have $text"
done <"$work/texts.txt"

for page in "$work"/man?/*; do
    sed -n 's/^\.Xr \([a-z-]*\) \([0-9]\).*/\1.\2/p' "$page" >"$work/references.txt"
    while read -r reference; do
        [ -e "$work/man${reference##*.}/$reference" ] || complain "$(basename "$page")" "refers to $reference, which is not there"
    done <"$work/references.txt"
done

if command -v mandoc >/dev/null; then
    # It looks for pages that are referred to among the installed ones.
    mandoc -T lint "$work"/man?/* 2>&1 | grep -v 'referenced manual not found' >"$work/lint.txt" || true
    [ ! -s "$work/lint.txt" ] || { cat "$work/lint.txt"; failed=1; }
else
    echo "mandoc is not installed: the pages were not checked by it"
fi
exit $failed
