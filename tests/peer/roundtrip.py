"""Exchanges files between tapline and Python: arrays of NumPy, and models in safetensors. All bits must be equal."""

import json
import pathlib
import tempfile

from peer import predictions, require, run, run_json

numpy, safetensors, arrays = require("numpy", "safetensors", "safetensors.numpy")
folder = tempfile.TemporaryDirectory()
where = pathlib.Path(folder.name)


def same(what, a, b):
    assert a.shape == b.shape and a.dtype == b.dtype and (a == b).all(), f"{what}: differs"


# ---- arrays of NumPy ----


def write_network(name, *layers):
    path = where / name
    path.write_text(json.dumps({"layers": layers}))
    return path


def check_array(x, write=numpy.savez, **names):
    """An empty network, without training, predicts the series themselves."""
    series, model = where / "series.npz", where / "identity.safetensors"
    write(series, **({"x": x, "y": numpy.full((len(x), x[0].size), 0.5)} | names))  # a target for each output
    arrays.save_file({}, where / "nothing.safetensors")
    network = write_network("identity.json", {"type": "flatten"} if x.ndim == 3 else {"type": "dropout", "rate": 0.5})
    run("import", where / "nothing.safetensors", series, "--arch", network, "--normalize", "none", "--out", model, "--precision", "f64")
    read = numpy.array(predictions(model, series)).reshape(len(x), -1)
    same(f"{x.dtype} {x.shape}", read, x.astype(float).reshape(len(x), -1))


def check_arrays():
    numbers = numpy.random.default_rng(1)
    kinds = ("<f4", "<f8", "<i1", "<i2", "<i4", "<i8", "<u1", "<u2", "<u4", "|b1")
    for kind in kinds:
        x = (numbers.normal(size=(3, 5, 2)) * 50 % 100).astype(kind)
        check_array(x)
        check_array(x[:, :, 0], numpy.savez_compressed)
    check_array(numpy.ones((2, 3)), other=numpy.zeros(4))
    return 2 * len(kinds) + 1


def check_labels():
    """A table with the label first, where labels are texts."""
    texts = numpy.array(["größer", "a", "a", "größer"])
    numpy.savez(where / "texts.npz", x=numpy.ones((4, 2)), y=texts)
    table = numpy.array([[2, 0.5, 1], [1, 1.5, 2], [2, 2.5, 3]])
    numpy.save(where / "table.npy", table)
    arrays.save_file({}, where / "nothing.safetensors")
    network = write_network("identity.json", {"type": "flatten"})
    for name, classes in (("texts.npz", set(texts)), ("table.npy", {"1", "2"})):
        run("import", where / "nothing.safetensors", where / name, "--arch", network, "--out", where / "classes.safetensors")
        info = run_json("info", where / "classes.safetensors")
        assert set(info["class_names"]) == classes, info["class_names"]
        assert info["length"] == 2


# ---- models ----

NETWORK = (
    {"type": "conv1d", "filters": 3, "kernel": 4},
    {"type": "batch_norm"},
    {"type": "conv1d_transpose", "filters": 2, "kernel": 2},
    {"type": "flatten"},
    {"type": "dense", "units": "outputs"},
)


def check_model(precision, kind):
    numbers = numpy.random.default_rng(2)
    shapes = {"conv": (3, 2, 4), "up": (3, 2, 2), "out": (2, 2 * 6)}
    state = {f"{name}.weight": shape for name, shape in shapes.items()} | {"conv.bias": (3,), "up.bias": (2,), "out.bias": (2,)}
    state |= {f"norm.{name}": (3,) for name in ("weight", "bias", "running_mean", "running_var")}
    state = {name: numbers.normal(size=shape).astype(kind) for name, shape in state.items()}
    counted = state | {"norm.num_batches_tracked": numpy.array(7)}
    arrays.save_file(counted, where / "state.safetensors")
    numpy.savez(where / "data.npz", x=numpy.ones((4, 8, 2)), y=numpy.array([0, 1, 0, 1]))
    names = {"conv": "conv1d_1", "norm": "batch_norm_1", "up": "conv1d_transpose_1", "out": "dense_1"}
    (where / "names.json").write_text(json.dumps(names))
    model = where / "model.safetensors"
    network = write_network("network.json", *NETWORK)
    options = ("--arch", network, "--map", where / "names.json", "--precision", precision, "--out", model)
    run("import", where / "state.safetensors", where / "data.npz", *options)
    saved = arrays.load_file(model)
    expected = {
        "conv1d_1.weight": state["conv.weight"].transpose(2, 1, 0),
        "conv1d_1.bias": state["conv.bias"],
        "batch_norm_1.scale": state["norm.weight"],
        "batch_norm_1.shift": state["norm.bias"],
        "batch_norm_1.mean": state["norm.running_mean"],
        "batch_norm_1.variance": state["norm.running_var"],
        "conv1d_transpose_1.weight": state["up.weight"].transpose(2, 1, 0),
        "conv1d_transpose_1.bias": state["up.bias"],
        "dense_1.weight": state["out.weight"].reshape(2, 2, 6).transpose(2, 1, 0).reshape(12, 2),
        "dense_1.bias": state["out.bias"],
    }
    assert set(saved) == set(expected), set(saved) ^ set(expected)
    for name, array in expected.items():
        same(name, saved[name], array)
    with safetensors.safe_open(model, "np") as file:
        metadata = file.metadata()
    assert metadata["precision"] == precision and json.loads(metadata["architecture"])["output"] == "dense_1"
    run("export", model, "--map", where / "names.json", "--out", where / "again.safetensors")
    again = arrays.load_file(where / "again.safetensors")
    assert set(again) == set(state), set(again) ^ set(state)
    for name, array in state.items():
        same(name, again[name], array)
    return len(expected) + len(state)


checked = check_arrays()
check_labels()
print(f"{checked} files of NumPy read as they were written")
for precision, kind in (("f32", "float32"), ("f64", "float64")):
    print(f"{check_model(precision, kind)} arrays through safetensors in {precision}, equal to the last bit")
