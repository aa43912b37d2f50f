"""A network is a list of layers; a loss starts the way back. Nothing here knows how to learn."""

import copy
import sys
import threading
from functools import partial
from itertools import pairwise

import numpy as np
from threadpoolctl import ThreadpoolController

from helpers.arithmetic import places_of_class_0, row_of
from helpers.checks import (
    check_axes,
    check_choice,
    check_finite,
    check_flag,
    check_floats,
    check_grad,
    check_integer,
    check_labels,
    check_layers,
    check_number,
    check_sample_weights,
)
from helpers.layers import (
    CHECKED_BEFORE,
    BatchNorm,
    Dense,
    Dropout,
    ReLU,
    Sigmoid,
    Tanh,
    batch_sum,
    check_group_size,
    divergence_allowed,
)
from helpers.long_work import holding
from helpers.randomness import one_per_network

ROWS_AT_ONCE = 128  # in inference: 16 sets of 500 faces take 49 MB in float64, and 12 MB so
ACTIVATIONS = {"relu": ReLU, "tanh": Tanh, "sigmoid": Sigmoid}


class _OneBlasThread:
    """Many small matrix products: a second BLAS thread made them up to 5x slower.

    Called with a function and its arguments, it calls that so. The setting belongs to the process:
    whoever leaves last restores it, so that two threads that train at the same time do not leave
    it changed. Calls may be nested.
    """

    _one_at_a_time = holding(threading.Lock())

    def __init__(self):
        self._inside, self._before, self._libraries, self._n_modules = set(), [], [], 0

    def __call__(self, function, *args, **kwargs):
        visit = object()
        try:
            self._enter(visit)
            return function(*args, **kwargs)
        finally:
            try:
                self._leave(visit)
            except KeyboardInterrupt:  # half-way out; a `with` could not come back for the rest
                self._leave(visit)
                raise

    @_one_at_a_time
    def _enter(self, visit):
        self._inside.add(visit)
        if self._n_modules != (n_modules := len(sys.modules)):  # maybe with another BLAS
            self._libraries = ThreadpoolController().select(user_api="blas").lib_controllers
            self._n_modules = n_modules
        for library in self._libraries:
            if (n_threads := library.num_threads) > 1:
                self._before.append((library, n_threads))
                _set_num_threads(library, 1)

    @_one_at_a_time
    def _leave(self, visit):
        self._inside.discard(visit)
        while self._before and not self._inside:
            _set_num_threads(*self._before[-1])
            self._before.pop()


def _set_num_threads(library, n_threads):
    # Since threadpoolctl 3.8 OpenBLAS obeys only the first thread that sets it, while that lives:
    # what a demo trains in its own thread would run on all cores. Ours take turns.
    if hasattr(library, "clear_controlling_thread"):
        library.clear_controlling_thread(force=True)
    library.set_num_threads(n_threads)


one_blas_thread = _OneBlasThread()
# What trains or predicts is called so, once its arguments were checked.
computing = partial(one_blas_thread, divergence_allowed)


