"""Writes a network of peers/keras_networks.py as a TFLite file. usage: python -m peers.convert CASE FILE"""

import json
import os
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"
import tensorflow

from peers import keras_networks

case, path = json.loads(sys.argv[1]), sys.argv[2]
model = keras_networks.build(case, case["batch"])
with open(path, "wb") as file:
    file.write(tensorflow.lite.TFLiteConverter.from_keras_model(model).convert())
