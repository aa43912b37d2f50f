"""Layers map a batch forward and a gradient backward. They know nothing about losses or training.

One axis convention: inputs are (batch, features) or (n_networks, batch, features). Features come
last, the mini-batch before them, and in front, if present, independent networks in lock-step. All
reductions over the mini-batch run along axis -2, so the same lines serve one network and many.

A layer has `forward(inputs, *, training)`, `backward(grad_outputs)` and `parameters`, the names of
the arrays that learn; the gradient of `gamma` is in `grad_gamma`. `training` is always passed.
Called by hand, each refuses inputs and gradients that do not fit, with ValueError or TypeError,
before it changes; within a network they were checked at the network's door.
"""

from contextvars import ContextVar, copy_context

import numpy as np

from helpers.arithmetic import row_of
from helpers.checks import (
    check_axes,
    check_dtype,
    check_finite,
    check_flag,
    check_floats,
    check_grad,
    check_integer,
    check_number,
)
from helpers.randomness import one_per_network

CHECKED_BEFORE = ContextVar("CHECKED_BEFORE", default=False)  # see `divergence_allowed`


def divergence_allowed(function, *args, **kwargs):
    """Call `function`; in it arguments are not checked, NaN and infinite values pass on, silently.

    Who calls it so has checked them at the door: what explodes further up is divergence, which is
    legal and shows as an infinite loss. Not a `with`: an interrupt on its way in or out would leave
    all this so for later cells. A copied context ends with the call, whatever ends that.
    """
    inside = copy_context()
    inside.run(CHECKED_BEFORE.set, True)
    inside.run(np.seterr, all="ignore")
    return inside.run(function, *args, **kwargs)


def batch_sum(inputs):
    """Sum over the mini-batch: (..., batch, features) -> (..., 1, features)."""
    return row_of(1.0, inputs.shape[-2], inputs.dtype) @ inputs


def batch_mean(inputs):
    """Mean over the mini-batch: (..., batch, features) -> (..., 1, features)."""
    return row_of(1 / inputs.shape[-2], inputs.shape[-2], inputs.dtype) @ inputs


def _centre(inputs):
    """Return `inputs` less their mean over the mini-batch, that mean, and the biased variance."""
    mean = batch_mean(inputs)
    centred = inputs - mean
    var = batch_mean(np.square(centred))
    if not CHECKED_BEFORE.get() and (np.square(mean) > 1e6 * var).any():
        # Far from 0 a mean is rounded: x_hat of a constant float32 feature would be as far as -1.
        rest = batch_mean(centred)
        centred, mean = centred - rest, mean + rest
        var = batch_mean(np.square(centred))
    return centred, mean, var


def check_group_size(group_size, batch_size):
    """Raise ValueError unless the rows fall into groups of 2 or more: one has no variance."""
    if batch_size < 2:
        raise ValueError(f"batch norm trains on inputs of at least 2 rows, got {batch_size}")
    check_integer("group_size", group_size, 2, batch_size, high_is="the batch")
    if batch_size % group_size:
        raise ValueError(f"group_size must divide the batch of {batch_size} rows, got {group_size}")