class Network:
    """Layers in a row. Any object with forward, backward and (possibly empty) parameters fits.

    `n_networks` is None or the number of networks in lock-step; `n_inputs` and `n_outputs` are
    the widths of the two ends, None where the layers do not tell. Raises ValueError for layers
    that do not fit together.
    """

    def __init__(self, layers):
        self.layers = check_layers(layers, "forward", "backward", "parameters")
        if not self.layers:
            raise ValueError("layers must hold at least one layer, got none")
        if len({id(layer) for layer in self.layers}) < len(self.layers):
            raise ValueError("layers must all be different objects, got one of them twice")
        counts = {layer.n_networks for layer in self.layers if hasattr(layer, "n_networks")}
        if len(counts) > 1:
            raise ValueError(f"layers must agree on n_networks, got {sorted(counts, key=str)}")
        self.n_networks = counts.pop() if counts else None
        self.n_inputs, self.n_outputs = _widths(self.layers)
        self._output_shape = None

    @property
    def dtype(self):
        """The type that the network computes in: that of its first parameter."""
        dtypes = (getattr(layer, name).dtype for layer in self.layers for name in layer.parameters)
        return next(dtypes, np.dtype(np.float32))

    def check_batch_size(self, batch_size):
        """Raise ValueError unless every batch norm can train on `batch_size` rows."""
        for layer in self.layers:
            if isinstance(layer, BatchNorm):
                group_size = batch_size if layer.group_size is None else layer.group_size
                check_group_size(group_size, batch_size)

    def check_inputs(self, inputs, name="inputs"):
        """Return `inputs` as an array, or raise ValueError or TypeError.

        A narrower type stays, to be converted a mini-batch at a time: that saves memory.
        """
        inputs = check_finite(name, inputs)
        if not np.can_cast(inputs.dtype, self.dtype):
            inputs = check_finite(name, inputs, dtype=self.dtype)
        check_axes(inputs, self.n_inputs, self.n_networks, name)
        return inputs

    def forward(self, inputs, *, training):
        """(batch, features) or (n_networks, batch, features) -> logits, with every network's row.

        Inputs without a networks axis are shared by all networks. Raises ValueError or TypeError
        for inputs that do not fit or are not finite, before any statistics change.
        """
        if not CHECKED_BEFORE.get():
            training, inputs = check_flag("training", training), self.check_inputs(inputs)
            if training:
                self.check_batch_size(inputs.shape[-2])
            inputs = inputs.astype(self.dtype, copy=False)
            return computing(self.forward, inputs, training=training)
        for layer in self.layers:
            inputs = layer.forward(inputs, training=training)
        self._output_shape = inputs.shape
        return inputs

    def backward(self, grad_logits, *, to_inputs=True):
        """Pass the gradient back through the last forward; return that of the inputs.

        Each layer keeps the gradients of its own parameters. to_inputs=False spares a first Dense
        the matrix product that only the gradient of the inputs needs; then returns None. Raises
        ValueError for another shape than the last outputs', TypeError for another type than
        float32 or float64. NaN, after divergence, is passed on.
        """
        if not CHECKED_BEFORE.get():
            check_flag("to_inputs", to_inputs)
            grad = check_grad("grad_logits", grad_logits, self._output_shape)
            return computing(self.backward, grad, to_inputs=to_inputs)
        grad, first = grad_logits, self.layers[0]
        for layer in reversed(self.layers[1:]):
            grad = layer.backward(grad)
        if to_inputs or not isinstance(first, Dense):
            return first.backward(grad)
        return first.backward(grad, to_inputs=False)


def _widths(layers):
    """Return the widths of both ends; raise ValueError where two layers do not fit together."""
    first = width = None
    for position, layer in enumerate(layers):
        expected = getattr(layer, "n_inputs", getattr(layer, "n_features", None))
        if expected is not None and width not in (None, expected):
            raise ValueError(
                f"layers must fit together: layer {position} takes {expected} features, got {width}"
            )
        if position == 0:
            first = expected
        if not isinstance(layer, (Dropout, *ACTIVATIONS.values())):
            width = getattr(layer, "n_outputs", expected)
    return first, width


def multilayer_perceptron(
    sizes, *, rng, dropout_rng=None, batch_norm=True, dropout=0.0, activation="relu",
    group_size=None, n_networks=None, init_scale=1.0, momentum=0.9, eps=1e-5, dtype=np.float32,
    norm=None,
):
    """Return a Network: Dense, BatchNorm, activation, Dropout for each hidden layer, then Dense.

    sizes: units from the inputs to the logits, such as [196, 64, 64, 10]. Weights start with the
    standard deviation sqrt(2 / n_in) for relu (He et al. 2015) and sqrt(2 / (n_in + n_out)) for
    tanh and sigmoid (Glorot & Bengio 2010), times `init_scale`. The Dense before a BatchNorm has no
    bias; `momentum` (its memory) and `eps` are batch norm's. The same `rng` gives the same weights
    with and without batch norm or dropout, which draws from `dropout_rng` (default: children of
    rng). norm: what makes another layer in the place of each BatchNorm, such as LayerNorm, or
    partial(GroupNorm, n_groups=4); called with n_features, n_networks and dtype.
    Raises ValueError or TypeError for arguments out of range.
    """
    if not isinstance(sizes, (list, tuple)):
        raise TypeError(f"sizes must be a list such as [196, 64, 10], got {sizes!r}")
    sizes = [check_integer(f"sizes[{i}]", size) for i, size in enumerate(sizes)]
    if len(sizes) < 2:
        raise ValueError(f"sizes must name at least inputs and outputs, got {sizes}")
    activation = check_choice("activation", activation, ACTIVATIONS)
    batch_norm = check_flag("batch_norm", batch_norm)
    BatchNorm(1, None, momentum, eps, group_size, dtype)  # refuses before any draw
    if norm is None:
        norm = partial(BatchNorm, momentum=momentum, eps=eps, group_size=group_size)
    elif not batch_norm or group_size is not None or eps != 1e-5:
        raise ValueError(
            "norm replaces batch norm: leave batch_norm, group_size and eps as they are"
        )
    dropout = check_number("dropout", dropout, 0, 1, high_open=True)
    init_scale = check_number("init_scale", init_scale, 1e-15, 1e15)
    rng = one_per_network(rng, n_networks)
    if dropout_rng is None:
        dropout_rng = [generator.spawn(1)[0] for generator in rng]
    dropout_rng = one_per_network(dropout_rng, n_networks, "dropout_rng")
    layers = []
    for position, (n_inputs, n_outputs) in enumerate(pairwise(sizes), start=1):
        is_hidden = position < len(sizes) - 1
        fan = n_inputs if activation == "relu" else n_inputs + n_outputs
        layers.append(
            Dense(
                n_inputs, n_outputs, rng=rng, n_networks=n_networks, dtype=dtype,
                bias=not (is_hidden and batch_norm), weight_sd=init_scale * np.sqrt(2 / fan),
            )
        )
        if is_hidden and batch_norm:
            layers.append(norm(n_outputs, n_networks=n_networks, dtype=dtype))
        if is_hidden:
            layers.append(ACTIVATIONS[activation]())
        if is_hidden and dropout:
            layers.append(Dropout(dropout, rng=dropout_rng, n_networks=n_networks))
    return Network(layers)


