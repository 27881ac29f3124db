#!/bin/sh
# Builds the library with structs that have grown, and runs the program that knows the kept ones with it.
#
# usage: grown.sh CMAKE CC SOURCE HEADERS WORK    HEADERS: as run.sh takes them
set -eu
cmake=$1 cc=$2 source=$3 headers=$4 work=$5
here=$(pwd)
rm -rf "$work"
mkdir -p "$work/tree"
(cd "$source" && tar -cf - CMakeLists.txt LICENSE README.md CHANGELOG.md cmake include src layers optim) | tar -xf - -C "$work/tree"
for header in "$work"/tree/include/tapline/*.h; do
    awk -f "$here/grow.awk" "$header" >"$work/header.h"
    mv "$work/header.h" "$header"
done
grep -rq 'int64_t future;' "$work/tree/include" || { echo "abi: no struct has grown"; exit 1; }
"$cmake" -S "$work/tree" -B "$work/build" -G Ninja -D CMAKE_C_COMPILER="$cc" -D CMAKE_BUILD_TYPE=Debug -D TAPLINE_TESTS=OFF -D TAPLINE_EXAMPLES=OFF \
    -D TAPLINE_COMMAND=OFF -D TAPLINE_MPI=OFF >"$work/configure.log"
"$cmake" --build "$work/build" --target tapline_shared >"$work/build.log" || { tail -n 20 "$work/build.log"; exit 1; }
exec ./run.sh "$cc" "" "$headers" "$work/build/libtapline.so" "$work/run"
