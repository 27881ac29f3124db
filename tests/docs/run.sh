#!/bin/sh
# Runs the listings of the documents. A document's ```sh blocks run in their order in one empty folder, with the command `tapline` in
# PATH, TAPLINE_DATA naming the folder of real data, and the first failing line failing the test; the README's two set-up lines are left
# to .ci/run, which runs them. A ```c block is a program, which is built and run, or an excerpt of a file of the tree; a ```cmake block is
# an excerpt. ```console and ```text blocks show something and are not run; those in ```python are run by python/tests. Relative links, and
# documents that sources refer to, must be there.
#
# usage: run.sh SOURCE WORK COMMAND CC OPTIONS    COMMAND: path of tapline; OPTIONS: what builds a C program with the library
set -eu
source=$1 work=$2 command=$3 CC=$4 options=$5
here=$source/tests/docs
failed=0
rm -rf "$work"
mkdir -p "$work/bin"
ln -s "$command" "$work/bin/tapline"
export PATH="$work/bin:$PATH"
export TAPLINE_DATA="${TAPLINE_DATA:-$source/../shared/data}"

complain() { # WHERE WHAT
    echo "$1: $2"
    failed=1
}

run_shell() { # BLOCK WHERE FOLDER
    grep -q '^\./install-deps' "$1" && return
    if grep -q TAPLINE_DATA "$1" && [ ! -d "$TAPLINE_DATA" ]; then
        echo "$2: skipped, no real data"
        return
    fi
    (cd "$3" && sh -eu "$1") >"$1.log" 2>&1 || { complain "$2" "failed:"; tail -n 20 "$1.log"; }
}

is_excerpt() { # BLOCK PATTERN: of names of tracked files
    # shellcheck disable=SC2046 # file names of this tree have no spaces
    (cd "$source" && awk -f "$here/excerpt.awk" "$1" $(find CMakeLists.txt cmake include src layers optim examples tests bench -name "$2" 2>"$work/find.log" | sort))
}

run_c() { # BLOCK WHERE FOLDER
    if ! grep -q '^int main' "$1"; then
        is_excerpt "$1" '*.[ch]' || complain "$2" "is no program and not found in a C file of the tree"
        return
    fi
    # shellcheck disable=SC2086 # a list of options
    "$CC" -std=c11 -Wall -Wextra -Werror -o "$1.program" "$1" $options -lm || { complain "$2" "does not build"; return; }
    (cd "$3" && "$1.program") >"$1.log" 2>&1 || { complain "$2" "failed:"; tail -n 20 "$1.log"; }
}

for document in "$source"/*.md "$source"/docs/*.md "$source"/docs/tutorials/*.md; do
    [ -f "$document" ] || continue
    name=${document#"$source"/}
    blocks=$work/$(echo "$name" | tr / _)
    mkdir -p "$blocks/run"
    awk -v OUT="$blocks" -f "$here/blocks.awk" "$document" >"$blocks/list" || failed=1
    while read -r block; do
        line=$(basename "$block")
        where="$name:$(echo "${line%.*}" | sed 's/^0*//')"
        case $block in
        *.sh) run_shell "$block" "$where" "$blocks/run" ;;
        *.c) run_c "$block" "$where" "$blocks/run" ;;
        *.cmake) is_excerpt "$block" CMakeLists.txt || complain "$where" "is not found in a CMakeLists.txt of the tree" ;;
        *.console | *.text | *.json | *.csv) ;;
        *.python) ;; # python/tests/test_documents.py runs them
        *) complain "$where" "has a language that this test does not know: ${block##*.}" ;;
        esac
    done <"$blocks/list"
    grep -oE '\]\([^)# ]+' "$document" | sed 's/^](//' | grep -v '://' >"$blocks/links" || true
    while read -r link; do
        [ -e "$(dirname "$document")/$link" ] || complain "$name" "links to $link, which is not there"
    done <"$blocks/links"
done

(cd "$source" && grep -rhoE 'docs/[a-z_/]+\.md' CMakeLists.txt cmake include src layers optim bench examples tests | sort -u) >"$work/mentions"
while read -r mention; do
    [ -e "$source/$mention" ] || complain "$mention" "is referred to by a file of the tree, and is not there"
done <"$work/mentions"

for example in "$source"/examples/*.c; do
    [ "$(wc -l <"$example")" -lt 60 ] || complain "$example" "has more than 59 lines"
done
exit $failed
