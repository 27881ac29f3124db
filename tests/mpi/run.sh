#!/bin/sh
# Trains in several processes of one machine over Open MPI; exit code 77 (skipped) where there is none.
#
# usage: run.sh CASE COMMAND BUILD [COUNT]    CASE: networks, refusals, stop, kills (COUNT of them), library, namespaces, sanitized;
#                                             BUILD: the folder of the build
set -eu
case=$1 command=$2 build=$3 count=${4:-5} source=$(cd "$(dirname "$0")/../.." && pwd)
if ! command -v mpirun >/dev/null || [ ! -e "$build/src/mpi/libtapline_mpi.so" ]; then
    echo "skipped: there is no Open MPI (Debian: openmpi-bin libopenmpi-dev)"
    exit 77
fi
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none \
    OMPI_MCA_mpi_yield_when_idle=1 # this machine has other work
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

fail() {
    echo "$*" >&2
    exit 1
}

# A class is a frequency; where LENGTHS is 1, series have 17 to 32 steps.
write_data() { # LENGTHS COUNT
    awk -v lengths="$1" -v count="$2" 'BEGIN {
        print "@problemName waves"; print "@univariate true"; print "@equalLength " (lengths ? "false" : "true")
        if (!lengths) print "@seriesLength 32"
        print "@classLabel true slow medium fast"; print "@data"
        split("slow medium fast", name)
        srand(7)
        for (i = 0; i < count; i++) {
            class = i % 3 + 1
            steps = lengths ? 32 - i % 16 : 32
            line = ""
            for (t = 0; t < steps; t++) line = line (t ? "," : "") sin(class * t / 3 + i) + rand() / 2
            print line ":" name[class]
        }
    }'
}

one() { "$command" train "$@" --threads 1 --quiet >one.txt 2>&1 || fail "one process: $(cat one.txt)"; }
ranks() { # RANKS ARGUMENTS…
    number=$1
    shift
    mpirun -n "$number" "$command" train "$@" --threads 1 --quiet >ranks.txt 2>&1
}

# The model files of one process and of 2, 4 and 8 ranks; with --members several.
compare() { # ARGUMENTS…
    rm -f one*.safetensors
    one "$@" --shards 8 --out one.safetensors
    for n in 2 4 8; do
        ranks $n "$@" --shards 8 --out ranks.safetensors || fail "$n ranks: $(cat ranks.txt)"
        for file in one*.safetensors; do
            cmp "$file" "ranks${file#one}" || fail "$n ranks learn something else: tapline train $*"
        done
        rm ranks*.safetensors
    done
    echo "1, 2, 4 and 8 ranks: the same bits: $*"
}

