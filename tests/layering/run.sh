#!/bin/sh
# Checks the direction of dependencies by #include (check.awk) and by the symbols of objects (symbols.awk), after seeing that the checks find
# what they should in a tree made for them; and that names of tests stay short.
#
# usage: run.sh SOURCE WORK NM OBJECTS    OBJECTS: a file that lists object files of the library, one a line
set -eu
source=$1 work=$2 nm=$3 objects=$4
scripts=$source/tests/layering
by_include() { awk -f "$scripts/folders.awk" -f "$scripts/check.awk" CONTRIBUTING.md "$@"; }
by_symbol() { awk -f "$scripts/folders.awk" -f "$scripts/symbols.awk" CONTRIBUTING.md -; }
rm -rf "$work"
mkdir -p "$work/include/tapline" "$work/src/base" "$work/src/cli" "$work/src/compute" "$work/layers/conv1d" "$work/optim" "$work/bench" "$work/examples"
cd "$work"

put() { # FILE TEXT…: one line each
    file=$1
    shift
    printf '%s\n' "$@" >"$file"
}
# shellcheck disable=SC2016 # these are backquotes of Markdown
put CONTRIBUTING.md '| `include` | headers | |' '| `src/base` | | `include` |' '| `src/compute` | | `src/base` |' '| `optim` | | `src/compute` |' \
    '| `layers` | | `src/compute` |' '| `src/cli` | | `include` |' '| `bench` | | `src/cli` |' '| `examples` | | `include` |'
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
if by_include $(find . -name '*.[ch]' | sed 's|^\./||' | sort) >found.txt; then echo "the check accepted a tree with wrong includes"; exit 1; fi
sed -E 's/^([^:]*:[0-9]+:).*/\1/' found.txt | diff expected.txt - || { echo "the check (>) does not find what it should (<)"; exit 1; }

put symbols.nm 'x.dir/src/base/a.c.o: tl_a T 0 0' 'x.dir/src/base/a.c.o: tl_b U' 'x.dir/src/base/a.c.o: malloc U' 'x.dir/src/base/b.c.o: tl_b D 0 0' \
    'x.dir/src/base/b.c.o: tl_a U' 'x.dir/src/compute/c.c.o: tl_c T 0 0' 'x.dir/src/compute/c.c.o: tl_l U' 'x.dir/src/compute/c.c.o: tl_b U' \
    'x.dir/layers/l.c.o: tl_l R 0 0' 'x.dir/layers/l.c.o: tl_m U' 'x.dir/layers/m.c.o: tl_m T 0 0' 'x.dir/layers/m.c.o: tl_c U'
if by_symbol <symbols.nm >symbols.txt; then echo "the check accepted symbols that go in circles"; exit 1; fi
for line in 'src/compute/c.c -> layers/l.c: tl_l: src/compute may not use layers' 'layers/l.c -> layers/m.c: tl_m: a layer uses another' \
    'circle of files: src/base/..c -> tl_. -> src/base/..c -> tl_. -> src/base/..c' 'circle of files: .*tl_m -> layers/m.c.*'; do
    grep -qx "$line" symbols.txt || { echo "the check of symbols does not find \"$line\":"; cat symbols.txt; exit 1; }
done

cd "$source"
# shellcheck disable=SC2046
by_include $(find include src layers optim bench examples python -name '*.[ch]' | sort)
long=$(grep -ohE 'static void given_[A-Za-z0-9_]{64,}' tests/*.c | sed 's/static void //')
[ -z "$long" ] || { echo "names of tests with 70 characters or more:"; echo "$long"; exit 1; }
tr '\n' '\0' <"$objects" | xargs -0 "$nm" -A -g -P | by_symbol
