#!/bin/sh
# Checks the direction of dependencies of the tree (check.awk), after seeing that the check finds what it should in a tree made for it.
#
# usage: run.sh SOURCE WORK
set -eu
source=$1 work=$2
check=$source/tests/layering/check.awk
rm -rf "$work"
mkdir -p "$work/include/tapline" "$work/src/cli" "$work/src/kernels" "$work/layers/conv1d" "$work/optim" "$work/bench" "$work/examples"
cd "$work"

put() { # FILE TEXT…: one line each
    file=$1
    shift
    printf '%s\n' "$@" >"$file"
}
put include/tapline/base.h '#include <stdint.h>' '#include <stdio.h>'
put src/gemm.h '#include <tapline/base.h>' '#include "../layers/b.h"'
put src/gemm.c '#include <cblas.h>' '#include "gemm.h"'
put src/parallel.c '#include <omp.h>'
put src/tensor.c '#include "optim.h"' '#include "nowhere.h"' 'cblas_sgemm();'
put src/cli/args.h ''
put src/cli/main.c '#include "args.h"' '#include "gemm.h"'
put layers/b.h ''
put layers/b.c '#include "b.h"' '#include "gemm.h"'
put layers/a.c '#include "b.h"' '#include "conv1d/engine.h"' '#pragma omp parallel'
put layers/conv1d/engine.h ''
put layers/conv1d/direct.c '#include "engine.h"' '#include "conv1d/engine.h"' '#include "../../src/gemm.h"'
put optim/optim.h '' ' #  include "b.h"'
put bench/bench.c '#include "args.h"' '#include "../src/cli/args.h"' '#include "../src/gemm.h"'
put examples/train.c '#include <tapline/base.h>' '#include <tapline/secret.h>' '#include "args.h"'
put expected.txt bench/bench.c:3: examples/train.c:2: examples/train.c:3: include/tapline/base.h:2: layers/a.c:1: layers/a.c:2: layers/a.c:3: \
    optim/optim.h:2: src/cli/main.c:2: src/gemm.h:2: src/tensor.c:1: src/tensor.c:2: src/tensor.c:3:
# shellcheck disable=SC2046 # file names of this tree have no spaces
if awk -f "$check" $(find . -name '*.[ch]' | sed 's|^\./||' | sort) >found.txt; then echo "the check accepted a tree with wrong includes"; exit 1; fi
sed 's/:[^:]*$/:/' found.txt | diff expected.txt - || { echo "the check (>) does not find what it should (<)"; exit 1; }

cd "$source"
# shellcheck disable=SC2046
awk -f "$check" $(find include src layers optim bench examples -name '*.[ch]' | sort)
