#!/bin/sh
# Opens pages of `tapline train --report`, `eval --report` and `show` in headless Chromium, and checks that there is no message on its
# console, that nothing is wider than the window at 400, 1,000 and 1,800 pixels, that the two answers at the top of a report are seen
# without scrolling in a window of 1,000 × 800 pixels, and that the page can be printed. Skipped without Chromium.
#
# usage: run.sh COMMAND WORK    COMMAND: the path of tapline
set -eu
command=$1 work=$2
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || { echo "skipped: there is no Chromium"; exit 77; }
rm -rf "$work"
mkdir -p "$work"
cd "$work"
failed=0

complain() { # PAGE WHAT
    echo "$1: $2"
    failed=1
}

open_page() { # FILE WIDTH HEIGHT OPTION…: messages of the console to console.txt
    file=$1 width=$2 height=$3
    shift 3
    timeout 120 "$browser" --headless=new --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$work/profile" --enable-logging=stderr \
        --window-size="$width,$height" "$@" "file://$work/$file" 2>browser.log || complain "$file" "Chromium failed"
    grep CONSOLE browser.log >console.txt || true
}

# The widths of the page and of the window, and the lowest edge of the cards with the answers.
measure() { # FILE
    # shellcheck disable=SC2016 # JavaScript
    sed 's|</body>|<script>document.title = [document.documentElement.scrollWidth, innerWidth, ...["confused", "converged"].map(id => Math.ceil(document.getElementById(id)?.getBoundingClientRect().bottom ?? 0))].join(" ")</script></body>|' \
        "$1" >"measured_$1"
}

"$command" train builtin:cbf --arch timecnn --epochs 30 --folds 5 --seed 1 --quiet --out net.safetensors --report train.html >train.txt
"$command" eval net.safetensors builtin:cbf/test --report eval.html >eval.txt
"$command" show builtin:cbf --out show.html
for page in train.html eval.html show.html; do
    measure "$page"
    for width in 400 1000 1800; do
        open_page "$page" "$width" 800 --screenshot="$work/$page.$width.png"
        [ ! -s console.txt ] || { complain "$page" "messages on the console:"; cat console.txt; }
        open_page "measured_$page" "$width" 800 --dump-dom >dom.txt
        sed -n 's|.*<title>\([0-9 ]*\)</title>.*|\1|p' dom.txt >numbers.txt
        read -r page_width window confused converged <numbers.txt || complain "$page" "could not be measured"
        [ "$page_width" -le "$window" ] || complain "$page" "is $page_width pixels wide in a window of $window"
        if [ "$width" = 1000 ] && { [ "$confused" -gt 800 ] || [ "$converged" -gt 800 ]; }; then
            complain "$page" "the answers end at $confused and $converged, below 800 pixels"
        fi
    done
    open_page "$page" 1000 800 --print-to-pdf="$work/$page.pdf"
    [ "$(head -c 5 "$page.pdf")" = "%PDF-" ] || complain "$page" "cannot be printed"
done
exit $failed
