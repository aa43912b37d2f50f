"""Notebook 02's exercises: batch norm in training, its running statistics, inference, backward."""

import numpy as np

from helpers.page.exercise import Exercise, reveal

__all__ = ["check_backward", "check_forward", "check_infer", "check_update_running", "reveal"]


def _draw_batch(rng):
    """Return z, (batch, features), never square, gamma, beta and eps.

    The first column varies as little as eps does: there it shows whether eps is used, and whether
    it is under the root. eps is not the usual 1e-5, which the learner may have typed in.
    """
    eps = rng.uniform(2e-5, 9e-5)
    batch_size, n_features = int(rng.integers(5, 9)), int(rng.integers(3, 5))
    sds = rng.uniform(0.5, 3, n_features)
    sds[0] = np.sqrt(eps)
    z = rng.normal(0, 2, n_features) + sds * rng.standard_normal((batch_size, n_features))
    gamma = rng.choice([-1, 1], n_features) * rng.uniform(0.5, 2, n_features)
    return z, gamma, rng.normal(0, 1, n_features), eps


def forward(z, gamma, beta, eps):
    """Return the outputs of batch norm in training, (batch, features), as z.

    gamma, beta: (features,). eps: one small number.
    """
    mean = z.mean(axis=0)
    var = z.var(axis=0)
    x_hat = (z - mean) / np.sqrt(var + eps)
    return gamma * x_hat + beta


def infer(z, running_mean, running_var, gamma, beta, eps):
    """Return the outputs of batch norm at inference, (batch, features), as z.

    running_mean, running_var, gamma, beta: (features,). eps: one small number.
    """
    x_hat = (z - running_mean) / np.sqrt(running_var + eps)
    return gamma * x_hat + beta


# What goes wrong in the formula of `infer`, whichever mean and variance it is given.
_OF_THE_FORMULA = {
    "Divided by the variance. What has a spread of 3 would then have one of 1/3: where is the "
    "root?":
        lambda z, mean, var, gamma, beta, eps: infer(z, mean, (var + eps) ** 2, gamma, beta, 0),
    "eps is added to the standard deviation. It belongs to the variance, under the root: the two "
    "differ for a unit that hardly varies.":
        lambda z, mean, var, gamma, beta, eps: (
            infer(z, mean, (np.sqrt(var) + eps) ** 2, gamma, beta, 0)
        ),
    "eps is missing: a unit that is the same for all images would be divided by zero.":
        lambda z, mean, var, gamma, beta, eps: infer(z, mean, var, gamma, beta, 0),
    "Is a number typed in where `eps` should be? This is what 1e-5 gives.":
        lambda z, mean, var, gamma, beta, eps: infer(z, mean, var, gamma, beta, 1e-5),
    "β is added before γ multiplies, so that γ scales it, too.":
        lambda z, mean, var, gamma, beta, eps: infer(z, mean, var, gamma, gamma * beta, eps),
    "γ and β have changed places: γ scales, β shifts.":
        lambda z, mean, var, gamma, beta, eps: infer(z, mean, var, beta, gamma, eps),
    "These are the normalised values. γ and β are still to come, in training and at inference.":
        lambda z, mean, var, gamma, beta, eps: infer(z, mean, var, 1, 0, eps),
    "β is missing: it shifts each unit's outputs.":
        lambda z, mean, var, gamma, beta, eps: infer(z, mean, var, gamma, 0, eps),
    "The mean is not subtracted.": lambda z, mean, *others: infer(z, 0, *others),
    "The mean is subtracted after the division, when it is no longer the values' mean.":
        lambda z, mean, var, gamma, beta, eps: (
            infer(z, 0, var, gamma, beta - gamma * mean, eps)
        ),
}


def _of_the_batch(mistaken):
    """Return a wrong `infer` as a wrong `forward`, with mean and variance of the batch."""
    return lambda z, *others: mistaken(z, z.mean(0), z.var(0), *others)


