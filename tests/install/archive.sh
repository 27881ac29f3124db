#!/bin/sh
# Packs a build with CPack, unpacks the archive elsewhere, and uses the command and the library there.
#
# usage: archive.sh CPACK BUILD
set -eu
cpack=$1 build=$2
work=$build/archive
rm -rf "$work"
mkdir -p "$work/unpacked"
"$cpack" --config "$build/CPackConfig.cmake" -G TGZ -B "$work" >"$work/cpack.log" 2>&1 || { tail -n 20 "$work/cpack.log"; exit 1; }
tar -C "$work/unpacked" -xzf "$work"/tapline-*.tar.gz --strip-components=1
"$work/unpacked/bin/tapline" --version
"$work/unpacked/bin/tapline" train --epochs 2 --quiet >"$work/report.txt"
PKG_CONFIG_PATH=$(dirname "$(find "$work/unpacked" -name tapline.pc)")
export PKG_CONFIG_PATH
# shellcheck disable=SC2046 # lists of options
cc -o "$work/train" "$work"/unpacked/share/doc/tapline/examples/train.c $(pkg-config --cflags --libs tapline) \
    "-Wl,-rpath,$(pkg-config --variable=libdir tapline)"
"$work/train" | tail -n 1
[ -f "$work/unpacked/share/man/man1/tapline-train.1" ] || { echo "the archive has no manual pages"; exit 1; }
echo ok
