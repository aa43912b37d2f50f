"""Notebook 02's exercises: batch norm in training, its running statistics, inference, backward."""

import numpy as np

from helpers.page.exercise import Exercise, reveal

__all__ = ["check_backward", "check_forward", "check_infer", "check_update_running", "reveal"]


def _draw_batch(rng, eps):
    """Return z, (batch, features), never square; its first column varies as little as eps does.

    In such a column it shows whether eps is there, and whether it is under the root.
    """
    batch_size, n_features = int(rng.integers(5, 9)), int(rng.integers(3, 5))
    sds = rng.uniform(0.5, 3, n_features)
    sds[0] = np.sqrt(eps)
    return rng.normal(0, 2, n_features) + sds * rng.standard_normal((batch_size, n_features))


def _draw_eps(rng):
    return rng.uniform(2e-5, 9e-5)  # not the usual 1e-5, which the learner may have typed in


def _draw_gamma_beta(rng, n_features):
    gamma = rng.choice([-1, 1], n_features) * rng.uniform(0.5, 2, n_features)
    return gamma, rng.normal(0, 1, n_features)


# -- in training --


def forward(z, gamma, beta, eps):
    """Return the outputs of batch norm in training, (batch, features), as z.

    gamma, beta: (features,). eps: one small number.
    """
    mean = z.mean(axis=0)
    var = z.var(axis=0)
    x_hat = (z - mean) / np.sqrt(var + eps)
    return gamma * x_hat + beta


def _draw_forward(rng):
    eps = _draw_eps(rng)
    z = _draw_batch(rng, eps)
    return (z, *_draw_gamma_beta(rng, z.shape[1]), eps)


def _by_rows(z, gamma, beta, eps):
    mean, var = z.mean(axis=1, keepdims=True), z.var(axis=1, keepdims=True)
    return gamma * (z - mean) / np.sqrt(var + eps) + beta


def _x_hat(z, eps, ddof=0):
    return (z - z.mean(axis=0)) / np.sqrt(z.var(axis=0, ddof=ddof) + eps)


check_forward = Exercise(
    forward,
    _draw_forward,
    {
        "These are the mean and variance of each row, of one image over all units. Batch norm "
        "looks down the columns: one unit over the batch.": _by_rows,
        "There is one mean and one variance for the whole array. Each unit, a column, has its "
        "own.": lambda z, gamma, beta, eps: (
            gamma * (z - z.mean()) / np.sqrt(z.var() + eps) + beta
        ),
        "That is the unbiased variance (ddof=1). It is what the layer stores; to normalise it "
        "divides by m.": lambda z, gamma, beta, eps: gamma * _x_hat(z, eps, ddof=1) + beta,
        "Divided by the variance. What has a spread of 3 would then have one of 1/3: where is "
        "the root?": lambda z, gamma, beta, eps: (
            gamma * (z - z.mean(axis=0)) / (z.var(axis=0) + eps) + beta
        ),
        "eps is added to the standard deviation. It belongs to the variance, under the root: "
        "the two differ for a unit that hardly varies.": lambda z, gamma, beta, eps: (
            gamma * (z - z.mean(axis=0)) / (z.std(axis=0) + eps) + beta
        ),
        "eps is missing: a unit that is the same for all images would be divided by zero.": (
            lambda z, gamma, beta, eps: gamma * _x_hat(z, 0) + beta
        ),
        "Is a number typed in where `eps` should be? This is what 1e-5 gives.": (
            lambda z, gamma, beta, eps: gamma * _x_hat(z, 1e-5) + beta
        ),
        "β is added before γ multiplies, so that γ scales it, too.": (
            lambda z, gamma, beta, eps: gamma * (_x_hat(z, eps) + beta)
        ),
        "γ and β have changed places: γ scales, β shifts.": (
            lambda z, gamma, beta, eps: beta * _x_hat(z, eps) + gamma
        ),
        "These are the normalised values. γ and β are still to come.": (
            lambda z, gamma, beta, eps: _x_hat(z, eps)
        ),
        "β is missing: the mean of each unit's outputs should be β.": (
            lambda z, gamma, beta, eps: gamma * _x_hat(z, eps)
        ),
        "The mean is not subtracted.": lambda z, gamma, beta, eps: (
            gamma * z / np.sqrt(z.var(axis=0) + eps) + beta
        ),
        "The mean is subtracted after the division, when it is no longer the values' mean.": (
            lambda z, gamma, beta, eps: (
                gamma * (z / np.sqrt(z.var(axis=0) + eps) - z.mean(axis=0)) + beta
            )
        ),
    },
    praise="In training, every output depends on the whole column.",
)