networks() {
    write_data 0 42 >equal.ts
    write_data 1 42 >unequal.ts
    compare equal.ts --arch fcn --epochs 2 --batch 16 --clip 0.5 --balance
    compare equal.ts --arch resnet --epochs 2 --batch 16 --crop 0.8 --jitter 0.1 --folds 3
    compare equal.ts --arch inception --epochs 1 --batch 16 --accumulate 2 --mixup 0.3
    compare equal.ts --arch lite --epochs 2 --batch 16 --precision f64
    compare equal.ts --arch tcn --epochs 2 --batch 16 --scale 0.1 # has dropout
    compare unequal.ts --arch fcn --epochs 2 --batch 16 --unequal --mixup 0.3
    compare equal.ts --arch fcn --epochs 1 --batch 16 --members 2
    compare equal.ts --arch fcn --epochs 2 --batch 16 --synchronise-batch-norm --folds 3
    compare equal.ts --arch lite --epochs 2 --batch 16 --synchronise-batch-norm --accumulate 2 --precision f64
    compare unequal.ts --arch resnet --epochs 1 --batch 16 --synchronise-batch-norm --unequal --crop 0.8
    one builtin:cbf --arch fcn --epochs 1 --batch 16 --shards 2 --synchronise-batch-norm --out one.safetensors
    "$command" train builtin:cbf --arch fcn --epochs 1 --batch 16 --shards 2 --synchronise-batch-norm --threads 2 --quiet --out threads.safetensors >threads.txt 2>&1 ||
        fail "$(cat threads.txt)"
    cmp one.safetensors threads.safetensors || fail "two threads learn something else"
    # Series that are read by batch: 2.3 MB where 2 are allowed.
    echo '{"layers": [{"type": "conv1d", "filters": 4, "kernel": 4, "stride": 4}, {"type": "global_average_pool"}, {"type": "dense", "units": "outputs"}]}' >tiny.json
    write_data 0 9000 >many.ts
    "$command" convert many.ts --out many_x.npy >convert.txt 2>&1 || fail "$(cat convert.txt)"
    compare many_x.npy --arch tiny.json --epochs 1 --batch 64 --max-memory 4
    grep -q "read by batch" one.txt || fail "not read by batch: $(cat one.txt)"
    one equal.ts --arch fcn --epochs 1 --members 5 --out one.safetensors --json
    mpirun -n 3 "$command" train equal.ts --arch fcn --epochs 1 --members 5 --threads 1 --quiet --out ranks.safetensors --json >ranks.txt 2>&1 || fail "$(cat ranks.txt)"
    for i in 1 2 3 4 5; do cmp one.$i.safetensors ranks.$i.safetensors || fail "member $i on 3 ranks is another"; done
    [ "$(grep -o '"train_loss": [^,]*' one.txt)" = "$(grep -o '"train_loss": [^,]*' ranks.txt)" ] || fail "another report of members on 3 ranks"
    mpirun -n 2 "$command" train equal.ts --arch fcn --epochs 1 --folds 3 --fold all --threads 1 --quiet --json >ranks.txt 2>&1 || fail "$(cat ranks.txt)"
    one equal.ts --arch fcn --epochs 1 --folds 3 --fold all --json
    [ "$(grep -o '"validation_[a-z_0-9]*": [^,]*' one.txt)" = "$(grep -o '"validation_[a-z_0-9]*": [^,]*' ranks.txt)" ] || fail "another report of folds on 2 ranks"
    echo "members on 3 ranks, folds on 2: files and reports of one process"
    # Whatever algorithm Open MPI would take for a sum of its own, and without shared memory.
    OMPI_MCA_coll_tuned_use_dynamic_rules=1 OMPI_MCA_coll_tuned_allreduce_algorithm=4 OMPI_MCA_btl=tcp,self
    export OMPI_MCA_coll_tuned_use_dynamic_rules OMPI_MCA_coll_tuned_allreduce_algorithm OMPI_MCA_btl
    compare equal.ts --arch fcn --epochs 2 --batch 16 --clip 0.5 --balance
}

# Fails with a text, which is printed once.
refused() { # RANKS TEXT ARGUMENTS…
    number=$1 text=$2
    shift 2
    if ranks "$number" "$@"; then fail "$number ranks are not refused: $*"; fi
    [ "$(grep -c -F "$text" ranks.txt)" = 1 ] || fail "not once \"$text\": $(cat ranks.txt)"
}

