"""Watching a network from outside: what each layer receives, and with which statistics.

*Stored* statistics are batch norm's running mean and variance; *fresh* ones are computed from the
inputs at hand. Nothing here changes the network that it is given.
"""

import copy

import numpy as np

from helpers.checks import check_choice, check_flag
from helpers.layers import BatchNorm, Dense, Dropout, check_group_size
from helpers.network import Network, check_network, computing, infer


def record(network, probe, statistics="stored"):
    """Return what every layer receives in inference, a list of arrays (..., batch, features).

    probe: (batch, features) or (n_networks, batch, features). statistics: "stored", or "fresh"
    for batch norm that normalises with the probe's own mean and variance.
    """
    check_choice("statistics", statistics, ("stored", "fresh"))
    received = []
    _walk(network, probe, fresh=statistics == "fresh", received=received, name="probe")
    return received


def layer_places(network, kinds):
    """Return where in `network.layers` the layers of `kinds` are; kinds: a class or several."""
    check_network(network)
    if not all(isinstance(one, type) for one in (kinds if isinstance(kinds, tuple) else [kinds])):
        raise TypeError(f"kinds must be a class or a tuple of classes, got {kinds!r}")
    return [place for place, layer in enumerate(network.layers) if isinstance(layer, kinds)]


def third_dense(network):
    """Return where in `network.layers` the third Dense is; ValueError if there is none."""
    places = layer_places(network, Dense)
    if len(places) < 3:
        raise ValueError(f"hidden must name at least 2 layers, got {len(places) - 1}")
    return places[2]


def predict_with_batch_statistics(network, inputs, group_size=None):
    """Return logits when each group of consecutive rows is normalised with its own statistics.

    inputs: (batch, features) or (n_networks, batch, features); shuffle rows that come in an order
    of classes first, as the stored test images do: who shares a group matters. Dropout is off.
    Raises ValueError unless group_size, at least 2, divides the batch; None is one group.
    """
    return _walk(network, inputs, fresh=True, group_size=group_size)


def with_statistics(network, inputs, group_size=None, *, share_weights=False):
    """Return a copy of `network` whose running statistics are those of `inputs`.

    Layer by layer, each batch norm stores the exact moments of what reaches it, normalises with
    them and hands on; dropout is off. With `group_size`, the groups are normalised one by one and
    the means of their means and unbiased variances are stored (Ioffe & Szegedy 2015, Algorithm 2).
    On inputs from another domain this is AdaBN (Li et al. 2016, section 3).

    share_weights=True: the copy has the same weights in memory, to be used before the network
    learns on. To copy dropout's generators takes half as long as a step of training.
    """
    check_network(network)
    if check_flag("share_weights", share_weights):
        twin = Network([copy.copy(layer) for layer in network.layers])
    else:
        twin = copy.deepcopy(network)
    _walk(twin, inputs, fresh=True, group_size=group_size, store=True)
    return twin


def _walk(
    network, inputs, *, fresh, group_size=None, store=False, received=None, name="inputs"
):
    """Return the logits; append what each layer receives to `received`, if that is a list."""
    check_network(network)
    inputs = network.check_inputs(inputs, name)
    if group_size is not None:
        check_group_size(group_size, inputs.shape[-2])

    def pass_through(outputs):
        for layer in network.layers:
            if received is not None:
                received.append(outputs)
            if isinstance(layer, BatchNorm) and fresh:
                norm = _without_memory(layer, group_size)
                n_rows = outputs.shape[-2]
                outputs = norm.forward(outputs.astype(network.dtype, copy=False), training=True)
                if store:
                    # All at once are the population, whose variance is not to be estimated.
                    share = (n_rows - 1) / n_rows if group_size is None else 1.0
                    layer.running_mean = norm.running_mean
                    layer.running_var = share * norm.running_var
            elif not isinstance(layer, Dropout):
                outputs = infer([layer], outputs, network.dtype)
        return outputs

    return computing(pass_through, inputs)


def _without_memory(norm, group_size):
    """Return a BatchNorm like `norm` whose stored statistics are those of its next inputs."""
    twin = copy.copy(norm)
    twin.momentum, twin.group_size = 0.0, group_size
    # Its own: a forward changes them in place.
    twin.running_mean, twin.running_var = np.zeros_like(norm.gamma), np.zeros_like(norm.gamma)
    return twin