# -- what it remembers --


def update_running(running_mean, running_var, z, momentum):
    """Return the new running_mean and running_var, both (features,), after the mini-batch z.

    z: (batch, features). momentum: how much of the old values is kept, between 0 and 1.
    """
    running_mean = momentum * running_mean + (1 - momentum) * z.mean(axis=0)
    running_var = momentum * running_var + (1 - momentum) * z.var(axis=0, ddof=1)
    return running_mean, running_var


def _draw_update(rng):
    z = _draw_batch(rng, eps=0.1)
    n_features = z.shape[1]
    return rng.normal(0, 1, n_features), rng.uniform(0.5, 2, n_features), z, rng.uniform(0.6, 0.95)


def _blend(old_mean, old_var, mean, var, old_share, new_share):
    return old_share * old_mean + new_share * mean, old_share * old_var + new_share * var


def _swapped(running_mean, running_var, z, momentum):
    return update_running(running_mean, running_var, z, 1 - momentum)


def _biased(running_mean, running_var, z, momentum):
    mean, var = z.mean(axis=0), z.var(axis=0)
    return _blend(running_mean, running_var, mean, var, momentum, 1 - momentum)


def _of_whole_array(running_mean, running_var, z, momentum):
    mean, var = z.mean(), z.var(ddof=1)
    return _blend(running_mean, running_var, mean, var, momentum, 1 - momentum)


def _standard_deviations(running_mean, running_var, z, momentum, ddof=0):
    mean, sd = z.mean(axis=0), z.std(axis=0, ddof=ddof)
    return _blend(running_mean, running_var, mean, sd, momentum, 1 - momentum)


def _whole_batch_added(running_mean, running_var, z, momentum):
    mean, var = z.mean(axis=0), z.var(axis=0, ddof=1)
    return _blend(running_mean, running_var, mean, var, momentum, 1)


def _whole_past_kept(running_mean, running_var, z, momentum):
    mean, var = z.mean(axis=0), z.var(axis=0, ddof=1)
    return _blend(running_mean, running_var, mean, var, 1, 1 - momentum)


def _past_corrected(running_mean, running_var, z, momentum):
    mean, var = _biased(running_mean, running_var, z, momentum)
    return mean, var * len(z) / (len(z) - 1)


def _around_running_mean(running_mean, running_var, z, momentum):
    var = ((z - running_mean) ** 2).sum(axis=0) / (len(z) - 1)
    return _blend(running_mean, running_var, z.mean(axis=0), var, momentum, 1 - momentum)


check_update_running = Exercise(
    update_running,
    _draw_update,
    {
        "momentum and 1 - momentum look swapped: here momentum is the share of the old value, "
        "the memory. (In PyTorch it is the share of the new one.)": _swapped,
        "The batch variance is the biased one, 1/m. To normalise that is right; what is stored "
        "divides by m - 1.": _biased,
        "Two things: momentum and 1 - momentum look swapped (momentum is the share of the old "
        "value), and the variance to store divides by m - 1.": lambda *given: (
            _biased(*given[:3], 1 - given[3])
        ),
        "The second value takes up standard deviations. Variances are stored.": (
            _standard_deviations
        ),
        "The second value takes up standard deviations, if unbiased ones. Variances are stored.": (
            lambda *given: _standard_deviations(*given, ddof=1)
        ),
        "There is one mean and one variance of the whole array in it. Each unit, a column, has "
        "its own.": _of_whole_array,
        "These are the statistics of this batch alone. How much of the old ones stays?": (
            lambda running_mean, running_var, z, momentum: (z.mean(axis=0), z.var(axis=0, ddof=1))
        ),
        "The new batch comes in whole. The shares of old and new add up to 1, otherwise the "
        "average grows and grows.": _whole_batch_added,
        "The old value stays whole. The shares of old and new add up to 1, otherwise the average "
        "grows and grows.": _whole_past_kept,
        "m / (m - 1) multiplies the past as well. Only the new batch's variance needs it: the "
        "old one was corrected when it came in.": _past_corrected,
        "The spread is taken around the running mean. The batch has a mean of its own.": (
            _around_running_mean
        ),
        "Right values, in the other order: the mean comes first.": (
            lambda *given: update_running(*given)[::-1]
        ),
    },
    praise="A memory of 0.9 looks back over some ten batches.",
)


