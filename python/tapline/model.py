"""Networks at the lower tier: build, train and inspect them, pass by pass."""

from __future__ import annotations

import ctypes
import json
import os
from typing import TYPE_CHECKING, Any, Callable, Mapping, Optional, Sequence, Union

import numpy as np

from ._data import DataSet, Scaling, as_lengths
from ._library import (
    Handle,
    OwnLossFunction,
    address,
    byref,
    call,
    encode_settings,
    plain,
    take_bytes,
    take_text,
    view,
)
from ._training import Callback, Result, train

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

Architecture = Union[str, Mapping[str, Any], "os.PathLike[str]"]
Loss = Union[str, Callable[["NDArray[np.float32]", "NDArray[np.float32]"], "tuple[float, ArrayLike]"]]

_MODES = {"inference": 0, "training": 1, "gradients": 2}
_CHUNK = 1024  # series of a call that predicts: Ctrl-C is seen between calls
_RIDGE = ("penalty", "error", "accuracy", "slope", "features", "constant", "seconds")
_NO_LIMIT = 2**63 - 1  # bytes of memory: a file from elsewhere could describe a network of any size, a copy cannot
_METRICS = ("loss", "accuracy", "rmse", "mae", "balanced_accuracy", "f1", "auroc", "r2")


def ready_made() -> list[str]:
    """The names of the ready-made networks."""
    names: list[str] = []
    while (name := plain("architecture_name")(len(names))) is not None:
        names.append(name.decode())
    return names


def read_architecture(architecture: Architecture) -> str:
    """The name of a ready-made network, or the JSON of another: from a dictionary, a text or a file."""
    if isinstance(architecture, Mapping):
        return json.dumps(architecture)
    text = os.fspath(architecture)
    if text in ready_made() or text.lstrip().startswith("{"):
        return text
    if not os.path.exists(text):
        names = ", ".join(ready_made())
        raise FileNotFoundError(f'architecture "{text}" is no file; ready-made networks are {names}')
    with open(text, encoding="utf-8") as file:
        return file.read()


def as_series(x: ArrayLike) -> NDArray[np.float32]:
    """Series as the library takes them: (count, length, channels), float32. Copied only where layout or type differ."""
    array = np.ascontiguousarray(x, dtype=np.float32)
    if array.ndim == 2:
        array = array[:, :, np.newaxis]
    if array.ndim != 3:
        raise ValueError(f"x has shape {array.shape}; it should be (count, length, channels) or (count, length)")
    return array


def _own_loss(function: Callable[..., Any], raised: list[BaseException]) -> Any:
    """A loss of the user as the library calls it, once for each step of a sample."""

    def loss(y: int, values: int, channels: int, gradient: Optional[int], user: Optional[int]) -> float:
        try:
            value, slope = function(view(y, (channels,)), view(values, (channels,)))
            if gradient:
                view(gradient, (channels,))[:] = slope
            return float(value)
        except BaseException as problem:  # noqa: B036 - it is raised again when the library has ended
            raised.append(problem)
            return float("nan")

    return OwnLossFunction(loss)