check_forward = Exercise(forward, _draw_batch, {
    "These are the mean and variance of each row, of one image over all units. Batch norm looks "
    "down the columns: one unit over the batch.":
        lambda z, gamma, beta, eps: gamma * forward(z.T, 1, 0, eps).T + beta,
    "There is one mean and one variance for the whole array. Each unit, a column, has its own.":
        lambda z, *others: infer(z, z.mean(), z.var(), *others),
    "That is the unbiased variance (ddof=1). It is what the layer stores; to normalise it divides "
    "by m.":
        lambda z, *others: infer(z, z.mean(0), z.var(0, ddof=1), *others),
    **{hint: _of_the_batch(mistaken) for hint, mistaken in _OF_THE_FORMULA.items()},
}, praise="In training, every output depends on the whole column.")


def _draw_infer(rng):
    z, gamma, beta, eps = _draw_batch(rng)
    running_var = rng.uniform(0.5, 4, z.shape[1])
    running_var[0] = eps * rng.uniform(0.5, 2)
    return z, rng.normal(0, 1, z.shape[1]), running_var, gamma, beta, eps


check_infer = Exercise(infer, _draw_infer, {
    "That is the batch's own mean and variance, as in training. With one image alone the answer "
    "would always be β: use what was stored.":
        lambda z, mean, var, *others: forward(z, *others),
    "The mean is the batch's own, the variance the stored one: both come from the store.":
        lambda z, mean, *others: infer(z, z.mean(0), *others),
    "The variance is the batch's own, the mean the stored one: both come from the store.":
        lambda z, mean, var, *others: infer(z, mean, z.var(0), *others),
    "The stored variance is unbiased already: m / (m - 1) was applied when it was stored, and this "
    "batch may be of any size.":
        lambda z, mean, var, *others: infer(z, mean, var * len(z) / (len(z) - 1), *others),
    **_OF_THE_FORMULA,
}, praise="Now each image gets its output alone: a fixed scale and a fixed shift for each unit.")


def update_running(running_mean, running_var, z, momentum):
    """Return the new running_mean and running_var, both (features,), after the mini-batch z.

    z: (batch, features). momentum: how much of the old values is kept, between 0 and 1.
    """
    running_mean = momentum * running_mean + (1 - momentum) * z.mean(axis=0)
    running_var = momentum * running_var + (1 - momentum) * z.var(axis=0, ddof=1)
    return running_mean, running_var


def _draw_update(rng):
    z, _, running_mean, _ = _draw_batch(rng)
    return running_mean, rng.uniform(0.5, 2, z.shape[1]), z, rng.uniform(0.6, 0.95)


def _average(old_mean, old_var, mean, var, kept, taken):
    return kept * old_mean + taken * mean, kept * old_var + taken * var


def _biased(old_mean, old_var, z, k):
    return _average(old_mean, old_var, z.mean(0), z.var(0), k, 1 - k)


