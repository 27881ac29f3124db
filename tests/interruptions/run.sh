#!/bin/bash
# A training that is interrupted again and again, at random moments and by any of eight signals, goes on from its checkpoint each time and
# ends with the same bytes as one that was not; nothing is left behind. With `containers`, two process namespaces do so at the same
# time in one folder, with the same files.
#
# usage: run.sh TAPLINE COUNT alone|containers    exit code 77: skipped, no namespaces here
set -u
tapline=$(realpath "$1") count=$2 how=$3
if [ "$how" = containers ] && ! unshare -p -f --mount-proc true 2>/dev/null; then
    echo "skipped: needs root and unshare(1)"
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
signals=(INT TERM HUP KILL QUIT USR1 ALRM ABRT)
ulimit -c 0
train=("$tapline" train builtin:cbf --arch timecnn --threads 1 --quiet --epochs 4000 --seed 5)

# One training after the other from the shared checkpoint, each ended by a signal within a third of a second.
interrupt() { # WHO TIMES
    RANDOM=$1
    for ((i = 0; i < $2; i++)); do
        local resume=()
        [ -e state ] && resume=(--resume state)
        "${train[@]}" --checkpoint state --checkpoint-every 0.001 --out model "${resume[@]}" >"out.$1" 2>"err.$1" &
        local process=$!
        sleep "0.$(printf %03d $((RANDOM % 300)))"
        kill -s "${signals[RANDOM % 8]}" $process 2>/dev/null
        wait $process 2>/dev/null
        local code=$?
        if [ $code -eq 1 ] || [ $code -eq 2 ]; then
            echo "interruption $i of $1: exit code $code"
            cat "err.$1"
            return 1
        fi
    done
}

"${train[@]}" --out whole >/dev/null || exit 1
if [ "$how" = containers ]; then
    export -f interrupt
    export tapline
    declare -p signals train >shared.sh
    half=$((count / 2))
    unshare -p -f --mount-proc bash -c ". ./shared.sh; interrupt 1 $half" &
    one=$!
    unshare -p -f --mount-proc bash -c ". ./shared.sh; interrupt 2 $half" &
    other=$!
    wait $one || exit 1
    wait $other || exit 1
    rm shared.sh
else
    interrupt 1 "$count" || exit 1
fi
"${train[@]}" --resume state --checkpoint state --out model >/dev/null || exit 1
cmp model whole || exit 1
rm -f out.? err.?
left=$(find . -mindepth 1 | sort | tr '\n' ' ')
[ "$left" = "./model ./state ./whole " ] || { echo "left behind: $left"; exit 1; }
echo "$count interruptions, $how: the same bytes, nothing left behind"
