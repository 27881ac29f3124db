"""Writes a network of peers/torch.py as an ONNX file. usage: python -m peers.export CASE FILE"""

import json
import sys

import torch

from peers import torch as networks

case, path = json.loads(sys.argv[1]), sys.argv[2]
model = networks.build(case).eval()
torch.onnx.export(
    model,
    (torch.randn(case["batch"], case["channels"], case["length"]),),
    path,
    input_names=["x"],
    output_names=["y"],
    dynamo=True,
    external_data=False,
    verbose=False,
)
