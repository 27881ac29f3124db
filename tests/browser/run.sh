#!/bin/sh
# Opens pages of `tapline train --report`, `eval --report` and `show` in headless Chromium, and checks that there is no message on its
# console, that nothing is wider than the window at 400, 1,000 and 1,800 pixels, that the answers at the top of a report are seen without
# scrolling (in a window of 1,000 × 800 pixels with their pictures), that parts which are scrolled are reached with the keyboard and, as
# pictures, have a name for screen readers, and that the page is printed on few sheets. Skipped without Chromium.
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

# Writes a page with a frame of this width, since a window has at least 500 pixels; its title becomes the widths of the page and of the frame, the
# lowest edges of the cards with the answers and of the answers, and the number of pictures and scrolled parts without a name or a place for the keyboard.
measure() { # FILE WIDTH
    # shellcheck disable=SC2016 # JavaScript
    sed 's#</body>#<script>parent.postMessage([document.documentElement.scrollWidth, innerWidth, ...[".card", ".answer"].map(part => Math.max(...["confused", "converged"].map(id => Math.ceil(document.querySelector(part === ".card" ? "\#" + id : "\#" + id + " .answer")?.getBoundingClientRect().bottom ?? 0)))), [...document.querySelectorAll("svg, main *")].filter(part => !part.getAttribute("aria-label") \&\& part.matches("svg") || ["auto", "scroll"].includes(getComputedStyle(part).overflowX) \&\& !(part.tabIndex === 0 \&\& part.role === "region" \&\& part.getAttribute("aria-label"))).length].join(" "), "*")</script></body>#' \
        "$1" >"measured_$1"
    echo "<title></title><script>onmessage = e => document.title = e.data</script><iframe src=\"measured_$1\" width=\"$2\" height=\"800\" style=\"border:0\"></iframe>" >frame.html
}

# Many classes with long names.
awk 'BEGIN { srand(1); for (i = 0; i < 120; i++) { printf "walking on stairs %d", i % 24; for (t = 0; t < 40; t++) printf ",%.3f", sin(t * (i % 24) / 40) + rand(); print "" } }' >many.csv
"$command" train many.csv --arch timecnn --epochs 20 --folds 4 --seed 1 --quiet --report many.html >many.txt
"$command" train builtin:cbf --arch timecnn --epochs 30 --folds 5 --seed 1 --quiet --out net.safetensors --report train.html >train.txt
"$command" eval net.safetensors builtin:cbf/test --report eval.html >eval.txt
"$command" show builtin:cbf --out show.html
"$command" show net.safetensors --out net.html
for page in train.html many.html eval.html show.html net.html; do
    for wide in 400 1000 1800; do
        open_page "$page" "$wide" 800 --screenshot="$work/$page.$wide.png"
        [ ! -s console.txt ] || { complain "$page" "messages on the console:"; cat console.txt; }
        measure "$page" "$wide"
        open_page frame.html 2000 900 --virtual-time-budget=5000 --dump-dom >dom.txt
        sed -n 's|.*<title>\([0-9 ]*\)</title>.*|\1|p' dom.txt >numbers.txt
        read -r page_width window cards answers nameless <numbers.txt || complain "$page" "could not be measured"
        [ "$page_width" -le "$window" ] || complain "$page" "is $page_width pixels wide in a window of $window"
        [ "$nameless" -eq 0 ] || complain "$page" "$nameless pictures or scrolled parts have no name, or cannot be reached with the keyboard"
        [ "$answers" -le 800 ] || complain "$page" "the answers end at $answers, below 800 pixels, in a window of $window"
        [ "$wide" -lt 1000 ] || [ "$cards" -le 800 ] || complain "$page" "their pictures end at $cards, below 800 pixels"
    done
    open_page "$page" 1000 800 --print-to-pdf="$work/$page.pdf"
    [ "$(head -c 5 "$page.pdf")" = "%PDF-" ] || complain "$page" "cannot be printed"
    sheets=$(grep -ac '/Type /Page$' "$page.pdf")
    [ "$sheets" -le 6 ] || complain "$page" "is printed on $sheets sheets"
done
exit $failed
