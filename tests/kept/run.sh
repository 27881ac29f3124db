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
command=$1 work=$2 emulator=${EMULATOR:-} # that runs programs of another processor
failed=0
rm -rf "$work"
mkdir -p "$work"

complain() {
    echo "kept files: $*"
    failed=1
}

# Leaves out the true label, which 0.1.0 did not print.
without_label() { awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "label") skip = i }
    { line = ""; for (i = 1; i <= NF; i++) if (i != skip) line = line (line == "" ? "" : ",") $i; print line }'; }

# The numbers of two tables, which differ by no more than 1e-6.
compare() { # EXPECTED GOT
    awk -F, 'NR == FNR { expected[FNR] = $0; rows = FNR; next }
        { count = split(expected[FNR], want, ","); if (count != NF) { print FNR ": " $0; bad = 1 }
          for (i = 1; i <= NF; i++) if ($i != want[i] && ($i + 0 == 0 && $i !~ /^0/ || $i - want[i] > 1e-6 || want[i] - $i > 1e-6)) { print FNR ": expected " want[i] ", got " $i; bad = 1 } }
        END { exit bad || FNR != rows }' "$1" "$2"
}

for precision in f32 f64; do
    $emulator "$command" predict "classes_$precision.safetensors" classes.csv | without_label >"$work/predictions" || complain "classes_$precision.safetensors is not read"
    compare "classes_$precision.predictions" "$work/predictions" || complain "classes_$precision.safetensors predicts otherwise"
done

resume() { # PRECISION NETWORK [OPTION]
    # shellcheck disable=SC2086 # one word or none
    $emulator "$command" train classes.csv --arch "$2" --epochs 8 --batch 4 --seed 5 --threads 1 --precision "$1" ${3:-} --quiet --json --resume "training_$1.safetensors" \
        >"$work/report" 2>"$work/message"
}
resume f64 network.json --raw || complain "training_f64.safetensors is not gone on from: $(cat "$work/message")"
grep -q '"epochs": 8' "$work/report" || complain "the training did not go on to epoch 8"

# Where it cannot go on, it says why: series are scaled in double precision since 0.2, which moves last bits of single precision, and
# no momentum means another one than in 0.1.0.
refused() { # WHY PRECISION NETWORK [OPTION]
    why=$1
    shift
    if resume "$@"; then complain "goes on, though: $why"; fi
    grep -q "is of another training: $why" "$work/message" || complain "expected \"$why\", got: $(cat "$work/message")"
}
refused 'data.checksum' f32 network.json
sed 's/, "momentum": 0.99//' network.json >"$work/other.json"
refused 'architecture.layers\[1\].momentum 0.99, now none' f64 "$work/other.json" --raw
exit $failed
