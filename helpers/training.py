"""Stochastic gradient descent on mini-batches: forward, loss, backward, step, yield."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from helpers.arithmetic import flush_tiny, views_of
from helpers.checks import (
    check_finite,
    check_grad,
    check_integer,
    check_labels,
    check_layers,
    check_number,
    check_sample_weights,
)
from helpers.layers import BatchNorm
from helpers.network import check_network, computing, softmax_cross_entropy
from helpers.randomness import one_per_network

BLOCK = 2**17  # parameters at a time: where all do not fit the cache, all at once take 15% longer
SMALLEST_RATE, LARGEST_RATE = 1e-30, 1e30  # float32 holds both, with room for products


@dataclass(frozen=True)
class Step:
    """One update. losses: of its mini-batch, before the update, () or (n_networks,)."""

    index: int
    losses: np.ndarray


class SGD:
    """Stochastic gradient descent with momentum.

        velocity  <- momentum * velocity + gradient
        parameter <- parameter - learning_rate * velocity

    (Sutskever et al. 2013, section 2, with the learning rate outside the velocity.) Weight decay
    first adds weight_decay * parameter to the gradient.

    layers: those that learn. learning_rate: a float, or one for each network, (n_networks,); or a
    function of the layers that returns a list with one of these for each, 0 where it is frozen.
    weight_decay: likewise, and 0 anywhere.

    All parameters stand in one vector, and the layers' arrays become views of it: look arrays up
    in their layers anew, do not keep them. What is assigned to a layer later is copied into it.
    Raises ValueError or TypeError for rates that are not positive or do not fit, and for layers of
    several dtypes or with an array in common.
    """

    def __init__(self, layers, *, learning_rate, momentum=0.9, weight_decay=0.0):
        self.momentum = check_number("momentum", momentum, 0, 1, high_open=True)
        layers = check_layers(layers, "parameters")
        rates = _of_layers("learning_rate", learning_rate, layers)
        decays = _of_layers("weight_decay", weight_decay, layers)
        if rates and not callable(learning_rate) and (rates[0] == 0).any():
            raise ValueError(f"learning_rate must be above 0, got {rates[0].min()}")
        places = [(layer, name) for layer in layers for name in layer.parameters]
        arrays = [getattr(layer, name) for layer, name in places]
        _check_parameters(arrays)
        parameters = np.concatenate([array.reshape(-1) for array in arrays])
        velocities = np.zeros_like(parameters)
        self._views = [
            (layer, name, *views) for (layer, name), *views in
            zip(places, views_of(parameters, arrays), views_of(velocities, arrays))
        ]
        for layer, name, parameter, _ in self._views:
            setattr(layer, name, parameter)
        rates, decays = (_of_parameters(one, layers, parameters) for one in (rates, decays))
        self._has_decay = decays.any()
        vectors = rates, decays, parameters, velocities
        blocks = [slice(start, start + BLOCK) for start in range(0, parameters.size, BLOCK)]
        self._blocks = [tuple(vector[one] for vector in vectors) for one in blocks]
        self._change = np.empty_like(parameters[:BLOCK])
        self._n_steps = 0

    def step(self):
        """Update every parameter in place from the gradient that its layer holds."""
        for layer, name, parameter, _ in self._views:  # refuse before anything changes
            grad = getattr(layer, "grad_" + name, None)
            if grad is None:
                raise ValueError(f"step must follow a backward, got no grad_{name}")
            if getattr(grad, "dtype", None) != parameter.dtype or grad.shape != parameter.shape:
                check_grad("grad_" + name, grad, parameter.shape)
            if getattr(layer, name) is not parameter:
                _take_back(layer, name, parameter)
        self._n_steps += 1
        for layer, name, _, velocity in self._views:
            velocity += getattr(layer, "grad_" + name)
        for rates, decays, parameters, velocities in self._blocks:
            change = self._change[: rates.size]
            if self._has_decay:
                velocities += np.multiply(decays, parameters, out=change)
            parameters -= np.multiply(rates, velocities, out=change)
            if self._n_steps % 16 == 15:  # momentum^16 leaves what passed well above denormal
                flush_tiny(velocities)
            velocities *= self.momentum  # for the next step, while they are in the cache

    def __reduce__(self):
        raise TypeError("an SGD cannot be copied: make another one for the copied layers")


def _take_back(layer, name, parameter):
    """Copy what was assigned to a layer into its place in the vector."""
    assigned = np.asarray(getattr(layer, name))
    if assigned.shape != parameter.shape:
        raise ValueError(f"{name} must keep its shape {parameter.shape}, got {assigned.shape}")
    np.copyto(parameter, assigned)
    setattr(layer, name, parameter)


def minibatches(n_samples, batch_size, *, n_networks=None, rng):
    """Return an endless iterator of index arrays, (batch_size,) or (n_networks, batch_size).

    Each network walks through its own permutation in every epoch; the rest that does not fill a
    mini-batch is dropped. batch_size == n_samples still permutes, which matters to groups.
    Raises ValueError or TypeError at the call.
    """
    n_samples = check_integer("n_samples", n_samples)
    batch_size = check_integer("batch_size", batch_size, 1, n_samples, high_is="the training set")
    generators = one_per_network(rng, n_networks)

    def walk():
        while True:
            orders = [generator.permutation(n_samples) for generator in generators]
            epoch = orders[0] if n_networks is None else np.stack(orders)
            for start in range(0, n_samples - batch_size + 1, batch_size):
                yield epoch[..., start : start + batch_size]

    return walk()


def train(
    network, inputs, targets, *, n_steps, batch_size, learning_rate, momentum=0.9,
    weight_decay=0.0, rng, sample_weights=None,
):
    """Train `network` in place and return an iterator over its Steps; stop iterating to cancel.

    An interrupt may leave the network in the midst of a step: make it anew to train again.
    inputs: (n_samples, features), shared by all networks, or (n_networks, n_samples, features).
    targets, sample_weights: the same without features. learning_rate, momentum, weight_decay: as
    in `SGD`. Everything is checked at the call, before anything changes; raises ValueError or
    TypeError.
    """
    check_network(network)
    inputs = np.ascontiguousarray(network.check_inputs(inputs))  # rows come from flat storage
    n_networks, n_samples, dtype = network.n_networks, inputs.shape[-2], network.dtype
    shape = (n_samples,) if n_networks is None else (n_networks, n_samples)
    targets = check_labels("targets", targets, network.n_outputs, shape)
    sample_weights = check_sample_weights(sample_weights, shape, dtype)
    n_steps = check_integer("n_steps", n_steps)
    # One row alone has no variance to normalise with.
    low = 2 if any(isinstance(layer, BatchNorm) for layer in network.layers) else 1
    check_integer("batch_size", batch_size, low, n_samples, high_is="the training set")
    network.check_batch_size(batch_size)
    optimiser = SGD(
        network.layers, learning_rate=learning_rate, momentum=momentum, weight_decay=weight_decay
    )
    batches = minibatches(n_samples, batch_size, n_networks=n_networks, rng=rng)
    take_inputs, take_targets = _rows_of(inputs, 2), _rows_of(targets, 1)
    take_weights = _rows_of(sample_weights, 1)

    def learn_from(rows):
        batch = take_inputs(rows).astype(dtype, copy=False)
        logits = network.forward(batch, training=True)
        wanted = take_targets(rows), take_weights(rows)
        losses, grad_logits = softmax_cross_entropy(logits, *wanted)
        network.backward(grad_logits, to_inputs=False)
        optimiser.step()
        return losses

    def steps():
        for index, rows in zip(range(n_steps), batches):
            yield Step(index, computing(learn_from, rows))

    return steps()


def _rows_of(values, n_axes):
    """Return what takes rows (batch,) or (n_networks, batch) of `values`, shared or each's own."""
    if values is None:
        return lambda rows: None
    if values.ndim == n_axes:
        return lambda rows: values.take(rows, axis=0)
    # The same as values[np.arange(n_networks)[:, None], rows], 2x faster on 49 features.
    starts = np.arange(0, values.shape[0] * values.shape[1], values.shape[1])[:, None]
    flat = values.reshape(-1, *values.shape[2:])
    return lambda rows: flat.take(rows + starts, axis=0)