# -- alone, afterwards --


def infer(z, running_mean, running_var, gamma, beta, eps):
    """Return the outputs of batch norm at inference, (batch, features), as z.

    running_mean, running_var, gamma, beta: (features,). eps: one small number.
    """
    x_hat = (z - running_mean) / np.sqrt(running_var + eps)
    return gamma * x_hat + beta


def _draw_infer(rng):
    eps = _draw_eps(rng)
    z = _draw_batch(rng, eps)
    n_features = z.shape[1]
    running_var = rng.uniform(0.5, 4, n_features)
    running_var[0] = eps * rng.uniform(0.5, 2)
    return z, rng.normal(0, 1, n_features), running_var, *_draw_gamma_beta(rng, n_features), eps


check_infer = Exercise(
    infer,
    _draw_infer,
    {
        "That is the batch's own mean and variance, as in training. With one image alone the "
        "answer would always be β: use what was stored.": (
            lambda z, running_mean, running_var, gamma, beta, eps: forward(z, gamma, beta, eps)
        ),
        "The mean is the batch's own, the variance the stored one: both come from the store.": (
            lambda z, running_mean, running_var, gamma, beta, eps: (
                infer(z, z.mean(axis=0), running_var, gamma, beta, eps)
            )
        ),
        "The variance is the batch's own, the mean the stored one: both come from the store.": (
            lambda z, running_mean, running_var, gamma, beta, eps: (
                infer(z, running_mean, z.var(axis=0), gamma, beta, eps)
            )
        ),
        "The stored variance is unbiased already: m / (m - 1) was applied when it was stored, "
        "and this batch may be of any size.": (
            lambda z, running_mean, running_var, gamma, beta, eps: (
                infer(z, running_mean, running_var * len(z) / (len(z) - 1), gamma, beta, eps)
            )
        ),
        "Divided by the stored variance: where is the root?": (
            lambda z, running_mean, running_var, gamma, beta, eps: (
                gamma * (z - running_mean) / (running_var + eps) + beta
            )
        ),
        "eps is missing. It is used as in training, or the two would not fit together.": (
            lambda z, running_mean, running_var, gamma, beta, eps: (
                infer(z, running_mean, running_var, gamma, beta, 0)
            )
        ),
        "eps is added to the standard deviation. It belongs to the variance, under the root.": (
            lambda z, running_mean, running_var, gamma, beta, eps: (
                gamma * (z - running_mean) / (np.sqrt(running_var) + eps) + beta
            )
        ),
        "Is a number typed in where `eps` should be? This is what 1e-5 gives.": (
            lambda z, running_mean, running_var, gamma, beta, eps: (
                infer(z, running_mean, running_var, gamma, beta, 1e-5)
            )
        ),
        "These are the normalised values. γ and β are learned, and needed at inference as well.": (
            lambda z, running_mean, running_var, gamma, beta, eps: (
                infer(z, running_mean, running_var, 1, 0, eps)
            )
        ),
        "β is added before γ multiplies, so that γ scales it, too.": (
            lambda z, running_mean, running_var, gamma, beta, eps: (
                infer(z, running_mean, running_var, gamma, gamma * beta, eps)
            )
        ),
        "The stored mean is not subtracted.": (
            lambda z, running_mean, running_var, gamma, beta, eps: (
                infer(z, 0, running_var, gamma, beta, eps)
            )
        ),
    },
    praise="Now each image gets its output alone: a fixed scale and a fixed shift for each unit.",
)


# -- the way back --


