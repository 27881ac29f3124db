#!/bin/sh
# Installs a build into an empty folder and uses it as other projects would.
#
# usage: run.sh SOURCE BUILD LIBDIR CMAKE CC FLAGS    LIBDIR: relative to the prefix; FLAGS: what programs of this build need (sanitizers)
set -eu
source=$1 build=$2 libdir=$3 cmake=$4 CC=$5 flags=$6
here=$source/tests/install
work=$build/consumers
rm -rf "$work"
mkdir -p "$work"
"$cmake" --install "$build" --prefix "$work/prefix" >"$work/install.log"

run_all() { # FOLDER
    for library in tapline tapline_static; do "$1/use_$library" f32 || { echo "$1/use_$library failed"; exit 1; }; done
    for library in tapline_f64 tapline_f64_static; do "$1/use_$library" f64 || { echo "$1/use_$library failed"; exit 1; }; done
}

echo "find_package"
"$cmake" -S "$here" -B "$work/package" -G Ninja -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_C_COMPILER="$CC" -DCMAKE_C_FLAGS="$flags" \
    >"$work/package.log"
"$cmake" --build "$work/package" >>"$work/package.log" || { cat "$work/package.log"; exit 1; }
run_all "$work/package"

echo "find_package without C"
cxx=$(sed -n 's/^CMAKE_CXX_COMPILER:[A-Z]*=//p' "$build/CMakeCache.txt")
if [ -n "$cxx" ]; then
    "$cmake" -S "$here/cplusplus" -B "$work/cplusplus" -G Ninja -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_CXX_COMPILER="$cxx" -DCMAKE_CXX_FLAGS="$flags" \
        >"$work/cplusplus.log"
    "$cmake" --build "$work/cplusplus" >>"$work/cplusplus.log" || { cat "$work/cplusplus.log"; exit 1; }
    for library in tapline tapline_static; do "$work/cplusplus/use_$library" || { echo "cplusplus/use_$library failed"; exit 1; }; done
fi

echo "a component that is unknown"
mkdir "$work/unknown"
printf 'cmake_minimum_required(VERSION 3.25)\nproject(consumer NONE)\nfind_package(tapline REQUIRED COMPONENTS fast)\n' >"$work/unknown/CMakeLists.txt"
if "$cmake" -S "$work/unknown" -B "$work/unknown/build" -G Ninja -DCMAKE_PREFIX_PATH="$work/prefix" >"$work/unknown.log" 2>&1; then echo "is found"; exit 1; fi
tr -s '\n ' ' ' <"$work/unknown.log" | grep -q 'component "fast" is unknown; there are shared' || { cat "$work/unknown.log"; exit 1; }

if [ -z "$flags" ] && command -v python3 >/dev/null; then
    echo "ctypes"
    python3 "$here/consumer.py" "$work/prefix/$libdir/libtapline.so"
fi

echo "pkg-config"
mkdir "$work/pkg-config"
export PKG_CONFIG_PATH="$work/prefix/$libdir/pkgconfig"
for name in tapline tapline_f64; do
    # shellcheck disable=SC2046,SC2086 # these are lists of options
    "$CC" $flags $(pkg-config --cflags $name) -o "$work/pkg-config/use_$name" "$here/consumer.c" $(pkg-config --libs $name) \
        "-Wl,-rpath,$work/prefix/$libdir"
    # shellcheck disable=SC2046,SC2086
    "$CC" $flags $(pkg-config --cflags $name) -o "$work/pkg-config/use_${name}_static" "$here/consumer.c" \
        $(pkg-config --static --libs $name | sed "s/-l$name /-l:lib$name.a /")
done
run_all "$work/pkg-config"
for name in tapline tapline_f64; do
    if ldd "$work/pkg-config/use_${name}_static" | grep -q libtapline; then echo "use_${name}_static is linked with the shared library"; exit 1; fi
done

echo "installed headers"
for header in "$source"/include/tapline/*.h; do
    [ -f "$work/prefix/include/tapline/$(basename "$header")" ] || { echo "$(basename "$header") is not installed"; exit 1; }
done
if [ -f "$work/prefix/$libdir/libtapline_f64.so" ]; then
    nm -D --defined-only "$work/prefix/$libdir/libtapline_f64.so" | awk '{ print $3 }' | sort >"$work/exported.txt"
    sed -n 's/^#define tl_[a-z0-9_]* //p' "$work/prefix/include/tapline/names_f64.h" | sort >"$work/renamed.txt"
    cmp "$work/exported.txt" "$work/renamed.txt" || { echo "names_f64.h does not rename what is exported"; exit 1; }
fi
for file in man/man3/tapline.3 man/man5/tapline-files.5; do
    [ -f "$work/prefix/share/$file" ] || { echo "$file is not installed"; exit 1; }
done
if [ -d "$build/pages" ]; then
    for file in man/man1/tapline.1 man/man1/tapline-train.1 bash-completion/completions/tapline zsh/site-functions/_tapline \
        fish/vendor_completions.d/tapline.fish; do
        [ -f "$work/prefix/share/$file" ] || { echo "$file is not installed"; exit 1; }
    done
fi
if [ -x "$work/prefix/bin/tapline" ]; then "$work/prefix/bin/tapline" --help >"$work/help.txt"; fi
echo ok