class Dense:
    """outputs = inputs @ weights + bias.

    weights: (n_inputs, n_outputs) or (n_networks, n_inputs, n_outputs), normal with standard
    deviation `weight_sd` (default sqrt(2 / n_inputs): He et al. 2015, section 2.2). bias: zeros,
    (n_outputs,) or (n_networks, 1, n_outputs); bias=False leaves it out, as batch norm behind this
    layer would subtract it anyway. Inputs without a networks axis are shared by all networks.
    """

    def __init__(
        self, n_inputs, n_outputs, *, rng, n_networks=None, bias=True, weight_sd=None,
        dtype=np.float32,
    ):
        self.n_inputs = check_integer("n_inputs", n_inputs)
        self.n_outputs = check_integer("n_outputs", n_outputs)
        self.n_networks = n_networks
        weight_sd = np.sqrt(2 / n_inputs) if weight_sd is None else weight_sd
        weight_sd = check_number("weight_sd", weight_sd, 0, 1e30)
        bias, dtype = check_flag("bias", bias), check_dtype(dtype)
        # Drawn in float64 whatever the dtype, so float32 and float64 nets start alike.
        draws = [
            generator.standard_normal((n_inputs, n_outputs))
            for generator in one_per_network(rng, n_networks)
        ]
        weights = draws[0] if n_networks is None else np.stack(draws)
        self.weights = (weight_sd * weights).astype(dtype)
        self.parameters = ("weights",)
        if bias:
            self.bias = np.zeros(_per_feature(n_outputs, n_networks), dtype)
            self.parameters = ("weights", "bias")

    def forward(self, inputs, *, training):
        inputs = _admit(inputs, training, self.n_inputs, self.n_networks)
        outputs = inputs @ self.weights
        if "bias" in self.parameters:
            outputs += self.bias
        self._inputs, self._shape = inputs, outputs.shape
        return outputs

    def backward(self, grad_outputs, *, to_inputs=True):
        grad_outputs = _check_grad(self, grad_outputs, to_inputs)
        self.grad_weights = self._inputs.swapaxes(-1, -2) @ grad_outputs
        if "bias" in self.parameters:
            self.grad_bias = batch_sum(grad_outputs).reshape(self.bias.shape)
        return grad_outputs @ self.weights.swapaxes(-1, -2) if to_inputs else None


class _Norm:
    """What all norms have: for each feature a scale gamma and a shift beta, which learn."""

    parameters = ("gamma", "beta")

    def __init__(self, n_features, n_networks, eps, dtype):
        self.n_features = check_integer("n_features", n_features)
        self.n_networks = n_networks
        if n_networks is not None:
            check_integer("n_networks", n_networks)
        self.eps = check_number("eps", eps, 1e-30, 1e15)  # keeps the division finite when var is 0
        self.shape, dtype = _per_feature(n_features, n_networks), check_dtype(dtype)
        self.gamma, self.beta = np.ones(self.shape, dtype), np.zeros(self.shape, dtype)