def backward(grad_outputs, x_hat, std, gamma):
    """Return the gradient of the loss with respect to z, (batch, features).

    grad_outputs: the gradient with respect to the outputs. x_hat: the normalised values, both
    (batch, features). std: np.sqrt(var + eps), and gamma, both (features,).
    """
    grad_x_hat = gamma * grad_outputs
    along_1 = grad_x_hat.mean(axis=0)
    along_x_hat = x_hat * (x_hat * grad_x_hat).mean(axis=0)
    return (grad_x_hat - along_1 - along_x_hat) / std


def _draw_backward(rng):
    # Random gradients: with a constant one the answer is zero, which many a wrong formula gives.
    eps = _draw_eps(rng)
    z = _draw_batch(rng, eps)
    std = np.sqrt(z.var(axis=0) + eps)
    gamma, _ = _draw_gamma_beta(rng, z.shape[1])
    return rng.standard_normal(z.shape), (z - z.mean(axis=0)) / std, std, gamma


def _kept_along_x_hat(grad_outputs, x_hat, std, gamma):
    return gamma * (grad_outputs - grad_outputs.mean(axis=0)) / std


def _kept_along_1(grad_outputs, x_hat, std, gamma):
    return gamma * (grad_outputs - x_hat * (x_hat * grad_outputs).mean(axis=0)) / std


def _sums(grad_outputs, x_hat, std, gamma):
    along_x_hat = x_hat * (x_hat * grad_outputs).sum(axis=0)
    return gamma * (grad_outputs - grad_outputs.sum(axis=0) - along_x_hat) / std


def _only_the_amount(grad_outputs, x_hat, std, gamma):
    amount = (x_hat * grad_outputs).mean(axis=0)
    return gamma * (grad_outputs - grad_outputs.mean(axis=0) - amount) / std


def _projected(grad_outputs, x_hat, std, gamma):
    along_x_hat = x_hat * (x_hat * grad_outputs).sum(axis=0) / (x_hat**2).sum(axis=0)
    return gamma * (grad_outputs - grad_outputs.mean(axis=0) - along_x_hat) / std


def _added(grad_outputs, x_hat, std, gamma):
    along_x_hat = x_hat * (x_hat * grad_outputs).mean(axis=0)
    return gamma * (grad_outputs + grad_outputs.mean(axis=0) + along_x_hat) / std


check_backward = Exercise(
    backward,
    _draw_backward,
    {
        "Mean and standard deviation are treated as constants, as at inference. In training both "
        "move with every value of the batch.": (
            lambda grad_outputs, x_hat, std, gamma: gamma * grad_outputs / std
        ),
        "The part along x̂ is still there: a nudge also changes the standard deviation, which "
        "rescales everyone.": _kept_along_x_hat,
        "The part along 1 is still there: a nudge also moves the mean, which shifts everyone.": (
            _kept_along_1
        ),
        "These are sums over the batch; means are needed: one value is only 1/m of the mean.": (
            _sums
        ),
        "Along x̂ there is an amount for each unit, but no direction: it still has to be "
        "multiplied by x̂.": _only_the_amount,
        "Along x̂ this is the exact projection, divided by the mean of x̂². Because of eps that "
        "mean is below 1, and the chain rule does not divide by it.": _projected,
        "Both parts are added; they are to be removed.": _added,
        "γ is missing: x̂ was multiplied by it on the way forward.": (
            lambda grad_outputs, x_hat, std, gamma: backward(grad_outputs, x_hat, std, 1)
        ),
        "The division by std is missing: the larger the spread, the less a nudge of z moves "
        "x̂.": lambda grad_outputs, x_hat, std, gamma: backward(grad_outputs, x_hat, 1, gamma),
        "Multiplied by std instead of divided: the larger the spread, the less a nudge of z "
        "moves x̂.": lambda grad_outputs, x_hat, std, gamma: (
            backward(grad_outputs, x_hat, 1 / std, gamma)
        ),
        "Divided by the variance: z was divided by std on the way forward, so is its gradient.": (
            lambda grad_outputs, x_hat, std, gamma: backward(grad_outputs, x_hat, std**2, gamma)
        ),
    },
    praise="Checked with random gradients: with constant ones the right answer would be zero.",
)