refusals() {
    write_data 0 42 >equal.ts
    refused 3 "8 shards cannot be divided among 3 ranks; start 1, 2, 4 or 8 ranks" equal.ts --batch 16 --shards 8
    refused 2 "2 ranks share one shard" equal.ts --batch 16
    refused 2 "missing.ts: " missing.ts --batch 16 --shards 2
    if mpirun -n 2 "$command" info builtin:cbf >ranks.txt 2>&1; then fail "info runs in ranks"; fi
    [ "$(grep -c "runs in a single process; start it without mpirun" ranks.txt)" = 1 ] || fail "info: $(cat ranks.txt)"
    # A file that one rank alone does not find.
    mkdir here there
    cp equal.ts here/data.ts
    if mpirun -n 1 --wdir "$work/here" "$command" train data.ts --shards 2 --epochs 1 : -n 1 --wdir "$work/there" "$command" train data.ts --shards 2 --epochs 1 \
        >ranks.txt 2>&1; then fail "a missing file is not noticed"; fi
    grep -q "rank 1 on $(hostname): data.ts: " ranks.txt || fail "does not name the rank: $(cat ranks.txt)"
    # The weakest instruction set is taken by all.
    TAPLINE_ISA=baseline TAPLINE_TUNING=common one equal.ts --epochs 1 --shards 2 --out one.safetensors
    mpirun -n 1 -x TAPLINE_ISA=baseline "$command" train equal.ts --epochs 1 --shards 2 --threads 1 --quiet --out ranks.safetensors : \
        -n 1 "$command" train equal.ts --epochs 1 --shards 2 --threads 1 --quiet --out ranks.safetensors >ranks.txt 2>&1 || fail "$(cat ranks.txt)"
    cmp one.safetensors ranks.safetensors || fail "two instruction sets: other bits"
    echo "refusals name the cure, once"
}

# The process of a rank.
process_of() { # RANK
    for folder in /proc/[0-9]*; do
        tr '\0' '\n' 2>/dev/null <"$folder/environ" | grep -qx "OMPI_COMM_WORLD_RANK=$1" || continue
        tr '\0' '\n' 2>/dev/null <"$folder/environ" | grep -qx "TAPLINE_TRIAL=$work" && basename "$folder" && return
    done
    return 1
}

begin_long() { # RANKS ARGUMENTS…
    number=$1
    shift
    export TAPLINE_TRIAL="$work"
    mpirun -n "$number" "$command" train "$@" --threads 1 --quiet >ranks.txt 2>&1 &
    job=$!
    for _ in $(seq 200); do
        [ -s checkpoint ] && return
        sleep 0.05
    done
    fail "no checkpoint after 10 s: $(cat ranks.txt)"
}

training="equal.ts --arch fcn --batch 16 --shards 8 --epochs 24 --checkpoint checkpoint --checkpoint-every 0.05"

# A signal to one rank stops all after the same batch, with a checkpoint; other ranks go on from it.
stop() {
    write_data 0 42 >equal.ts
    # shellcheck disable=SC2086
    one $training --out one.safetensors
    for signal in INT TERM; do
        rm -f checkpoint
        # shellcheck disable=SC2086
        begin_long 4 $training
        kill -s $signal "$(process_of 2)"
        wait $job || fail "$signal: exit code $?: $(cat ranks.txt)"
        # shellcheck disable=SC2086
        ranks 2 $training --resume checkpoint --out ranks.safetensors || fail "resume after $signal: $(cat ranks.txt)"
        cmp one.safetensors ranks.safetensors || fail "$signal: resumed to other bits"
    done
    # Ctrl-C reaches mpirun, which hands it on and later kills.
    rm -f checkpoint
    export OMPI_MCA_odls_base_sigkill_timeout=5 # mpirun waits for that long, twice, even if all ranks have ended
    # shellcheck disable=SC2086
    begin_long 4 $training
    kill -s INT $job
    wait $job || true
    # shellcheck disable=SC2086
    ranks 2 $training --resume checkpoint --out ranks.safetensors || fail "resume after Ctrl-C: $(cat ranks.txt)"
    cmp one.safetensors ranks.safetensors || fail "Ctrl-C: resumed to other bits"
    echo "SIGINT and SIGTERM to one rank, Ctrl-C: all stop, and two ranks go on to the same bits"
}

