"""Notebook 02's exercises: batch norm in training, its running statistics, inference, backward."""

import numpy as np

from helpers.page.exercise import Exercise, reveal  # noqa: F401, for the notebook


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


def _slips(mean, var):
    """Return the mistakes in the formula itself, whatever it calls its mean and variance."""
    return {
        "Divided by the variance. What has a spread of 3 would then have one of 1/3: where is the "
        "root?": {"np.sqrt": ""},
        "eps is added to the standard deviation. It belongs to the variance, under the root: the "
        "two differ for a unit that hardly varies.":
            {f"np.sqrt({var} + eps)": f"(np.sqrt({var}) + eps)"},
        "eps is missing: a unit that is the same for all images would be divided by zero.":
            {f"{var} + eps": var},
        "Is a number typed in where `eps` should be? This is what 1e-5 gives.":
            {f"{var} + eps": f"{var} + 1e-5"},
        "β is added before γ multiplies, so that γ scales it, too.":
            {"x_hat + beta": "(x_hat + beta)"},
        "γ and β have changed places: γ scales, β shifts.":
            {"gamma * x_hat + beta": "beta * x_hat + gamma"},
        "These are the normalised values. γ and β are still to come, in training and at inference.":
            {"gamma * x_hat + beta": "x_hat"},
        "β is missing: it shifts each unit's outputs.": {"x_hat + beta": "x_hat"},
        "The mean is not subtracted.": {f"(z - {mean})": "z"},
        "The mean is subtracted after the division, when it is no longer the values' mean.":
            {f"(z - {mean})": "z", "* x_hat": f"* (x_hat - {mean})"},
    }


check_forward = Exercise(forward, _draw_batch, {
    "These are the mean and variance of each row, of one image over all units. Batch norm looks "
    "down the columns: one unit over the batch.": {"axis=0": "axis=1, keepdims=True"},
    "There is one mean and one variance for the whole array. Each unit, a column, has its own.":
        {"axis=0": ""},
    "That is the unbiased variance (ddof=1). It is what the layer stores; to normalise it divides "
    "by m.": {"var(axis=0": "var(axis=0, ddof=1"},
    **_slips("mean", "var"),
}, praise="In training, every output depends on the whole column.")


def _draw_infer(rng):
    z, gamma, beta, eps = _draw_batch(rng)
    running_var = rng.uniform(0.5, 4, z.shape[1])
    running_var[0] = eps * rng.uniform(0.5, 2)
    return z, rng.normal(0, 1, z.shape[1]), running_var, gamma, beta, eps


_OWN_MEAN = {"z - running_mean": "z - z.mean(axis=0)"}
_OWN_VAR = {"running_var + eps": "z.var(axis=0) + eps"}

check_infer = Exercise(infer, _draw_infer, {
    "That is the batch's own mean and variance, as in training. With one image alone the answer "
    "would always be β: use what was stored.": {**_OWN_MEAN, **_OWN_VAR},
    "The mean is the batch's own, the variance the stored one: both come from the store.":
        _OWN_MEAN,
    "The variance is the batch's own, the mean the stored one: both come from the store.":
        _OWN_VAR,
    "The stored variance is unbiased already: m / (m - 1) was applied when it was stored, and this "
    "batch may be of any size.": {"running_var +": "running_var * len(z) / (len(z) - 1) +"},
    **_slips("running_mean", "running_var"),
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


_SWAPPED = {"= momentum": "= (1 - momentum)", "+ (1 - momentum)": "+ momentum"}
_BIASED = {", ddof=1": ""}

check_update_running = Exercise(update_running, _draw_update, {
    "momentum and 1 - momentum look swapped: here momentum is the share of the old value, the "
    "memory. (In PyTorch it is the share of the new one.)": _SWAPPED,
    "The batch variance is the biased one, 1/m. To normalise that is right; what is stored divides "
    "by m - 1.": _BIASED,
    "Two things: momentum and 1 - momentum look swapped (momentum is the share of the old value), "
    "and the variance to store divides by m - 1.": {**_SWAPPED, **_BIASED},
    "The second value takes up standard deviations. Variances are stored.":
        {"z.var(axis=0, ddof=1)": "z.std(axis=0)"},
    "There is one mean and one variance of the whole array in it. Each unit, a column, has its "
    "own.": {"axis=0, ": "", "axis=0": ""},
    "These are the statistics of this batch alone. How much of the old ones stays?":
        {"= momentum": "= 0", "(1 - momentum) * ": ""},
    "The new batch comes in whole. The shares of old and new add up to 1, otherwise the average "
    "grows and grows.": {"(1 - momentum) * ": ""},
    "The old value stays whole. The shares of old and new add up to 1, otherwise the average grows "
    "and grows.": {"= momentum * ": "= "},
    "m / (m - 1) multiplies the past as well. Only the new batch's variance needs it: the old one "
    "was corrected when it came in.": {"* running_var": "* running_var * len(z) / (len(z) - 1)"},
    "The spread is taken around the running mean. The batch has a mean of its own.":
        {"running_mean = momentum": "new_mean = momentum", "return running_mean": "return new_mean",
         "z.var(axis=0, ddof=1)": "((z - running_mean) ** 2).sum(axis=0) / (len(z) - 1)"},
    "Right values, in the other order: the mean comes first.":
        {"return running_mean, running_var": "return running_var, running_mean"},
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


check_backward = Exercise(backward, _draw_backward, {
    "Mean and standard deviation are treated as constants, as at inference. In training both move "
    "with every value of the batch.": {" - along_1 - along_x_hat": ""},
    "The part along x̂ is still there: a nudge also changes the standard deviation, which rescales "
    "everyone.": {" - along_x_hat": ""},
    "The part along 1 is still there: a nudge also moves the mean, which shifts everyone.":
        {" - along_1": ""},
    "There is one mean for the whole array in it. Each unit, a column, has its own.":
        {"axis=0": ""},
    "These are sums over the batch; means are needed: one value is only 1/m of the mean.":
        {"mean(": "sum("},
    "Along x̂ there is an amount for each unit, but no direction: it still has to be multiplied by "
    "x̂.": {"x_hat * (x_hat": "(x_hat"},
    "Along x̂ this is the exact projection, divided by the mean of x̂². Because of eps that mean "
    "is below 1, and the chain rule does not divide by it.":
        {"- along_x_hat": "- along_x_hat / (x_hat**2).mean(axis=0)"},
    "Both parts are added; they are to be removed.": {" - along": " + along"},
    "γ is missing: x̂ was multiplied by it on the way forward.": {"gamma * grad": "grad"},
    "The division by std is missing: the larger the spread, the less a nudge of z moves x̂.":
        {" / std": ""},
    "Divided by the variance: z was divided by std on the way forward, so is its gradient.":
        {"/ std": "/ std**2"},
}, praise="Checked with random gradients: with constant ones the right answer would be zero.")
