"""Stochastic gradient descent on mini-batches: forward, loss, backward, step, yield."""

from dataclasses import dataclass

import numpy as np

from helpers.arithmetic import flush_tiny, scratch_views, take_rows
from helpers.checks import (
    check_finite,
    check_integer,
    check_labels,
    check_number,
    check_weights,
)
from helpers.layers import BatchNorm, divergence_allowed
from helpers.network import Network, loss_and_gradient, one_blas_thread
from helpers.randomness import one_per_network


@dataclass(frozen=True)
class Step:
    """One update. losses: of its mini-batch, before the update, () or (n_networks,)."""

    index: int
    losses: np.ndarray


class SGD:
    """Stochastic gradient descent with momentum.

        velocity  <- momentum * velocity + gradient
        parameter <- parameter - learning_rate * velocity

    (Sutskever et al. 2013, section 2, with the learning rate outside the velocity.)
    layers: those that learn. learning_rate: a float, or one for each network, (n_networks,).
    Raises ValueError or TypeError for rates that are not positive or do not fit.
    """

    def __init__(self, layers, *, learning_rate, momentum=0.9):
        self.momentum = check_number("momentum", momentum, 0, 1, high_open=True)
        rates = _check_learning_rate(learning_rate, layers)
        self.learning_rate = rates if rates.ndim == 0 else rates[:, None, None]
        places = [(layer, name) for layer in layers for name in layer.parameters]
        scratch = scratch_views([getattr(layer, name) for layer, name in places])
        self._slots = [
            (layer, name, self.learning_rate.astype(change.dtype), np.zeros_like(change), change)
            for (layer, name), change in zip(places, scratch, strict=True)
        ]
        self._n_steps = 0

    def step(self):
        """Update every parameter in place from the gradient that its layer holds."""
        self._n_steps += 1
        for layer, name, rate, velocity, change in self._slots:
            if self._n_steps % 16 == 0:  # momentum^16 leaves what passed well above denormal
                flush_tiny(velocity)
            velocity *= self.momentum
            velocity += getattr(layer, "grad_" + name)
            np.multiply(rate, velocity, out=change)
            parameter = getattr(layer, name)
            parameter -= change


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
    network, inputs, targets, *, n_steps, batch_size, learning_rate, momentum=0.9, rng,
    sample_weights=None,
):
    """Train `network` in place and return an iterator over its Steps; stop iterating to cancel.

    inputs: (n_samples, features), shared by all networks, or (n_networks, n_samples, features).
    targets, sample_weights: the same without features. learning_rate: a float or (n_networks,).
    Everything is checked at the call, before anything changes; raises ValueError or TypeError.
    """
    inputs, targets, sample_weights = _check_data(network, inputs, targets, sample_weights)
    n_steps = check_integer("n_steps", n_steps)
    n_samples = inputs.shape[-2]
    # One row alone has no variance to normalise with.
    low = 2 if any(isinstance(layer, BatchNorm) for layer in network.layers) else 1
    check_integer("batch_size", batch_size, low, n_samples, high_is="the training set")
    network.check_batch_size(batch_size)
    optimiser = SGD(network.layers, learning_rate=learning_rate, momentum=momentum)
    batches = minibatches(n_samples, batch_size, n_networks=network.n_networks, rng=rng)
    dtype = network.dtype

    def steps():
        for index, rows in zip(range(n_steps), batches):
            weights = None if sample_weights is None else _take(sample_weights, rows, 1)
            with one_blas_thread(), divergence_allowed():
                batch = _take(inputs, rows, 2).astype(dtype, copy=False)
                logits = network.propagate(batch, training=True)
                losses, grad_logits = loss_and_gradient(logits, _take(targets, rows, 1), weights)
                network.backward(grad_logits, to_inputs=False)
                optimiser.step()
            yield Step(index, losses)

    return steps()


def _take(values, rows, n_axes):
    """Rows of (n_samples, ...) shared values, or of each network's own (n_networks, ...)."""
    if values.ndim == n_axes:
        return values.take(rows, axis=0)
    return take_rows(values, rows)


def _check_data(network, inputs, targets, sample_weights):
    if not isinstance(network, Network):
        raise TypeError(f"network must be a Network, got {type(network).__name__}")
    inputs = check_finite("inputs", inputs)
    if not np.can_cast(inputs.dtype, network.dtype):  # else batch by batch, which saves memory
        inputs = check_finite("inputs", inputs, dtype=network.dtype)
    inputs = np.ascontiguousarray(inputs)  # rows are taken from flat storage
    n_networks, width = network.n_networks, network.n_inputs or "features"
    fits = inputs.ndim == 2 or (inputs.ndim == 3 and inputs.shape[0] == n_networks)
    if not fits or not inputs.size or network.n_inputs not in (None, inputs.shape[-1]):
        allowed = f"(n_samples, {width})"
        allowed += "" if n_networks is None else f" or ({n_networks}, n_samples, {width})"
        raise ValueError(f"inputs must have shape {allowed}, got {inputs.shape}")
    targets = check_labels("targets", targets, network.n_outputs)
    _check_rows("targets", targets, inputs.shape[-2], n_networks)
    if sample_weights is not None:
        sample_weights = check_weights("sample_weights", sample_weights, dtype=network.dtype)
        _check_rows("sample_weights", sample_weights, inputs.shape[-2], n_networks)
    return inputs, targets, sample_weights


def _check_rows(name, values, n_samples, n_networks):
    allowed = [(n_samples,)] + ([] if n_networks is None else [(n_networks, n_samples)])
    if values.shape not in allowed:
        shapes = " or ".join(str(shape) for shape in allowed)
        raise ValueError(f"{name} must have shape {shapes}, got {values.shape}")


def _check_learning_rate(learning_rate, layers):
    rates = check_finite("learning_rate", learning_rate)
    counts = {getattr(layer, "n_networks", None) for layer in layers} - {None}
    if rates.shape not in {(), *((count,) for count in counts)}:
        each = "".join(f" or one for each of {count} networks" for count in counts)
        raise ValueError(f"learning_rate must be a number{each}, got shape {rates.shape}")
    if (rates <= 0).any():
        raise ValueError(f"learning_rate must be above 0, got {rates.min()}")
    return rates
