#!/bin/sh
# Checks the direction of dependencies of the tree (check.awk), after seeing that the check finds what it should in a tree made for it.
#
# usage: run.sh SOURCE WORK
set -eu
source=$1 work=$2
check=$source/tests/layering/check.awk
rm -rf "$work"
mkdir -p "$work/include/tapline" "$work/src/base" "$work/src/cli" "$work/src/compute" "$work/layers/conv1d" "$work/optim" "$work/bench" "$work/examples"
cd "$work"

put() { # FILE TEXT…: one line each
    file=$1
    shift
    printf '%s\n' "$@" >"$file"
}
put include/tapline/base.h '#include <stdint.h>' '#include <stdio.h>'
put src/compute/gemm.h '#include <tapline/base.h>' '#include "layers/b.h"'
put src/compute/gemm.c '#include <cblas.h>' '#include "compute/gemm.h"'
put src/compute/parallel.c '#include <omp.h>' '#include "gemm.h"'
put src/base/tensor.c '#include "optim/optim.h"' '#include "base/nowhere.h"' 'cblas_sgemm();'
put src/cli/args.h ''
put src/cli/main.c '#include "cli/args.h"' '#include "compute/gemm.h"'
put layers/registry.h '#include "compute/gemm.h"'
put layers/b.h ''
put layers/b.c '#include "layers/b.h"' '#include "layers/registry.h"'
put layers/a.c '#include "layers/b.h"' '#include "layers/conv1d/engine.h"' '#pragma omp parallel'
put layers/conv1d/engine.h ''
put layers/conv1d/direct.c '#include "layers/conv1d/engine.h"' '#include "engine.h"' '#include "../../src/compute/gemm.h"'
put optim/optim.h '' ' #  include "layers/b.h"'
put bench/bench.h ''
put bench/bench.c '#include "bench.h"' '#include "cli/args.h"' '#include "compute/gemm.h"'
put examples/train.c '#include <tapline/base.h>' '#include <tapline/secret.h>' '#include "cli/args.h"'
put expected.txt bench/bench.c:3: examples/train.c:2: examples/train.c:3: include/tapline/base.h:2: layers/a.c:1: layers/a.c:2: layers/a.c:3: \
    layers/conv1d/direct.c:2: layers/conv1d/direct.c:3: optim/optim.h:2: src/base/tensor.c:1: src/base/tensor.c:2: src/base/tensor.c:3: \
    src/cli/main.c:2: src/compute/gemm.h:2: src/compute/parallel.c:2:
# shellcheck disable=SC2046 # file names of this tree have no spaces
if awk -f "$check" $(find . -name '*.[ch]' | sed 's|^\./||' | sort) >found.txt; then echo "the check accepted a tree with wrong includes"; exit 1; fi
sed 's/:[^:]*$/:/' found.txt | diff expected.txt - || { echo "the check (>) does not find what it should (<)"; exit 1; }

cd "$source"
# shellcheck disable=SC2046
awk -f "$check" $(find include src layers optim bench examples -name '*.[ch]' | sort)
