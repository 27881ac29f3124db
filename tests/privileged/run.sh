#!/bin/sh
# Situations that only root can bring about: mounts, other users, containers. Nothing outside of a folder of its own changes.
#
# usage: run.sh CASE TAPLINE    exit code 77: skipped, not root or no namespaces here
set -u
case=$1 tapline=$(realpath "$2") script=$(realpath "$0")
if [ "${TAPLINE_ROOT_TEST:-}" != inside ]; then
    if [ "$(id -u)" -ne 0 ] || ! unshare -m true 2>/dev/null; then
        echo "skipped: needs root and unshare(1)"
        exit 77
    fi
    work=$(mktemp -d)
    (cd "$work" && TAPLINE_ROOT_TEST=inside unshare -m sh "$script" "$case" "$tapline")
    code=$?
    rm -rf "$work"
    exit $code
fi

failed=0

check() { # WHAT CONDITION...
    what=$1
    shift
    "$@" && return
    echo "$case: not so: $what"
    cat out.txt err.txt
    failed=1
}

# shellcheck disable=SC2317 # called by `check`, which is not seen
said() { grep -q "$1" err.txt; }
# shellcheck disable=SC2317
reported() { grep -q '^training ' out.txt; }
# shellcheck disable=SC2317
none_left() { [ -z "$(find . -name '.*.tmp')" ]; }

train() { "$tapline" train builtin:cbf --arch timecnn --threads 1 --quiet "$@" >out.txt 2>err.txt; }

# Begins a training that does not end by itself, and waits until it is under way. $process: its number.
begin() {
    : >log.csv
    "$tapline" train builtin:cbf --arch timecnn --threads 1 --quiet --epochs 1000000 --log log.csv "$@" >out.txt 2>err.txt &
    process=$!
    tries=0
    until [ "$(wc -l <log.csv)" -gt 2 ] || [ $tries -gt 500 ]; do
        tries=$((tries + 1))
        sleep 0.02
    done
}

# Ends it. $code: its exit code.
end() {
    kill -TERM "$process"
    wait "$process"
    code=$?
}

case $case in
mounted)
    touch outside inside
    mount --bind outside inside
    for option in --out --checkpoint; do
        train $option inside --epochs 1000000
        check "$option on a mounted file is refused before training" test $? -eq 1
        check "the message names the mount" said "inside: cannot be replaced, because it is a mount point"
    done
    check "nothing is left" none_left
    ;;
mounted-later)
    touch outside inside
    begin --out inside
    mount --bind outside inside
    end
    check "exit code 1" test "$code" -eq 1
    check "the report is there" reported
    kept=$(sed -n 's/.*the new contents are in //p' err.txt)
    check "the kept file is a model" "$tapline" info "$kept" >/dev/null
    ;;
immutable)
    touch model
    chattr +i model 2>/dev/null || { echo "skipped: no chattr +i here"; exit 77; }
    train --out model --epochs 1000000
    check "refused before training" test $? -eq 1
    check "the message says why" said "model: cannot be replaced: Operation not permitted"
    chattr -i model
    check "nothing is left" none_left
    ;;
sticky)
    nobody="setpriv --reuid 65534 --regid 65534 --clear-groups"
    chmod 755 .
    mkdir -m 1777 sticky
    touch sticky/model
    $nobody "$tapline" --version >/dev/null 2>&1 || { echo "skipped: other users cannot run $tapline"; exit 77; }
    $nobody "$tapline" train --out sticky/model --epochs 1000000 >out.txt 2>err.txt
    check "another user's file is refused before training" test $? -eq 1
    check "the message says why" said "model: cannot be replaced: Operation not permitted"
    $nobody "$tapline" train --arch timecnn --out sticky/own --epochs 1 >out.txt 2>err.txt
    check "a file of one's own is written" test $? -eq 0
    chown 65534:65534 sticky/own
    train --out sticky/own --epochs 1
    check "the owner stays" test "$(stat -c %u:%g sticky/own)" = 65534:65534
    ;;
namespaces)
    options="--arch timecnn --threads 1 --quiet --epochs 3000 --checkpoint-every 0.001 --checkpoint shared"
    # shellcheck disable=SC2086 # a list of words
    "$tapline" train builtin:cbf $options --seed 1 >out.txt 2>err.txt &
    outer=$!
    # shellcheck disable=SC2086
    unshare -p -f --mount-proc "$tapline" train builtin:cbf $options --seed 2 >inner.txt 2>&1
    check "the training in the container is not disturbed" test $? -eq 0
    wait $outer
    check "nor the one outside" test $? -eq 0
    check "nothing is left" none_left
    ;;
full)
    mkdir small
    mount -t tmpfs -o size=64k tmpfs small
    touch small/model
    for option in --out --checkpoint; do
        train $option small/model --epochs 1000000 --arch fcn
        check "$option is refused before training" test $? -eq 1
        check "the message says that there is no room" said "model: cannot be written: no room for [0-9]* bytes"
    done
    umount small
    ;;
full-later)
    mkdir small
    mount -t tmpfs -o size=1m tmpfs small
    begin --out small/model
    head -c 2000000 /dev/zero >small/other 2>/dev/null
    end
    check "exit code 1" test "$code" -eq 1
    check "the report is there" reported
    check "the message says why" said "model: cannot be written: No space left on device"
    umount small
    ;;
read-only)
    mkdir disk
    mount -t tmpfs -o size=8m tmpfs disk
    begin --out disk/model --checkpoint disk/state --checkpoint-every 1000
    mount -o remount,ro disk
    end
    check "exit code 1" test "$code" -eq 1
    check "the report is there" reported
    check "the checkpoint is told" said "checkpoint disk/state: cannot be written: Read-only file system"
    check "the model is told" said "out disk/model: cannot be written: Read-only file system"
    umount disk
    ;;
esac
[ $failed -eq 0 ] && echo "$case: as it should be"
exit $failed