class BatchNorm(_Norm):
    """Batch normalisation (Ioffe & Szegedy 2015, Algorithms 1 and 2).

    Training normalises each feature with the mean and the biased variance (1/m) of its statistics
    group, then rescales with gamma and beta. Inference uses running statistics instead:
        running <- momentum * running + (1 - momentum) * batch
    (PyTorch calls 1 - momentum "momentum"). The stored variance is the unbiased one, m / (m - 1).

    `group_size` splits the batch into groups of consecutive rows with statistics of their own
    ("ghost batch norm", Hoffer et al. 2017, Algorithm 1); None is one group. One forward makes one
    update of the running statistics, with the mean over groups; Hoffer et al. update once a group.

    gamma, beta, running_mean and running_var have the shape `shape`: (n_features,) or
    (n_networks, 1, n_features). Raises ValueError when a training group has fewer than 2 rows.
    """

    def __init__(
        self, n_features, n_networks=None, momentum=0.9, eps=1e-5, group_size=None, dtype=np.float32
    ):
        super().__init__(n_features, n_networks, eps, dtype)
        self.momentum = check_number("momentum", momentum, 0, 1, high_open=True)
        self.group_size = None if group_size is None else check_integer("group_size", group_size, 2)
        self.running_mean = np.zeros_like(self.gamma)
        self.running_var = np.ones_like(self.gamma)

    def forward(self, inputs, *, training):
        inputs = _admit(inputs, training, self.n_features, self.n_networks)
        inputs = with_networks_axis(inputs, self.n_networks)
        if training:
            groups = self._split(inputs)
            centred, mean, var = _centre(groups)
            self._update_running(mean, var, group_size=groups.shape[-2])
        else:
            centred = (inputs - self.running_mean)[..., None, :, :]
            var = self._of_group(self.running_var)
        self._std = np.sqrt(var + self.eps)
        self._centred, self._training, self._shape = centred, training, inputs.shape
        # x_hat is centred / std: one factor serves std and gamma, one pass instead of two
        self._scale = self._of_group(self.gamma) / self._std
        outputs = (self._scale * centred).reshape(inputs.shape)
        outputs += self.beta
        return outputs

    def backward(self, grad_outputs):
        grad_outputs = _check_grad(self, grad_outputs)
        grad = grad_outputs.reshape(self._centred.shape)
        sum_grad = batch_sum(grad)
        sum_grad_x_hat = batch_sum(grad * self._centred) / self._std
        self.grad_beta = self._sum_of_groups(sum_grad)
        self.grad_gamma = self._sum_of_groups(sum_grad_x_hat)
        if self._training:
            # mean and std depend on the inputs: remove what moves them, along 1 and along x_hat
            n_rows = grad.shape[-2]
            moving = sum_grad_x_hat / (n_rows * self._std) * self._centred
            moving += sum_grad / n_rows
            grad = np.subtract(grad, moving, out=moving)
        return (self._scale * grad).reshape(grad_outputs.shape)

    def _update_running(self, mean, var, group_size):
        share = (1 - self.momentum) / mean.shape[-3]  # of each group
        self.running_mean *= self.momentum
        self.running_mean += share * self._sum_of_groups(mean)
        self.running_var *= self.momentum
        self.running_var += share * group_size / (group_size - 1) * self._sum_of_groups(var)

    def _split(self, inputs):
        """(..., batch, features) -> (..., n_groups, group_size, features), neighbours together."""
        *front, batch_size, n_features = inputs.shape
        group_size = batch_size if self.group_size is None else self.group_size
        if group_size < 2 or batch_size % group_size:
            check_group_size(group_size, batch_size)
        return inputs.reshape(*front, batch_size // group_size, group_size, n_features)

    def _of_group(self, values):
        """self.shape -> (..., 1, 1, features)."""
        return values.reshape(*self.shape[:-2], 1, 1, -1)

    def _sum_of_groups(self, values):
        """(..., n_groups, 1, features) -> self.shape."""
        if values.shape[-3] > 1:
            values = batch_sum(values[..., 0, :])
        return values.reshape(self.shape)


class GroupNorm(_Norm):
    """Group normalisation (Wu & He 2018): each row by itself, without its mini-batch.

    The features fall into `n_groups` groups of neighbours; in each row every group is normalised
    with its own mean and biased variance. Then gamma and beta rescale each feature, as in
    BatchNorm. Nothing is stored: training and inference do the same, and a batch may have one row.

    gamma and beta have the shape `shape`: (n_features,) or (n_networks, 1, n_features). Raises
    ValueError unless `n_groups` divides the features and leaves at least 2 in a group.
    """

    def __init__(self, n_features, n_groups, n_networks=None, eps=1e-5, dtype=np.float32):
        super().__init__(n_features, n_networks, eps, dtype)
        self.n_groups = check_integer("n_groups", n_groups)
        if n_features % n_groups or n_features < 2 * n_groups:
            raise ValueError(
                f"n_groups must divide the n_features, {n_features}, into groups of at least 2, "
                f"got {n_groups}"
            )

    def forward(self, inputs, *, training):
        inputs = _admit(inputs, training, self.n_features, self.n_networks)
        inputs = with_networks_axis(inputs, self.n_networks)
        groups = self._split(inputs)
        centred = groups - groups.mean(axis=-1, keepdims=True)
        self._std = np.sqrt(np.square(centred).mean(axis=-1, keepdims=True) + self.eps)
        self._x_hat, self._shape = centred / self._std, inputs.shape
        return self.gamma * self._x_hat.reshape(inputs.shape) + self.beta

    def backward(self, grad_outputs):
        grad_outputs, x_hat = _check_grad(self, grad_outputs), self._x_hat
        self.grad_beta = batch_sum(grad_outputs).reshape(self.shape)
        along_gamma = grad_outputs * x_hat.reshape(grad_outputs.shape)
        self.grad_gamma = batch_sum(along_gamma).reshape(self.shape)
        grad = self._split(grad_outputs * self.gamma)
        # as in BatchNorm, but the mean and std that move are those of the row's group
        along_x_hat = x_hat * (grad * x_hat).mean(axis=-1, keepdims=True)
        grad = (grad - grad.mean(axis=-1, keepdims=True) - along_x_hat) / self._std
        return grad.reshape(grad_outputs.shape)

    def _split(self, values):
        """(..., batch, features) -> (..., batch, n_groups, features of a group)."""
        return values.reshape(*values.shape[:-1], self.n_groups, -1)


class LayerNorm(GroupNorm):
    """Layer normalisation (Ba, Kiros & Hinton 2016): one group of all features of a row.

    Shapes and errors are those of GroupNorm; it takes at least 2 features.
    """

    def __init__(self, n_features, n_networks=None, eps=1e-5, dtype=np.float32):
        super().__init__(n_features, 1, n_networks, eps, dtype)


class Dropout:
    """In training, zeroes each value with `probability` and divides the rest by 1 - probability.

    "Inverted" dropout (Srivastava et al. 2014, section 10): inference is the identity. Draws from
    its own generators only, one for each network.
    """

    parameters = ()

    def __init__(self, probability, *, rng, n_networks=None):
        self.probability = check_number("probability", probability, 0, 1, high_open=True)
        self.n_networks = n_networks
        self.rng = one_per_network(rng, n_networks)

    def forward(self, inputs, *, training):
        inputs = _admit(inputs, training, n_networks=self.n_networks)
        inputs = with_networks_axis(inputs, self.n_networks)
        mask = self._draw_mask(inputs) if training and self.probability else None
        self._mask, self._shape = mask, inputs.shape
        if mask is None:
            return inputs if CHECKED_BEFORE.get() else inputs.copy()  # not the caller's own
        return inputs * mask

    def backward(self, grad_outputs):
        grad_outputs = _check_grad(self, grad_outputs)
        return grad_outputs if self._mask is None else grad_outputs * self._mask

    def _draw_mask(self, inputs):
        draws = np.empty(inputs.shape, np.float32)
        for generator, own in zip(self.rng, draws.reshape(len(self.rng), -1), strict=True):
            generator.random(dtype=np.float32, out=own)
        return (draws >= self.probability) * inputs.dtype.type(1 / (1 - self.probability))


class _Activation:
    """An activation is a function of each value, `_function`, and its slope in terms of outputs."""

    parameters = ()

    def forward(self, inputs, *, training):
        outputs = self._function(_admit(inputs, training))
        self._outputs, self._shape = outputs, outputs.shape
        return outputs

    def backward(self, grad_outputs):
        return _check_grad(self, grad_outputs) * self._slope(self._outputs)


class ReLU(_Activation):
    """outputs = max(inputs, 0)."""

    def _function(self, inputs):
        return inputs.clip(0, np.inf)  # the same, 3x faster than np.maximum(inputs, 0)

    def _slope(self, outputs):
        return outputs > 0


class Tanh(_Activation):
    """outputs = tanh(inputs)."""

    def _function(self, inputs):
        return np.tanh(inputs)

    def _slope(self, outputs):
        return 1 - outputs**2


class Sigmoid(_Activation):
    """outputs = 1 / (1 + exp(-inputs))."""

    def _function(self, inputs):
        return 0.5 * (1 + np.tanh(0.5 * inputs))  # the same function, which cannot overflow

    def _slope(self, outputs):
        return outputs * (1 - outputs)


def _admit(inputs, training, n_features=None, n_networks=None):
    """Return the inputs of a layer, checked unless that is done."""
    if CHECKED_BEFORE.get():
        return inputs
    check_flag("training", training)
    inputs = check_floats("inputs", inputs)
    check_axes(inputs, n_features, n_networks)
    check_finite("inputs", inputs, dtype=np.float32)  # stored statistics may be float32
    return inputs


def with_networks_axis(inputs, n_networks):
    """Return shared inputs (batch, features) as (n_networks, batch, features), others as is."""
    if n_networks is None or inputs.ndim == 3:
        return inputs
    return np.broadcast_to(inputs, (n_networks, *inputs.shape))


def _check_grad(layer, grad, to_inputs=True):
    """Return the gradient as an array that fits the last forward, checked unless that is done."""
    if CHECKED_BEFORE.get():
        return grad
    check_flag("to_inputs", to_inputs)
    grad = check_grad("grad_outputs", grad, getattr(layer, "_shape", None))
    return check_finite("grad_outputs", grad)


def _per_feature(n_features, n_networks):
    return (n_features,) if n_networks is None else (n_networks, 1, n_features)
