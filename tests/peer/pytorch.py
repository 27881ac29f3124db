"""FCN and ResNet of full size: with the weights of PyTorch, outputs are equal; exported weights are equal to the imported ones."""

import json
import math
import pathlib
import tempfile

from peer import predictions, require, run

numpy, torch, safetensors = require("numpy", "torch", "safetensors.torch")

import export

SERIES, LENGTH, CHANNELS, CLASSES = 6, 150, 3, 4
TOLERANCE = {"f32": (1.3e-6, 1e-5), "f64": (1e-7, 1e-7)}  # of torch.testing.assert_close


def make(kind):
    """Returns a network with PyTorch's initial weights, and running statistics after some training passes."""
    torch.manual_seed(3)
    net = kind(CHANNELS, CLASSES)
    for _ in range(20):
        net(2 * torch.randn(8, CHANNELS, LENGTH) + 0.5)
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias)
    return net.eval()


def check(kind, name, names, precision):
    with tempfile.TemporaryDirectory() as folder:
        where = pathlib.Path(folder)
        net, x = make(kind), torch.randn(SERIES, CHANNELS, LENGTH)
        weights, data, model, again = (where / file for file in ("weights", "data.npz", "model", "again"))
        safetensors.save_file(net.state_dict(), weights)
        numpy.savez(data, x=x.transpose(1, 2).numpy(), y=numpy.arange(SERIES) % CLASSES)
        (where / "names.json").write_text(json.dumps(names))
        mapped = ("--map", where / "names.json") if names else ()
        run("import", weights, data, "--arch", name, "--normalize", "none", "--precision", precision, "--out", model, *mapped)
        with torch.no_grad():
            expected = net.double()(x.double()).softmax(1)
        found = torch.tensor(predictions(model, data), dtype=torch.float64)
        relative, absolute = TOLERANCE[precision]
        torch.testing.assert_close(found, expected, rtol=relative, atol=absolute)
        allowed = absolute + relative * expected.abs()
        print(f"{name} {precision}: outputs off by {((found - expected).abs() / allowed).max():.2g} of what is allowed")
        net.float()
        fcn_names = {"conv1": "conv1d_1", "conv2": "conv1d_2", "conv3": "conv1d_3", "fc": "dense_1"}
        fcn_names |= {f"bn{i}": f"batch_norm_{i}" for i in (1, 2, 3)}
        (where / "names.json").write_text(json.dumps(names or fcn_names))
        run("export", model, "--map", where / "names.json", "--precision", "f32", "--out", again)
        state = safetensors.load_file(again)
        for key, array in net.state_dict().items():
            assert key.endswith("num_batches_tracked") or torch.equal(state[key], array), f"{name}: {key} differs"
        kind(CHANNELS, CLASSES).load_state_dict(state)  # strict: all names must be present, and no others
        print(f"{name} {precision}: {len(state)} tensors came back equal")


for precision in TOLERANCE:
    check(export.FCN, "fcn", None, precision)
    check(export.ResNet, "resnet", export.resnet_map(), precision)