check_update_running = Exercise(update_running, _draw_update, {
    "momentum and 1 - momentum look swapped: here momentum is the share of the old value, the "
    "memory. (In PyTorch it is the share of the new one.)":
        lambda mean, var, z, k: update_running(mean, var, z, 1 - k),
    "The batch variance is the biased one, 1/m. To normalise that is right; what is stored divides "
    "by m - 1.":
        _biased,
    "Two things: momentum and 1 - momentum look swapped (momentum is the share of the old value), "
    "and the variance to store divides by m - 1.":
        lambda mean, var, z, k: _biased(mean, var, z, 1 - k),
    "The second value takes up standard deviations. Variances are stored.":
        lambda mean, var, z, k: _average(mean, var, z.mean(0), z.std(0), k, 1 - k),
    "There is one mean and one variance of the whole array in it. Each unit, a column, has its "
    "own.":
        lambda mean, var, z, k: _average(mean, var, z.mean(), z.var(ddof=1), k, 1 - k),
    "These are the statistics of this batch alone. How much of the old ones stays?":
        lambda mean, var, z, k: update_running(mean, var, z, 0),
    "The new batch comes in whole. The shares of old and new add up to 1, otherwise the average "
    "grows and grows.":
        lambda mean, var, z, k: _average(mean, var, z.mean(0), z.var(0, ddof=1), k, 1),
    "The old value stays whole. The shares of old and new add up to 1, otherwise the average grows "
    "and grows.":
        lambda mean, var, z, k: _average(mean, var, z.mean(0), z.var(0, ddof=1), 1, 1 - k),
    "m / (m - 1) multiplies the past as well. Only the new batch's variance needs it: the old one "
    "was corrected when it came in.":
        lambda mean, var, z, k: update_running(mean, var * len(z) / (len(z) - 1), z, k),
    "The spread is taken around the running mean. The batch has a mean of its own.":
        lambda mean, var, z, k: (
            update_running(mean, var, z, k)[0],
            k * var + (1 - k) * ((z - mean) ** 2).sum(axis=0) / (len(z) - 1),
        ),
    "Right values, in the other order: the mean comes first.":
        lambda mean, var, z, k: update_running(mean, var, z, k)[::-1],
}, praise="A memory of 0.9 looks back over some ten batches.")


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
    z, gamma, _, eps = _draw_batch(rng)
    std = np.sqrt(z.var(0) + eps)
    return rng.standard_normal(z.shape), (z - z.mean(0)) / std, std, gamma


def _removed(grad, x_hat, std, gamma, share_of_1=1, share_of_x_hat=1):
    """Return `backward`, but with other shares of the parts along 1 and along x_hat removed."""
    along_1, along_x_hat = grad.mean(axis=0), x_hat * (x_hat * grad).mean(axis=0)
    return gamma * (grad - share_of_1 * along_1 - share_of_x_hat * along_x_hat) / std


check_backward = Exercise(backward, _draw_backward, {
    "Mean and standard deviation are treated as constants, as at inference. In training both move "
    "with every value of the batch.":
        lambda *case: _removed(*case, 0, 0),
    "The part along x̂ is still there: a nudge also changes the standard deviation, which rescales "
    "everyone.":
        lambda *case: _removed(*case, 1, 0),
    "The part along 1 is still there: a nudge also moves the mean, which shifts everyone.":
        lambda *case: _removed(*case, 0, 1),
    "There is one mean for the whole array in it. Each unit, a column, has its own.":
        lambda grad, x_hat, std, gamma: (
            (gamma * grad - (gamma * grad).mean() - x_hat * (x_hat * gamma * grad).mean()) / std
        ),
    "These are sums over the batch; means are needed: one value is only 1/m of the mean.":
        lambda *case: _removed(*case, len(case[0]), len(case[0])),
    "Along x̂ there is an amount for each unit, but no direction: it still has to be multiplied by "
    "x̂.":
        lambda *case: _removed(*case, 1, 1 / case[1]),
    "Along x̂ this is the exact projection, divided by the mean of x̂². Because of eps that mean "
    "is below 1, and the chain rule does not divide by it.":
        lambda *case: _removed(*case, 1, 1 / (case[1] ** 2).mean(axis=0)),
    "Both parts are added; they are to be removed.":
        lambda *case: _removed(*case, -1, -1),
    "γ is missing: x̂ was multiplied by it on the way forward.":
        lambda grad, x_hat, std, gamma: backward(grad, x_hat, std, 1),
    "The division by std is missing: the larger the spread, the less a nudge of z moves x̂.":
        lambda grad, x_hat, std, gamma: backward(grad, x_hat, 1, gamma),
    "Divided by the variance: z was divided by std on the way forward, so is its gradient.":
        lambda grad, x_hat, std, gamma: backward(grad, x_hat, std**2, gamma),
}, praise="Checked with random gradients: with constant ones the right answer would be zero.")