# A rank is killed at a random moment: the job ends within 5 s, and ranks of another number go on to the same bits.
kills() {
    write_data 0 42 >equal.ts
    # shellcheck disable=SC2086
    one $training --out one.safetensors
    longest=0 killed=0 trial=0
    while [ $killed -lt "$count" ]; do
        trial=$((trial + 1))
        [ $trial -le $((3 * count)) ] || fail "most trainings end before a rank is killed: $killed of $trial"
        rm -f checkpoint
        # shellcheck disable=SC2086
        begin_long 4 $training
        sleep "0.$(printf %02d $((trial * 37 % 60)))"
        victim=$(process_of $((trial % 4))) || { wait $job || true; continue; } # it has ended already, as below
        begin=$(date +%s%N)
        kill -9 "$victim" 2>/dev/null || true
        if wait $job; then continue; fi
        killed=$((killed + 1))
        took=$((($(date +%s%N) - begin) / 1000000))
        [ $took -le 5000 ] || fail "trial $trial: the job ended $took ms after its rank"
        [ $took -le $longest ] || longest=$took
        # shellcheck disable=SC2086
        ranks $((1 + trial % 2)) $training --resume checkpoint --out ranks.safetensors || fail "trial $trial: resume: $(cat ranks.txt)"
        cmp one.safetensors ranks.safetensors || fail "trial $trial: resumed to other bits"
    done
    echo "$killed kills: jobs ended within $longest ms, and were resumed to the same bits"
}

# Neither library nor command depends on MPI.
library() {
    for file in "$command" "$build/libtapline.so" "$build/libtapline_f64.so"; do
        if ldd "$file" | grep -qi mpi; then fail "$file depends on MPI"; fi
    done
    echo "neither library nor command depends on MPI"
}

# Ranks that reach each other by TCP alone, 1 ms away and at 1 Gbit/s.
namespaces() {
    if [ "$(id -u)" != 0 ] || [ ! -e /dev/net/tun ] || ! command -v ip >/dev/null; then
        echo "skipped: network namespaces need root, /dev/net/tun and ip (Debian: iproute2)"
        exit 77
    fi
    write_data 0 42 >equal.ts
    one equal.ts --arch fcn --epochs 2 --batch 16 --shards 8 --out one.safetensors
    "$source/bench/scale/namespaces" 4 1 1000 "$build" "$command" train equal.ts --arch fcn --epochs 2 --batch 16 --shards 8 --threads 1 --quiet \
        --out ranks.safetensors >ranks.txt 2>&1 || fail "$(cat ranks.txt)"
    cmp one.safetensors ranks.safetensors || fail "ranks in namespaces learn something else"
    echo "4 ranks in network namespaces: the same bits"
}

# Two ranks of a build of the preset sanitize. Modules that Open MPI unloads would have no names in the list of leaks: they stay.
# Messages go to files, since the command does not show those of other ranks than the first. The sanitizer opens libraries in the name of the program, and
# does not look where this would.
clean() { # PROGRAM ARGUMENTS…
    grep -q __asan_init "$1" || fail "build bench_scale and tapline_command with the preset sanitize"
    mpirun -n 2 env LD_LIBRARY_PATH="$build/src/mpi" LD_PRELOAD="$(cc -print-file-name=libasan.so) $work/keep.so" "$@" >ranks.txt 2>&1 || fail "$(cat ranks.txt sanitizer.* 2>&1)"
    if ls sanitizer.* >/dev/null 2>&1; then fail "$(cat sanitizer.*)"; fi
}

sanitized() {
    echo 'int dlclose(void *library); int dlclose(void *library) { return library == 0; }' >keep.c
    cc -shared -fPIC -o keep.so keep.c
    export LSAN_OPTIONS="suppressions=$source/tests/mpi/leaks.txt:print_suppressions=0" ASAN_OPTIONS="fast_unwind_on_malloc=0:log_path=$work/sanitizer"
    clean "$build/src/mpi/bench_scale"
    write_data 1 42 >unequal.ts
    for option in "--checkpoint-every 0.01" --synchronise-batch-norm; do
        # shellcheck disable=SC2086
        clean "$command" train unequal.ts --unequal --arch fcn --epochs 2 --batch 16 --shards 4 --threads 1 --folds 3 --quiet --checkpoint checkpoint \
            --out ranks.safetensors $option
    done
    echo "two ranks under the sanitizers, in a program and the command: clean"
}

"$case"
