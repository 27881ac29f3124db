#!/bin/sh
# Files that earlier versions wrote do what they did: models predict the same within 1e-6, checkpoints are gone on from.
#
# usage: run.sh COMMAND WORK
#
# 0.1.0 wrote the files here:
#   tapline train classes.csv --arch network.json --epochs 6 --batch 4 --seed 5 --threads 1 --out classes_f32.safetensors
#       --checkpoint training_f32.safetensors                                      (and with --raw --precision f64)
#   tapline predict classes_f32.safetensors classes.csv >classes_f32.predictions
set -eu
command=$1 work=$2
failed=0
rm -rf "$work"
mkdir -p "$work"

complain() {
    echo "kept files: $*"
    failed=1
}

# The numbers of two tables, which differ by no more than 1e-6.
compare() { # EXPECTED GOT
    awk -F, 'NR == FNR { expected[FNR] = $0; rows = FNR; next }
        { count = split(expected[FNR], want, ","); if (count != NF) { print FNR ": " $0; bad = 1 }
          for (i = 1; i <= NF; i++) if ($i != want[i] && ($i + 0 == 0 && $i !~ /^0/ || $i - want[i] > 1e-6 || want[i] - $i > 1e-6)) { print FNR ": expected " want[i] ", got " $i; bad = 1 } }
        END { exit bad || FNR != rows }' "$1" "$2"
}

for precision in f32 f64; do
    raw=
    [ "$precision" = f32 ] || raw=--raw
    "$command" predict "classes_$precision.safetensors" classes.csv >"$work/predictions" || complain "classes_$precision.safetensors is not read"
    compare "classes_$precision.predictions" "$work/predictions" || complain "classes_$precision.safetensors predicts otherwise"
    # shellcheck disable=SC2086 # one word or none
    "$command" train classes.csv --arch network.json --epochs 8 --batch 4 --seed 5 --threads 1 --precision "$precision" $raw --quiet --json \
        --resume "training_$precision.safetensors" >"$work/report" || complain "training_$precision.safetensors is not gone on from"
    grep -q '"epochs": 8' "$work/report" || complain "the training of $precision did not go on to epoch 8"
done

# Where it cannot go on, it says why: no momentum now means another one than in 0.1.0.
sed 's/, "momentum": 0.99//' network.json >"$work/other.json"
if "$command" train classes.csv --arch "$work/other.json" --epochs 8 --batch 4 --seed 5 --threads 1 --quiet --resume training_f32.safetensors >/dev/null 2>"$work/message"; then
    complain "another network goes on from training_f32.safetensors"
fi
grep -q 'is of another training: architecture.layers\[1\].momentum 0.99, now none' "$work/message" || complain "$(cat "$work/message")"
exit $failed
