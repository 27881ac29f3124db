#!/bin/sh
# Files that earlier versions wrote do what they did: models predict the same within 1e-6, checkpoints are gone on from. A folder for each
# version has what `keep` wrote with it.
#
# usage: run.sh COMMAND WORK
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

resume() { # FILE PRECISION NETWORK [OPTION]
    # shellcheck disable=SC2086 # one word or none
    $emulator "$command" train classes.csv --arch "$3" --epochs 8 --batch 4 --seed 5 --threads 1 --precision "$2" ${4:-} --quiet --json --resume "$1" \
        >"$work/report" 2>"$work/message"
}

# The checkpoint in single precision of 0.1.0 is refused, see below.
for version in [0-9]*; do
    for precision in f32 f64; do
        model=$version/classes_$precision training=$version/training_$precision.safetensors raw=
        [ $precision = f32 ] || raw=--raw
        without_label <"$model.predictions" >"$work/expected"
        $emulator "$command" predict "$model.safetensors" classes.csv | without_label >"$work/predictions" || complain "$model.safetensors is not read"
        compare "$work/expected" "$work/predictions" || complain "$model.safetensors predicts otherwise"
        [ "$version/$precision" != 0.1.0/f32 ] || continue
        resume "$training" $precision network.json $raw || complain "$training is not gone on from: $(cat "$work/message")"
        grep -q '"epochs": 8' "$work/report" || complain "the training of $training did not go on to epoch 8"
    done
done

# Where it cannot go on, it says why: series are scaled in double precision since 0.2, which moves last bits of single precision, and
# no momentum means another one than in 0.1.0.
refused() { # WHY FILE PRECISION NETWORK [OPTION]
    why=$1
    shift
    if resume "$@"; then complain "goes on, though: $why"; fi
    grep -q "is of another training: $why" "$work/message" || complain "expected \"$why\", got: $(cat "$work/message")"
}
refused 'data.checksum' 0.1.0/training_f32.safetensors f32 network.json
sed 's/, "momentum": 0.99//' network.json >"$work/other.json"
refused 'architecture.layers\[1\].momentum 0.99, now none' 0.1.0/training_f64.safetensors f64 "$work/other.json" --raw
exit $failed