class Model:
    """A network of tapline.

    Series are ``(count, length, channels)`` here, channels last, as in the C library; the estimators take the order of aeon. Arrays
    of float32 that are C-contiguous are not copied.

    Parameters
    ----------
    architecture : str, dict or path, optional
        A ready-made network (``"fcn"``, ``"resnet"``, ``"inception"``, ``"timecnn"``, ``"lite"``, ``"tcn"``, ``"wavenet"``,
        ``"unet"``, ``"minirocket"``, ``"multirocket"``, ``"hydra"``, ``"multirocket-hydra"``; ``"inceptiontime"`` and
        ``"litetime"`` are one network of these ensembles), or the layers as a dictionary, as JSON or in a JSON file
        (``docs/architectures.md``). None: layers are added by :meth:`add`.
    length, channels : int
        The shape of a series.
    outputs : int, default=1
        Value of ``"outputs"`` in the architecture: number of classes, or of target values.
    seed : int, default=0
        Seed of initial parameters, dropout and shuffling.
    threads : int, default=1
        Number of threads; 0: number of processors. Results do not depend on it.
    engine : str, default="auto"
        How convolutions are computed: ``"auto"``, ``"direct"``, ``"winograd"``, ``"gemm"`` or ``"naive"``.

    Examples
    --------
    >>> import numpy as np
    >>> from tapline import Model
    >>> model = Model(length=20, outputs=2, seed=1)
    >>> first = model.add("conv1d", filters=8, kernel=5, padding="same")
    >>> _ = model.add("relu")
    >>> _ = model.add("global_average_pool")
    >>> _ = model.add("dense", units="outputs")
    >>> _ = model.compile(batch=4)
    >>> x = np.random.default_rng(0).normal(size=(8, 20)).astype(np.float32)
    >>> y = np.arange(8) % 2
    >>> result = model.fit(x, y, epochs=3)
    >>> result.epochs, model.predict(x).shape
    (3, (8, 2))
    """

    def __init__(
        self,
        architecture: Optional[Architecture] = None,
        *,
        length: int,
        channels: int = 1,
        outputs: int = 1,
        seed: int = 0,
        threads: int = 1,
        engine: str = "auto",
    ) -> None:
        self._layers: list[dict[str, Any]] = []
        self._text = None if architecture is None else read_architecture(architecture)
        self._shape = (length, channels)
        self._outputs = outputs
        self._settings: dict[str, Any] = {"seed": seed, "threads": threads, "engine": engine}
        self._handle: Optional[Handle] = None
        self._loss_function: Any = None  # has to live as long as the model
        self._raised: list[BaseException] = []
        self._loss_name = ""
        self._x: Any = None  # of the last pass, which the library reads again in backward
        self._scaling = Scaling()

    # ---- building ----

    def add(
        self,
        type: str,
        inputs: Optional[Union[str, Sequence[str]]] = None,
        *,
        name: Optional[str] = None,
        **settings: Any,
    ) -> str:
        """Adds a layer.

        Parameters
        ----------
        type : str
            The kind of layer, such as ``"conv1d"``.
        inputs : str or list of str, optional
            Names of the layers that it reads, as :meth:`add` returned them; ``"input"`` is the network's input. None: the layer
            before.
        name : str, optional
            Its name; by default its kind and its number.
        **settings
            Its settings, such as ``filters=64, kernel=8, padding="same"``.

        Returns
        -------
        str
            The layer's name.
        """
        if self._text is not None:
            raise RuntimeError("layers are added to models without an architecture, before compile")
        name = name or f"layer_{len(self._layers) + 1}"
        layer: dict[str, Any] = {"type": type, "name": name, **settings}
        if inputs is not None:
            layer["inputs"] = [inputs] if isinstance(inputs, str) else list(inputs)
        self._layers.append(layer)
        return name

    def compile(
        self,
        *,
        batch: int = 32,
        loss: Loss = "cross-entropy",
        optimizer: str = "adam",
        learning_rate: Optional[float] = None,
        class_weights: Optional[ArrayLike] = None,
        input_gradient: bool = False,
        inference_only: bool = False,
        **settings: Any,
    ) -> "Model":
        """Checks the layers, allocates all memory, draws the initial parameters.

        Parameters
        ----------
        batch : int, default=32
            Maximum number of series in a pass.
        loss : str or callable, default="cross-entropy"
            ``"cross-entropy"``, ``"squared-error"``, ``"absolute-error"``, ``"huber"``, ``"binary-cross-entropy"``; or a
            function of one sample's outputs and target values, both of shape (outputs,), that returns the loss and its gradient.
        optimizer : str, default="adam"
            ``"adam"``, ``"adamw"``, ``"sgd"``, ``"rmsprop"`` or ``"adagrad"``.
        learning_rate : float, optional
            By default that of the optimizer.
        class_weights : array of shape (classes,), optional
            Weight of each class in the loss.
        input_gradient : bool, default=False
            Whether :meth:`backward` also computes the gradient of the input.
        inference_only : bool, default=False
            Without gradients and optimizer: the smallest memory, and the fastest predictions. Batch norms are folded into the
            weights of the layers before them, which changes predictions by rounding, unless ``fold_batch_norm=False`` is given.
        **settings
            ``momentum``, ``nesterov``, ``weight_decay``, ``l1``, ``beta1``, ``beta2``, ``alpha``, ``epsilon``, ``clip_value``,
            ``clip_norm``, ``label_smoothing``, ``huber_delta``, ``max_memory``, ``fold_batch_norm``.

        Returns
        -------
        Model
            This model.
        """
        if self._handle is not None:
            raise RuntimeError("the model is compiled already")
        if callable(loss):
            self._loss_function = _own_loss(loss, self._raised)
        self._loss_name = "own" if callable(loss) else loss
        self._settings.update(
            settings, batch=batch, loss=self._loss_name, optimizer=optimizer, learning_rate=learning_rate,
            input_gradient=input_gradient, inference_only=inference_only,
        )  # fmt: skip
        if self._text is None:
            self._text = json.dumps({"layers": self._layers})
        weights = None if class_weights is None else np.ascontiguousarray(class_weights, dtype=np.float64)
        pointer = ctypes.c_void_p()
        own = ctypes.cast(self._loss_function, ctypes.c_void_p) if self._loss_function else None
        call(
            "model_new", encode_settings(self._settings), *self._shape, self._text.encode(), self._outputs,
            address(weights), own, byref(pointer),
        )  # fmt: skip
        self._handle = Handle(pointer, "model")
        return self

    def _compiled(self) -> Handle:
        if self._handle is None:
            raise RuntimeError("the model is not compiled yet: call compile() first")
        return self._handle

    def _call(self, name: str, *arguments: Any) -> None:
        handle = self._compiled()
        with handle.lock:
            try:
                call(name, handle, *arguments)
            finally:
                self._raise_own()

    def _raise_own(self) -> None:
        """What the loss of the user raised takes the place of what came of it."""
        if self._raised:
            raised = self._raised[0]
            self._raised.clear()
            raise raised

    # ---- what it is ----

    def _sizes(self) -> tuple[tuple[int, int], tuple[int, int], list[int]]:
        shapes = [(ctypes.c_size_t * 2)(), (ctypes.c_size_t * 2)()]
        numbers = (ctypes.c_size_t * 4)()
        plain("model_sizes")(self._compiled(), *shapes, numbers)
        given, made = ((int(shape[0]), int(shape[1])) for shape in shapes)
        return given, made, list(numbers)

    @property
    def input_shape(self) -> tuple[int, int]:
        """Length and channels of a series."""
        return self._sizes()[0]

    @property
    def output_shape(self) -> tuple[int, int]:
        """Length and channels of the output for a series."""
        return self._sizes()[1]

    @property
    def parameter_count(self) -> int:
        """Number of trainable parameters."""
        return self._sizes()[2][0]

    @property
    def memory(self) -> int:
        """Memory of the model in bytes."""
        return self._sizes()[2][1]

    @property
    def batch(self) -> int:
        """Maximum number of series in a pass."""
        return self._sizes()[2][2]

    @property
    def scaling(self) -> Scaling:
        """The scaling of series before the network, if the model was loaded from a file that contains it."""
        return self._scaling

    @property
    def steps(self) -> int:
        """Steps of the optimizer so far."""
        return self._sizes()[2][3]

    @property
    def loss_name(self) -> str:
        """The loss; ``"own"`` for one of your own."""
        self._compiled()
        return self._loss_name

    @property
    def architecture(self) -> dict[str, Any]:
        """The network: its input and its layers, each with its name."""
        pointer = ctypes.c_void_p()
        self._call("model_architecture", byref(pointer))
        description: dict[str, Any] = json.loads(take_text(pointer))
        return description

    def summary(self) -> str:
        """A table of the layers and their parameters.

        Returns
        -------
        str
            A line for each layer, and the sums.
        """
        counts: dict[str, int] = {}
        rest = self.parameter_count
        for name, array in self.parameters().items():
            if rest <= 0:
                break  # statistics come after all parameters
            layer = name.rpartition(".")[0]
            counts[layer] = counts.get(layer, 0) + array.size
            rest -= array.size
        seen: dict[str, int] = {}
        lines = []
        for layer in self.architecture["layers"]:
            kind = layer["type"]
            seen[kind] = seen.get(kind, 0) + 1
            count = counts.get(f"{kind}_{seen[kind]}", 0)
            lines.append(f"{layer.get('name', ''):<28} {kind:<20} {count:>10}")
        given, made, numbers = self._sizes()
        lines.insert(0, f"{'input':<28} {str(given):<20}")
        lines.append(f"{'output':<28} {str(made):<20} {numbers[0]:>10} parameters, {numbers[1] / 1e6:.1f} MB")
        return "\n".join(lines)

    def _arrays(self, gradient: bool) -> dict[str, NDArray[np.float32]]:
        handle = self._compiled()
        layer, name = ctypes.c_char_p(), ctypes.c_char_p()
        value, slope = ctypes.c_void_p(), ctypes.c_void_p()
        rank, shape = ctypes.c_size_t(), (ctypes.c_size_t * 4)()
        arrays: dict[str, NDArray[np.float32]] = {}
        index = 0
        while plain("parameter")(
            handle, index, byref(layer), byref(name), byref(value), byref(slope), byref(rank), shape
        ):
            pointer = slope.value if gradient else value.value
            if pointer or not gradient:
                key = f"{(layer.value or b'').decode()}.{(name.value or b'').decode()}"
                arrays[key] = view(pointer, tuple(shape[: rank.value]), handle)
            index += 1
        return arrays

    def parameters(self) -> dict[str, NDArray[np.float32]]:
        """The parameters and running statistics as views, by names such as ``"conv1d_1.weight"``.

        Programs may write to them between passes.
        """
        return self._arrays(gradient=False)

    def gradients(self) -> dict[str, NDArray[np.float32]]:
        """The accumulated gradients as views, by the names of the parameters. They are sums over samples: see ``tl_step``."""
        return self._arrays(gradient=True)

    # ---- passes ----

    def forward(
        self, x: ArrayLike, mode: str = "inference", *, lengths: Optional[ArrayLike] = None
    ) -> NDArray[np.float32]:
        """Runs the network.

        Parameters
        ----------
        x : array of shape (batch, length, channels) or (batch, length)
            At most ``batch`` series of :meth:`compile`.
        mode : str, default="inference"
            ``"training"``; or ``"gradients"``: as in inference, but :meth:`backward` may follow.
        lengths : array of shape (batch,), optional
            Length of each series; later steps of x must be 0.

        Returns
        -------
        ndarray of shape (batch, out_length, out_channels)
            A view, valid until the next pass: logits, for a cross-entropy.
        """
        if mode not in _MODES:
            raise ValueError(f'mode is "{mode}"; it should be one of {", ".join(_MODES)}')
        self._x = as_series(x)
        counts = as_lengths(lengths, len(self._x))
        self._call("forward", address(self._x), address(counts), *self._x.shape, _MODES[mode])
        return self._view("output")

    def _view(self, name: str) -> NDArray[np.float32]:
        handle = self._compiled()
        shape = (ctypes.c_size_t * 3)()
        pointer = plain(name)(handle, shape)
        return view(pointer, tuple(shape), handle)

    def loss(self, y: ArrayLike, *, weights: Optional[ArrayLike] = None) -> float:
        """The mean loss of the last pass.

        Parameters
        ----------
        y : array
            Labels of shape (batch,) or (batch, out_length) for a cross-entropy, else values of the shape of the output.
        weights : array of shape (batch,), optional
            Weight of each sample.

        Returns
        -------
        float
            The loss.
        """
        shape = self._view("output").shape
        labels = values = None
        if self._loss_name == "cross-entropy":
            labels = self._checked(np.ascontiguousarray(y, dtype=np.int32), shape[:2])
        else:
            values = self._checked(np.ascontiguousarray(y, dtype=np.float32), shape)
        own = None if weights is None else self._checked(np.ascontiguousarray(weights, dtype=np.float32), shape[:1])
        loss = ctypes.c_double()
        self._call("loss", address(labels), address(values), address(own), byref(loss))
        return loss.value

    @staticmethod
    def _checked(array: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
        if array.size != int(np.prod(shape)):
            raise ValueError(f"an array has shape {array.shape}; the last pass asks for {shape}")
        return array

    def backward(self, dy: Optional[ArrayLike] = None) -> None:
        """Adds the gradients of the last pass to the accumulated gradients.

        Parameters
        ----------
        dy : array of the shape of the output, optional
            The gradient of an objective of your own; None: that of the last :meth:`loss`.
        """
        if dy is None:
            self._call("backward")
            return
        gradient = self._checked(np.ascontiguousarray(dy, dtype=np.float32), self._view("output").shape)
        self._call("backward_from", address(gradient))

    def input_gradient(self) -> NDArray[np.float32]:
        """The gradient of the input of the last backward pass: a view, valid until the next forward pass.

        The model has to be compiled with ``input_gradient=True``; else the array is empty.
        """
        return self._view("input_gradient")

    def step(self) -> None:
        """One step of the optimizer on the accumulated gradients, which are then zero."""
        self._call("step")

    def zero_grad(self) -> None:
        """Sets the accumulated gradients to zero."""
        plain("zero_grad")(self._compiled())

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next step; may be set."""
        rate: float = plain("learning_rate")(self._compiled())
        return rate

    @learning_rate.setter
    def learning_rate(self, rate: float) -> None:
        self._call("set_learning_rate", rate)

    def layer_output(self, layer: str, x: ArrayLike, *, lengths: Optional[ArrayLike] = None) -> NDArray[np.float32]:
        """The output of a layer inside the network for series, in inference mode.

        Parameters
        ----------
        layer : str
            The layer's name: in :attr:`architecture`, or the one that it was given.
        x : array of shape (count, length, channels) or (count, length)
            The series.
        lengths : array of shape (count,), optional
            Length of each series.

        Returns
        -------
        ndarray of shape (count, steps, channels)
            The layer's outputs.
        """
        description = self.architecture
        own_names = {entry["name"] for entry in description["layers"]}
        description["output"] = self._given_names().get(layer, layer)
        if description["output"] not in own_names:
            raise ValueError(f'there is no layer "{layer}" in the architecture')
        length, channels = self.input_shape
        part = Model(description, length=length, channels=channels, outputs=self._outputs, engine=self._settings["engine"])
        part.compile(loss="squared-error", inference_only=True)
        own = self.parameters()
        for name, array in part.parameters().items():
            array[...] = own[name]
        return part.predict(x, lengths=lengths)

    def _given_names(self) -> dict[str, str]:
        """The names of the library, such as ``"conv1d_2"``, by those that the layers were given."""
        if not self._text or not self._text.lstrip().startswith("{"):
            return {}
        seen: dict[str, int] = {}
        names: dict[str, str] = {}
        for layer in json.loads(self._text)["layers"]:
            kind = layer["type"]
            seen[kind] = seen.get(kind, 0) + 1
            if "name" in layer:
                names[layer["name"]] = f"{kind}_{seen[kind]}"
        return names

    # ---- training and use ----

    def _data(self, x: ArrayLike, y: Any, lengths: Optional[ArrayLike]) -> DataSet:
        series = as_series(x)
        data = DataSet(series, as_lengths(lengths, len(series)))
        steps, outputs = self.output_shape
        if self._loss_name == "cross-entropy":
            labels = np.ascontiguousarray(y, dtype=np.int32)
            shape: tuple[int, ...] = (len(series), steps) if steps > 1 else (len(series),)
            if labels.shape != shape:
                raise ValueError(f"y has shape {labels.shape}; labels should be {shape}")
            data.set_labels(labels, outputs)
        else:
            values = np.ascontiguousarray(y, dtype=np.float64)
            if values.size != len(series) * steps * outputs:
                raise ValueError(f"y has shape {values.shape}; values should be {(len(series), steps, outputs)}")
            data.set_values(values.reshape(len(series), steps, outputs))
        data.set_scaling(self._scaling)
        return data

    def fit(
        self,
        x: ArrayLike,
        y: ArrayLike,
        *,
        lengths: Optional[ArrayLike] = None,
        sample_weight: Optional[ArrayLike] = None,
        validation: Optional[Sequence[Any]] = None,
        callback: Optional[Callback] = None,
        checkpoint: Optional[Union[str, "os.PathLike[str]"]] = None,
        resume: Optional[Union[str, "os.PathLike[str]"]] = None,
        verbose: int = 0,
        **settings: Any,
    ) -> Result:
        """Trains the model.

        Parameters
        ----------
        x : array of shape (count, length, channels) or (count, length)
            The series, already scaled: they are not normalized here.
        y : array
            Labels, whole numbers from 0, for a cross-entropy; else values of shape (count, outputs) or (count, steps, outputs).
        lengths : array of shape (count,), optional
            Length of each series; later steps of x must be 0.
        sample_weight : array of shape (count,), optional
            Weight of each series in the loss, 0 or more.
        validation : tuple (x, y) or (x, y, lengths), optional
            A set that is evaluated after each epoch.
        callback : callable, optional
            Called with a :class:`Progress` at the end of each epoch, and between at most ten times a second. False stops the
            training.
        checkpoint, resume : path, optional
            The file to which checkpoints are written, and the checkpoint to resume from (``docs/files.md``).
        verbose : int, default=0
            1: a line of progress on stderr; 2: a bar, where tqdm is installed.
        **settings
            ``epochs``, ``batch``, ``accumulate``, ``restore_best``, ``patience``, ``keep_order``, ``keep_running``, ``crop``,
            ``scale``, ``jitter``, ``mixup``, ``schedule`` and its ``schedule_factor``, ``schedule_patience``,
            ``schedule_period``, ``schedule_minimum``, ``schedule_warmup``: see ``tl_fit_cfg``.

        Returns
        -------
        Result
            How the training ended, with the history of its epochs.
        """
        data = self._data(x, y, lengths)
        held_out = None if validation is None else self._data(*validation, *[None] * (3 - len(validation)))
        weights = None if sample_weight is None else np.ascontiguousarray(sample_weight, dtype=np.float64)
        if weights is not None and weights.shape != data.shape[:1]:
            raise ValueError(f"sample_weight has shape {weights.shape}; it should be {data.shape[:1]}")
        return self.fit_data(
            data, settings, validation=held_out, weights=weights,
            checkpoint=None if checkpoint is None else os.fsencode(checkpoint),
            resume=None if resume is None else os.fsencode(resume),
            callback=callback, verbose=verbose,
        )  # fmt: skip

    def fit_data(self, data: DataSet, settings: Mapping[str, Any], **options: Any) -> Result:
        """Trains on a data set of the library, as :meth:`fit` does on arrays."""
        try:
            return train(self._compiled(), data, settings, **options)
        finally:
            self._raise_own()

    def fit_ridge(
        self, x: ArrayLike, y: ArrayLike, *, lengths: Optional[ArrayLike] = None, penalties: Optional[ArrayLike] = None
    ) -> dict[str, float]:
        """Computes the last layer, which must be dense, in closed form by ridge regression (``tapline/ridge.h``).

        The other layers keep their parameters. Use it behind a layer ``rocket``, or on a trained network with new data.

        Parameters
        ----------
        x, y, lengths : array
            As for :meth:`fit`.
        penalties : array, optional
            Penalties to choose from, above 0; by default ten from 0.001 to 1000.

        Returns
        -------
        dict
            ``penalty``, the one with the smallest mean squared leave-one-out error; this ``error``; the leave-one-out ``accuracy``
            of a classification; ``slope``, the factor from scores to logits; the number of ``features`` and how many of them are
            ``constant``; ``seconds``.

        Examples
        --------
        >>> import numpy as np
        >>> from tapline import Model
        >>> x = np.random.default_rng(0).normal(size=(20, 30)).astype(np.float32)
        >>> y = np.arange(20) % 2
        >>> x[y == 1, :10] += 3
        >>> model = Model("minirocket", length=30, outputs=2).compile()
        >>> result = model.fit_ridge(x, y, penalties=[1, 10])
        >>> result["penalty"] in (1, 10), model.evaluate(x, y)["accuracy"]
        (True, 1.0)
        """
        return self.fit_ridge_data(self._data(x, y, lengths), penalties)

    def fit_ridge_data(self, data: DataSet, penalties: Optional[ArrayLike] = None) -> dict[str, float]:
        """Works on a data set of the library, as :meth:`fit_ridge` does on arrays."""
        numbers = (ctypes.c_double * len(_RIDGE))()
        choice = None if penalties is None else np.array(penalties, dtype=np.float64, ndmin=1)
        self._call("fit_ridge", data.handle, address(choice), 0 if choice is None else choice.size, numbers)
        return {name: value for name, value in zip(_RIDGE, numbers) if not np.isnan(value)}

    def update_statistics(self, x: ArrayLike, *, lengths: Optional[ArrayLike] = None) -> None:
        """Computes the statistics of batch norm from a pass over series. Use it after a training loop of your own."""
        series = as_series(x)
        self._call("update_statistics", DataSet(series, as_lengths(lengths, len(series))).handle)

    def evaluate(self, x: ArrayLike, y: ArrayLike, *, lengths: Optional[ArrayLike] = None) -> dict[str, float]:
        """The metrics of the model in inference mode.

        Returns
        -------
        dict
            ``loss``; ``accuracy``, ``balanced_accuracy``, ``f1`` and ``auroc`` of a classification; ``rmse``, ``mae`` and ``r2``
            of a regression.
        """
        numbers = (ctypes.c_double * len(_METRICS))()
        self._call("evaluate", self._data(x, y, lengths).handle, numbers)
        return {name: value for name, value in zip(_METRICS, numbers) if not np.isnan(value)}

    def predict(self, x: ArrayLike, *, lengths: Optional[ArrayLike] = None) -> NDArray[np.float32]:
        """The outputs in inference mode.

        Parameters
        ----------
        x : array of shape (count, length, channels) or (count, length)
            Any number of series, scaled in the same way as for the training.
        lengths : array of shape (count,), optional
            Length of each series.

        Returns
        -------
        ndarray of shape (count, outputs) or (count, out_length, outputs)
            Probabilities for the cross-entropies, else values. They do not depend on the other series.
        """
        series = as_series(x)
        counts = as_lengths(lengths, len(series))
        steps, outputs = self.output_shape
        y = np.empty((len(series), steps, outputs), dtype=np.float32)
        for first in range(0, len(series), _CHUNK):
            part = series[first : first + _CHUNK]
            own = None if counts is None else counts[first : first + _CHUNK]
            self._call("predict", address(part), address(own), *part.shape, address(y[first:]))
        return y[:, 0, :] if steps == 1 else y

    # ---- files ----

    def save(self, path: Union[str, "os.PathLike[str]"], *, data: Optional[DataSet] = None, missing: str = "refuse") -> None:
        """Writes the model to a file, which is replaced as a whole or not at all.

        Parameters
        ----------
        path : path
            The file, usually ``NAME.safetensors``.
        data : DataSet, optional
            Gives the names of the classes and the scaling of series.
        missing : str, default="refuse"
            How missing values were replaced.
        """
        handle = None if data is None else data.handle
        self._call("save", handle, missing.encode(), os.fsencode(path))

    @classmethod
    def load(
        cls,
        path: Union[str, "os.PathLike[str]"],
        *,
        batch: int = 32,
        threads: int = 1,
        length: Optional[int] = None,
        **settings: Any,
    ) -> "Model":
        """Loads a model from a file. The state of the optimizer is not restored.

        Parameters
        ----------
        path : path
            The file.
        batch, threads : int
            As in :meth:`compile` and the constructor.
        length : int, optional
            Another length of the longest series, for networks that accept any length.
        **settings
            Those of :meth:`compile`; loss and its settings are the file's.

        Returns
        -------
        Model
            The model; :attr:`info` has the other contents of the file.
        """
        settings = {"batch": batch, "threads": threads, "length": length, **settings}
        return cls._loaded("load", [os.fsencode(path)], settings)

    @classmethod
    def _loaded(cls, function: str, source: list[Any], settings: dict[str, Any]) -> "Model":
        """Loads a model by this function of the library."""
        pointer, text = ctypes.c_void_p(), ctypes.c_void_p()
        call(function, *source, encode_settings(settings), byref(pointer), byref(text))
        info = json.loads(take_text(text))
        model = cls(length=info["length"], channels=info["channels"], outputs=info["outputs"])
        model._settings.update(settings, length=None)
        model._handle = Handle(pointer, "model")
        model._loss_name = info["loss"]
        model._text = ""
        model._scaling = Scaling(
            info["normalize"],
            *(None if info[key] is None else np.array(info[key]) for key in ("mean", "deviation")),
        )
        model.info = info
        return model

    info: Mapping[str, Any] = {}
    """What the file of a loaded model says of its data: ``classes``, ``normalize``, ``mean``, ``deviation``, ``missing``, ``unequal``."""

    def to_bytes(self) -> bytes:
        """The bytes of the model's file."""
        pointer, size = ctypes.c_void_p(), ctypes.c_size_t()
        self._call("write", byref(pointer), byref(size))
        return take_bytes(pointer, size.value)

    @classmethod
    def from_bytes(cls, content: bytes, *, batch: int = 32, threads: int = 1, **settings: Any) -> "Model":
        """Loads a model from the bytes of a file; settings as for :meth:`load`."""
        return cls._loaded("parse", [content, len(content)], {"batch": batch, "threads": threads, **settings})

    def copy(self, **settings: Any) -> "Model":
        """A copy with the same parameters, and other settings of :meth:`compile` if you give them.

        The optimizer of the copy starts new. ``copy(inference_only=True)`` makes a copy that takes less memory and predicts faster;
        ``copy(inference_only=False)`` makes one that can be trained, for example of the network of a fitted estimator.

        Parameters
        ----------
        **settings
            Those of :meth:`compile`, without the loss; ``threads`` and ``engine``; ``length``, as in :meth:`load`.

        Returns
        -------
        Model
            The copy.

        Examples
        --------
        >>> from tapline import Model
        >>> model = Model("fcn", length=200, outputs=2).compile(batch=16)
        >>> small = model.copy(batch=1, inference_only=True)
        >>> small.memory < model.memory / 3
        True
        """
        return _restored(self.to_bytes(), {**self._kept(), **settings}, self._text)

    def end_training(self, **settings: Any) -> None:
        """Compiles the network again, for inference only: the memory of the training is released before the new one is taken.

        Parameters
        ----------
        **settings
            As for :meth:`copy`.
        """
        content = self.to_bytes()
        self._settings.update(settings, inference_only=True)
        self._handle = None
        other = _restored(content, self._kept(), self._text)
        self._handle, self._scaling = other._handle, other._scaling

    def _kept(self) -> dict[str, Any]:
        """The settings of a copy; the bytes of the model contain the others."""
        return {key: value for key, value in self._settings.items() if key not in ("seed", "loss")}

    def for_length(self, length: int) -> "Model":
        """A copy for predictions on series of up to that many steps. Fails if a layer depends on the number of steps."""
        return self.copy(length=length, inference_only=True)

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (self.to_bytes(), self._kept(), self._text)


def _restored(content: bytes, settings: dict[str, Any], text: Optional[str]) -> Model:
    """A model from its bytes, with the text of its network, which has the names that layers were given."""
    model = Model.from_bytes(content, **{"max_memory": _NO_LIMIT, **settings})
    model._text = text
    return model
