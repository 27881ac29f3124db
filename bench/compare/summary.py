"""What the turns say: ratios, as numbers and as tables.

A ratio is a peer's time over tapline's in the same round (above 1: tapline is faster), so that what slows the machine for a
while slows both. Of the rounds' ratios the median is given, with minimum and maximum. Convolutions go by the best time of
a turn, networks by its median.
"""

import math
import statistics

KINDS = {"conv": (("forward", "all"), "best"), "step": (("step", "infer", "infer1"), "median")}


def spread(values):
    return {"median": statistics.median(values), "minimum": min(values), "maximum": max(values)}


def rounds(entry, what, which):
    """[{contender: milliseconds}] of each round."""
    count = len(entry["turns"]["tapline"])
    found = [{} for _ in range(count)]
    for name, turns in entry["turns"].items():
        for number, turn in enumerate(turns):
            if what in turn:
                found[number][name] = turn[what][which]
    return found


def ratios(entry, what, which):
    """{peer: spread of its ratios}, "fastest" being whoever was the fastest peer of a round."""
    found = {}
    for times in rounds(entry, what, which):
        own = times["tapline"]
        others = {name: time / own for name, time in times.items() if name != "tapline"}
        if others:
            others["fastest"] = min(others.values())
        for name, ratio in others.items():
            found.setdefault(name, []).append(ratio)
    return {name: spread(values) for name, values in found.items()}


def overall(entries, what):
    """{peer: geometric mean and minimum of its median ratios, and where that is}."""
    found = {}
    for name in {name for entry in entries for name in entry[what]}:
        values = {entry["name"]: entry[what][name]["median"] for entry in entries if name in entry[what]}
        worst = min(values, key=values.get)
        found[name] = {
            "mean": math.exp(statistics.fmean(math.log(v) for v in values.values())),
            "minimum": values[worst],
            "where": worst,
            "count": len(values),
        }
    return found


def summarise(found):
    result = {}
    for kind, (whats, which) in KINDS.items():
        entries = []
        for entry in found[kind]:
            line = {"name": entry["name"]} | {what: ratios(entry, what, which) for what in whats}
            own = entry["turns"]["tapline"]
            line["tapline"] = {what: spread([turn[what][which] for turn in own]) for what in whats}
            if kind == "conv":
                line["fraction_of_peak"] = {
                    p: statistics.median(turn[p]["fraction_of_peak"] for turn in own) for p in ("forward", "dx", "dw", "all")
                }
                line["engines"] = {p: own[0][p]["engine"] for p in ("forward", "dx", "dw")}
            else:
                line["step_over_conv"] = statistics.median(turn["step_over_conv"] for turn in own)
            entries.append(line)
        if entries:
            result[kind] = {"entries": entries, "overall": {what: overall(entries, what) for what in whats}}
    if found.get("train"):
        own, peer = found["train"]["tapline"], found["train"]["torch"]
        result["train"] = {
            name: {key: spread([turn[key] for turn in turns]) for key in ("seconds", "megabytes", "accuracy")}
            for name, turns in found["train"].items()
        }
        result["train"]["ratio"] = spread([theirs["seconds"] / ours["seconds"] for ours, theirs in zip(own, peer)])
    return result


def cell(value):
    if value is None:
        return f"{'–':>24}"
    return f"{value['median']:.2f} ({value['minimum']:.2f}–{value['maximum']:.2f})".rjust(24)


def print_table(title, part, what, columns, last):
    print(f"\n{title}")
    print(f"{'':<14}{'tapline, ms':>14}" + "".join(f"{column:>24}" for column in columns) + f"   {last[0]}")
    for entry in part["entries"]:
        own = entry["tapline"][what]["median"]
        print(
            f"{entry['name']:<14}{own:>14.4g}"
            + "".join(cell(entry[what].get(column)) for column in columns)
            + f"   {last[1](entry)}"
        )
    means = part["overall"][what]
    for label, text in (("mean", lambda m: f"{m['mean']:.2f}"), ("minimum", lambda m: f"{m['minimum']:.2f} {m['where']}")):
        print(f"{'  ' + label:<28}" + "".join((text(means[c]) if c in means else "–").rjust(24) for c in columns))


def print_training(part):
    print("\nFCN on ItalyPowerDemand, 300 epochs, from the start of the process to its end")
    print(f"{'':<14}{'seconds':>26}{'peak memory, MB':>26}{'test accuracy':>26}")
    for name in ("tapline", "torch"):
        print(f"{name:<14}" + "".join(f"{cell(part[name][key]):>26}" for key in ("seconds", "megabytes"))
              + "{median:.3f} ({minimum:.3f}–{maximum:.3f})".format(**part[name]["accuracy"]).rjust(26))
    print(f"{'ratio':<14}{cell(part['ratio']):>26}")


def engines(entry):
    return " ".join(f"{p} {entry['engines'][p]} {100 * entry['fraction_of_peak'][p]:.0f} %" for p in ("forward", "dx", "dw"))


def print_tables(found):
    parts, versions = found["summary"], found["versions"]
    peers = [name for name in versions if name != "tapline"]
    print(
        f"{', '.join(versions.values())}; {found['date']}; "
        f"{found['machine']['isa']}, {found['threads']} thread(s), {found['precision']}; "
        f"{found['rounds']} round(s) of {found['seconds']} s"
    )
    print("ratio: time of the peer over that of tapline, median (minimum–maximum) of the rounds; mean: geometric")
    titles = {
        "forward": "convolution, forward",
        "all": "convolution, forward and backward",
        "step": "training step",
        "infer": "inference",
        "infer1": "inference of one sample",
    }
    if "train" in parts:
        print_training(parts["train"])
    for kind, (whats, _) in KINDS.items():
        for what in whats:
            if what not in parts.get(kind, {"overall": {}})["overall"]:
                continue
            columns = ["fastest"] + [p for p in peers if p in parts[kind]["overall"][what]]
            last = (
                ("engine and share of the multiply-add peak", engines)
                if kind == "conv"
                else ("step over its convolutions", lambda entry: f"{entry['step_over_conv']:.2f}")
            )
            print_table(titles[what], parts[kind], what, columns, last)
