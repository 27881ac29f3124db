#!/bin/sh
# Tests networks as C files on a Cortex-M4: compiles them with arm-none-eabi-gcc, checks their size, and compares their outputs under qemu with
# those of tapline. Needs the packages of `./install-deps device`; skipped (exit code 77) without them.
#
# usage: run.sh COMMAND WORK    COMMAND: path of tapline
set -eu
here=$(cd "$(dirname "$0")" && pwd)
tapline=$1 work=$2
for program in arm-none-eabi-gcc arm-none-eabi-size qemu-system-arm; do
    command -v "$program" >/dev/null || { echo "skipped: no $program (./install-deps device)"; exit 77; }
done
rm -rf "$work"
mkdir -p "$work"
cd "$work"
cpu="-mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16"
# shellcheck disable=SC2086 # lists of options
compile() { arm-none-eabi-gcc $cpu -std=c99 -Os -ffunction-sections -fdata-sections -Wall -Wextra -Wconversion -pedantic -Werror "$@"; }
# shellcheck disable=SC2086
startup=$(arm-none-eabi-gcc $cpu -print-file-name=rdimon-crt0.o)
# link: a program that prints through qemu. link_alone: a firmware without the start code of the C library.
link() { compile "$here/cortex_m.c" "$startup" -T "$here/cortex_m.ld" -nostartfiles --specs=rdimon.specs -Wl,--gc-sections "$@" -lm; }
link_alone() { compile "$here/cortex_m.c" "$here/firmware.c" -T "$here/cortex_m.ld" -nostartfiles -Wl,--gc-sections -I. "$@" -lm; }
run() { timeout 120 qemu-system-arm -M mps2-an386 -nographic -semihosting -kernel "$1"; }

flash_of() { arm-none-eabi-size -A "$1" | awk '$1 == ".text" || $1 == ".data" || $1 == ".ARM.exidx" { sum += $2 } END { print sum }'; }

# For each network: its test program on the device, and the size of a firmware.
for arch in lite timecnn tcn; do
    "$tapline" train builtin:cbf --arch "$arch" --epochs 1 --seed 1 --out "$arch.safetensors" >train.log 2>&1 || { cat train.log; exit 1; }
    "$tapline" export "$arch.safetensors" --out net.c --header net.h
    link -DNET_TEST net.c -o test.elf
    echo "$arch: $(run test.elf)"
    "$tapline" export "$arch.safetensors" --out net.c --no-libm >export.log
    link -DNET_TEST net.c -o test.elf
    echo "$arch, --no-libm: $(run test.elf)"
    link_alone net.c -o firmware.elf
    flash=$(flash_of firmware.elf)
    echo "$arch: $flash bytes of flash"
    [ "$arch" != lite ] || [ "$flash" -lt 48000 ] || { echo "lite: more than 48000 bytes"; exit 1; }
done

# In 8-bit integers.
"$tapline" quantize lite.safetensors --calibrate builtin:cbf --no-libm --out net.c --header net.h >quantize.log
link -DNET_TEST net.c -o test.elf
echo "lite, 8 bits, --no-libm: $(run test.elf)"
link_alone net.c -o firmware.elf
flash=$(flash_of firmware.elf)
echo "lite, 8 bits, --no-libm: $flash bytes of flash"
[ "$flash" -lt 20000 ] || { echo "lite, 8 bits, --no-libm: more than 20000 bytes"; exit 1; }