def _of_layers(name, value, layers):
    """Return the `value` of each layer, () or (n_networks,), in a list."""
    each = value(layers) if callable(value) else [value] * len(layers)
    if not isinstance(each, (list, tuple)) or len(each) != len(layers):
        raise ValueError(f"{name} must return a list, one for each of {len(layers)} layers")
    each = [check_finite(name, one, dtype=np.float64) for one in each]
    for layer, one in zip(layers, each):
        own = [np.shape(getattr(layer, its)) for its in layer.parameters]
        # In lock-step parameters have three axes, that of the networks first.
        if one.ndim > 1 or (one.ndim and any(len(of) < 3 or of[:1] != one.shape for of in own)):
            got = f"shape {one.shape} for parameters of {own}"
            raise ValueError(f"{name} must be a number, or one for each network, got {got}")
        bad = one[(one != 0) & ((one < SMALLEST_RATE) | (one > LARGEST_RATE))]
        if bad.size:
            allowed = f"between {SMALLEST_RATE:g} and {LARGEST_RATE:g}, or 0"
            raise ValueError(f"{name} must be {allowed}, got {bad[0]}")
    return each


def _of_parameters(each, layers, parameters):
    """Return the values of the layers, for each number in their vector of parameters."""
    if not any(one.ndim or one != each[0] for one in each):  # costs no memory, and less time
        return np.broadcast_to(each[0].astype(parameters.dtype), parameters.shape)
    return np.concatenate([
        np.repeat(one, getattr(layer, name).size // one.size)
        for layer, one in zip(layers, each) for name in layer.parameters
    ]).astype(parameters.dtype)


def _check_parameters(arrays):
    dtypes = sorted({str(array.dtype) for array in arrays})
    if len(dtypes) != 1:
        raise ValueError(f"layers must learn in one dtype, got {' and '.join(dtypes) or 'none'}")
    if any(np.may_share_memory(one, other) for one, other in combinations(arrays, 2)):
        raise ValueError("layers must have arrays of their own, got one in two places")