def softmax_cross_entropy(logits, targets, sample_weights=None):
    """Return the mean loss of each network and the gradient of the logits.

    logits: (..., batch, classes). targets: integer labels (..., batch), or (batch,) for labels
    shared by all networks. sample_weights: None or non-negative factors of each example's loss,
    shaped like the targets. losses: logits.shape[:-2]; NaN, after divergence, counts as infinite.
    Raises ValueError or TypeError for labels out of range and shapes that do not fit.
    """
    if not CHECKED_BEFORE.get():
        logits, targets = _check_logits(logits, targets)
        sample_weights = check_sample_weights(sample_weights, logits.shape[:-1], logits.dtype)
        return divergence_allowed(softmax_cross_entropy, logits, targets, sample_weights)
    # Classes before examples: over ten numbers in the last axis, max and sum are 10x slower.
    by_class = np.ascontiguousarray(logits.swapaxes(-1, -2))
    batch_size = by_class.shape[-1]
    target = places_of_class_0(by_class.shape) + targets * batch_size
    shifted = by_class - by_class.max(axis=-2, keepdims=True)  # the same softmax, no overflow
    exps = np.exp(shifted)
    sums = batch_sum(exps)
    example_losses = np.log(sums[..., 0, :]) - shifted.take(target)
    grad = np.divide(exps, batch_size * sums, out=exps)
    grad.reshape(-1)[target] -= logits.dtype.type(1 / batch_size)
    if sample_weights is not None:
        example_losses = example_losses * sample_weights
        grad *= sample_weights[..., None, :]
    losses = example_losses @ row_of(1 / batch_size, batch_size, logits.dtype)[0]
    return np.fmin(losses, np.inf), grad.swapaxes(-1, -2)  # fmin: not a number becomes infinite


def mean_loss(logits, targets):
    """Return the losses of `softmax_cross_entropy` alone, in nats, logits.shape[:-2]."""
    return softmax_cross_entropy(logits, targets)[0]


def accuracy(logits, targets):
    """Return the share of rows whose largest logit is the target's: (..., batch) -> (...).

    logits, targets, errors: as in `softmax_cross_entropy`.
    """
    logits, targets = _check_logits(logits, targets)
    return (logits.argmax(axis=-1) == targets).mean(axis=-1)


def _check_logits(logits, targets):
    logits = check_floats("logits", logits)
    if logits.ndim < 2 or not logits.size:
        raise ValueError(f"logits must have shape (..., batch, classes), got {logits.shape}")
    return logits, check_labels("targets", targets, logits.shape[-1], logits.shape[:-1])


def check_network(network):
    """Raise TypeError unless `network` is a Network."""
    if not isinstance(network, Network):
        raise TypeError(f"network must be a Network, got {type(network).__name__}")


def predict(network, inputs):
    """Return the logits of inference: with stored statistics and without dropout.

    As `Network.forward`, but nothing of it stays in the network, where a backward would need it.
    """
    check_network(network)
    inputs = network.check_inputs(inputs)
    return computing(infer, network.layers, inputs, network.dtype)


def infer(layers, inputs, dtype):
    """`predict` for some layers and inputs that were checked before, a few rows at a time."""
    layers, parts = [copy.copy(layer) for layer in layers], []
    for start in range(0, inputs.shape[-2], ROWS_AT_ONCE):
        part = inputs[..., start : start + ROWS_AT_ONCE, :].astype(dtype, copy=False)
        for layer in layers:
            part = layer.forward(part, training=False)
        parts.append(part)
    return np.concatenate(parts, axis=-2)


def inference_accuracy(network, inputs, targets):
    """Return the accuracy in inference, () or (n_networks,)."""
    return accuracy(predict(network, inputs), targets)
