"""Plots of a comparison, as SVG, by gnuplot."""

import os
import statistics
import subprocess

from contenders import Failed
from summary import rounds

STYLE = """
set terminal svg size 1120,420 font 'sans-serif,13' background 'white'
set output '{file}'
set title '{title}'
set key outside top center horizontal
set title offset 0,0.5
set grid ytics lc rgb '#dddddd'
set border 3 lc rgb '#888888'
set tics nomirror
"""
COLOURS = ["#0b6e99", "#d9730d", "#6940a5", "#0f7b6c", "#ad1a72", "#787774"]


def gnuplot(folder, name, title, commands, tables):
    """Runs the commands; `tables` are lists of rows, the data blocks $table0, $table1 …"""
    file = os.path.join(folder, name + ".svg")
    text = STYLE.format(file=file, title=title)
    for number, rows in enumerate(tables):
        text += f"$table{number} << EOD\n" + "\n".join(" ".join(str(v) for v in row) for row in rows) + "\nEOD\n"
    try:
        done = subprocess.run(["gnuplot"], input=text + commands, text=True, stderr=subprocess.PIPE)
    except OSError as error:
        raise Failed(f"gnuplot: {error.strerror}") from error
    if done.returncode != 0:
        raise Failed(f"gnuplot: {done.stderr.strip()}")
    print(f"{file}")


def subtitle(found):
    threads = f"{found['threads']} thread{'s' if found['threads'] > 1 else ''}"
    return f"{found['machine']['isa']}, {found['precision']}, {threads}, {found['date']}"


def escape(name):
    return '"' + name.replace("_", " ") + '"'


def line_at_one():
    return "set arrow from graph 0, first 1 to graph 1, first 1 nohead dashtype 2 lc rgb '#444444'\n"


def bars(count):
    return "set style data histogram\nset style histogram clustered gap 1\nset style fill solid\nset xtics font ',11'\n" + "".join(
        f"set linetype {i + 1} lc rgb '{COLOURS[i]}'\n" for i in range(count)
    )


def plot_peak(found, folder):
    entries = found["summary"]["conv"]["entries"]
    passes = ("forward", "dx", "dw")
    rows = [[escape(e["name"])] + [e["fraction_of_peak"][p] for p in passes] for e in entries]
    series = ", ".join(f"$table0 using {i + 2}{':xtic(1)' if i == 0 else ''} title '{p}'" for i, p in enumerate(passes))
    gnuplot(
        folder,
        "fraction_of_peak",
        f"Convolution: share of the multiply-add peak ({subtitle(found)})",
        bars(3) + line_at_one() + f"set yrange [0:]\nset ylabel 'share of peak'\nplot {series}\n",
        [rows],
    )


def plot_ratios(found, folder, kind, what, name, title):
    part = found["summary"][kind]
    peers = [p for p in found["versions"] if p != "tapline" and p in part["overall"][what]]
    rows = [[escape(e["name"])] + [e[what][p]["median"] if p in e[what] else "NaN" for p in peers] for e in part["entries"]]
    series = ", ".join(
        f"$table0 using {i + 2}{':xtic(1)' if i == 0 else ''} title '{found['versions'][p]}'" for i, p in enumerate(peers)
    )
    values = [v for row in rows for v in row[1:] if v != "NaN"]
    gnuplot(
        folder,
        name,
        f"{title} ({subtitle(found)})",
        bars(len(peers)) + line_at_one() + f"set logscale y 2\nset yrange [{min(0.5, 0.8 * min(values))}:]\n"
        f"set ylabel 'times as long as tapline'\nplot {series}\n",
        [rows],
    )


def operations(shape):
    """Of the three passes, padding included."""
    outputs = shape["length"] if shape["padding"] != "valid" else shape["length"] - (shape["kernel"] - 1) * shape["dilation"]
    return 6.0 * shape["batch"] * outputs * shape["filters"] * shape["channels"] * shape["kernel"]


def plot_sweep(found, folder, key, entries):
    names = [name for name in found["versions"] if any(name in e["turns"] and "all" in e["turns"][name][0] for e in entries)]
    tables = []
    for name in names:
        rows = []
        for entry in entries:
            times = [times[name] for times in rounds(entry, "all", "best") if name in times]
            peak = statistics.median(turn["peak_gflops"] for turn in entry["turns"]["tapline"]) * found["threads"]
            if times:
                rows.append([entry["shape"][key], 1e6 * statistics.median(times) * peak / operations(entry["shape"])])
        tables.append(rows)
    series = ", ".join(
        f"$table{i} using 1:2 with linespoints lw 2 pt 7 ps 0.6 lc rgb '{COLOURS[i]}' title '{found['versions'][name]}'"
        for i, name in enumerate(names)
    )
    gnuplot(
        folder,
        "cost_" + key,
        f"Convolution, forward and backward: cost against {key} ({subtitle(found)})",
        line_at_one()
        + f"set logscale xy\nset format x '%.0f'\nset xlabel '{key}'\nset ylabel 'time over that of its multiply-adds at peak'\n"
        f"plot {series}\n",
        tables,
    )


def draw(found, folder):
    os.makedirs(folder, exist_ok=True)
    parts = found["summary"]
    if "conv" in parts:
        plot_peak(found, folder)
        if parts["conv"]["overall"]["all"]:
            plot_ratios(found, folder, "conv", "all", "conv_ratios", "Convolution, forward and backward: peers")
            plot_ratios(found, folder, "conv", "forward", "conv_forward_ratios", "Convolution, forward: peers")
    if "step" in parts and parts["step"]["overall"]["step"]:
        plot_ratios(found, folder, "step", "step", "step_ratios", "Training step: peers")
        plot_ratios(found, folder, "step", "infer", "infer_ratios", "Inference: peers")
    for key, entries in found["sweep"].items():
        plot_sweep(found, folder, key, entries)
