"""One training step, written as a user of each library would write it for speed.

Every contender starts from the same weights, meets the same mini-batches and does the same work:
take the rows, forward, loss, backward, momentum SGD, running statistics. `step()` makes one update
and returns the losses of the mini-batch as the library holds them; `losses(result)` turns them
into an array (n_networks,). A contender that cannot run here, or cannot do this work, raises
Skipped with the reason.
"""

import warnings
from dataclasses import dataclass
from functools import partial
from itertools import cycle, islice, pairwise

import numpy as np

from helpers.layers import BatchNorm, Dense
from helpers.network import multilayer_perceptron, one_blas_thread
from helpers.randomness import spawn_streams
from helpers.training import minibatches, train

LEARNING_RATE, MOMENTUM, MEMORY, EPS = 0.01, 0.9, 0.9, 1e-5
N_PREPARED = 64  # mini-batches drawn before the clock starts; ours draws its own as it goes


class Skipped(Exception):
    """This contender has no time in this row; the message says why."""


@dataclass(frozen=True)
class Setting:
    """One row of the table. n_networks=1 is a single network without a networks axis."""

    sizes: tuple
    n_networks: int
    batch_size: int
    batch_norm: bool = True
    group_size: int | None = None
    dtype: str = "float32"

    @property
    def lock_step(self):
        return None if self.n_networks == 1 else self.n_networks

    @property
    def n_samples(self):
        return max(512, self.batch_size)


class Problem:
    """The data, the initial network and the order of the examples that all contenders share."""

    def __init__(self, setting, seed=0):
        self.setting = setting
        streams = self.streams = spawn_streams(seed, setting.lock_step)
        rng = np.random.default_rng(seed)
        front = (setting.n_networks, setting.n_samples)
        self.inputs = rng.standard_normal((*front, setting.sizes[0])).astype(setting.dtype)
        self.targets = rng.integers(0, setting.sizes[-1], front)
        if setting.lock_step is None:
            self.inputs, self.targets = self.inputs[0], self.targets[0]
        self.network = multilayer_perceptron(
            list(setting.sizes), rng=streams.weights, n_networks=setting.lock_step,
            batch_norm=setting.batch_norm, group_size=setting.group_size, momentum=MEMORY,
            dtype=setting.dtype,
        )

    def rows(self):
        """Return an endless iterator over index arrays (n_networks, batch)."""
        s = self.setting
        again = spawn_streams(0, s.lock_step).order
        drawn = minibatches(s.n_samples, s.batch_size, n_networks=s.lock_step, rng=again)
        return cycle([np.atleast_2d(rows) for rows in islice(drawn, N_PREPARED)])

    def stacked(self):
        """Return inputs and targets with a networks axis, also for one network."""
        s = self.setting
        return (
            self.inputs.reshape(s.n_networks, s.n_samples, -1),
            self.targets.reshape(s.n_networks, s.n_samples),
        )

    def parameters(self):
        """Return for each Dense a dict of weights (K, in, out) and bias or gamma, beta (K, 1, out).

        Copies, as the optimisers of the others work in place.
        """
        k = self.setting.n_networks
        stages = []
        for layer in self.network.layers:
            if isinstance(layer, Dense):
                stages.append({"weights": layer.weights.reshape(k, *layer.weights.shape[-2:])})
            if isinstance(layer, (Dense, BatchNorm)):
                for name in set(layer.parameters) - {"weights"}:
                    stages[-1][name] = getattr(layer, name).reshape(k, 1, -1)
        return [{name: value.copy() for name, value in stage.items()} for stage in stages]


class Contender:
    def losses(self, result):
        return np.atleast_1d(result)


class Ours(Contender):
    """`train`, as the notebooks call it: it draws its mini-batches too."""

    name = "ours"

    def __init__(self, problem):
        s = problem.setting
        self._steps = train(
            problem.network, problem.inputs, problem.targets, n_steps=10**9,
            batch_size=s.batch_size, learning_rate=LEARNING_RATE, momentum=MOMENTUM,
            rng=problem.streams.order,
        )

    def step(self):
        return next(self._steps).losses


class Products:
    """The matrix products of a step and nothing else: what no NumPy code can go below."""

    name = "products"

    def __init__(self, problem):
        s = problem.setting
        rng = np.random.default_rng(0)

        def array(*shape):
            shape = shape if s.lock_step is None else (s.n_networks, *shape)
            return rng.standard_normal(shape).astype(s.dtype)

        self._calls = []
        for place, (n_in, n_out) in enumerate(pairwise(s.sizes)):
            inputs, weights, grad = (
                array(s.batch_size, n_in), array(n_in, n_out), array(s.batch_size, n_out)
            )
            self._calls += [
                (inputs, weights, np.empty_like(grad)),
                (inputs.swapaxes(-1, -2), grad, np.empty_like(weights)),
            ]
            if place:
                self._calls.append((grad, weights.swapaxes(-1, -2), np.empty_like(inputs)))

    def step(self):
        one_blas_thread(self._multiply)

    def _multiply(self):
        for left, right, out in self._calls:
            np.matmul(left, right, out=out)


class Torch(Contender):
    def __init__(self, problem):
        self.torch = torch = import_or_skip("torch")
        torch.set_num_threads(1)
        self._setting = problem.setting
        self._inputs, self._targets = map(torch.from_numpy, problem.stacked())
        self._rows = map(torch.from_numpy, problem.rows())

    def losses(self, result):
        return np.array([loss.item() for loss in result])


class EagerTorch(Torch):
    """One nn.Sequential for each network, stepped in a loop; fused SGD."""

    name = "eager"

    def __init__(self, problem):
        super().__init__(problem)
        torch, s = self.torch, problem.setting
        if s.group_size is not None:
            raise Skipped("nn.BatchNorm1d knows no groups")
        self._models, self._optimisers = [], []
        for k in range(s.n_networks):
            layers = []
            for stage in problem.parameters():
                layers += self._layers(stage, k)
            model = torch.nn.Sequential(*layers[:-1])  # no relu behind the logits
            model.to(getattr(torch, s.dtype)).train()
            self._models.append(model)
            self._optimisers.append(
                torch.optim.SGD(model.parameters(), LEARNING_RATE, MOMENTUM, fused=True)
            )

    def _layers(self, stage, k):
        torch = self.torch
        dense = torch.nn.Linear(*stage["weights"].shape[1:], bias="bias" in stage)
        with torch.no_grad():
            dense.weight.copy_(torch.from_numpy(stage["weights"][k].T))
            if "bias" in stage:
                dense.bias.copy_(torch.from_numpy(stage["bias"][k, 0]))
        norm = [torch.nn.BatchNorm1d(dense.out_features, EPS, 1 - MEMORY)] * ("gamma" in stage)
        return [dense, *norm, torch.nn.ReLU()]

    def step(self):
        rows, losses = next(self._rows), []
        for k, (model, optimiser) in enumerate(zip(self._models, self._optimisers)):
            inputs, targets = self._inputs[k, rows[k]], self._targets[k, rows[k]]
            loss = self.torch.nn.functional.cross_entropy(model(inputs), targets)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses.append(loss)
        return losses


class StackedTorch(Torch):
    """All networks in one bmm for each layer, autograd, fused SGD over the stacked parameters."""

    name = "stacked"

    def __init__(self, problem):
        super().__init__(problem)
        torch = self.torch
        self._networks = torch.arange(problem.setting.n_networks)[:, None]
        self._stages = [
            {name: torch.from_numpy(value).requires_grad_() for name, value in stage.items()}
            for stage in problem.parameters()
        ]
        self._running = [
            (torch.zeros_like(stage["gamma"]), torch.ones_like(stage["gamma"]))
            for stage in self._stages if "gamma" in stage
        ]
        every = [value for stage in self._stages for value in stage.values()]
        self._optimiser = torch.optim.SGD(every, LEARNING_RATE, MOMENTUM, fused=True)

    def _forward(self, rows):
        torch = self.torch
        outputs = self._inputs[self._networks, rows]
        targets = self._targets[self._networks, rows]
        running = iter(self._running)
        for stage in self._stages:
            if "bias" in stage:
                outputs = torch.baddbmm(stage["bias"], outputs, stage["weights"])
            else:
                outputs = torch.bmm(outputs, stage["weights"])
            if "gamma" in stage:
                outputs = self._normalise(outputs, stage, *next(running))
            if stage is not self._stages[-1]:
                outputs = torch.relu(outputs)
        losses = torch.nn.functional.cross_entropy(
            outputs.flatten(0, 1), targets.flatten(), reduction="none"
        )
        return losses.view(targets.shape).mean(1)

    def _normalise(self, x, stage, running_mean, running_var):
        s = self._setting
        size = s.batch_size if s.group_size is None else s.group_size
        groups = x.view(s.n_networks, s.batch_size // size, size, -1)
        var, mean = self.torch.var_mean(groups, 2, correction=0, keepdim=True)
        with self.torch.no_grad():
            running_mean.lerp_(mean.mean(1), 1 - MEMORY)
            running_var.lerp_(var.mean(1) * (size / (size - 1)), 1 - MEMORY)
        x_hat = (groups - mean) * self.torch.rsqrt(var + EPS)
        return stage["gamma"] * x_hat.view(x.shape) + stage["beta"]

    def step(self):
        losses = self._forward(next(self._rows))
        self._optimiser.zero_grad()
        losses.sum().backward()
        self._optimiser.step()
        return losses


class Jax(Contender):
    """jit(vmap(one step of one network)), the buffers of the state donated."""

    name = "JAX"

    def __init__(self, problem):
        jax = import_or_skip("jax")
        if problem.setting.dtype == "float64":
            jax.config.update("jax_enable_x64", True)
        self._setting = problem.setting
        parameters = jax.tree.map(jax.numpy.array, problem.parameters())
        velocities = jax.tree.map(jax.numpy.zeros_like, parameters)
        running = [
            (jax.numpy.zeros_like(stage["gamma"]), jax.numpy.ones_like(stage["gamma"]))
            for stage in parameters if "gamma" in stage
        ]
        self._state = parameters, velocities, running
        self._data = tuple(jax.numpy.array(values) for values in problem.stacked())
        self._rows = problem.rows()
        self._jax = jax
        self._update = jax.jit(jax.vmap(self._update_one), donate_argnums=0)

    def _update_one(self, state, data, rows):
        jax = self._jax
        parameters, velocities, running = state
        inputs, targets = data[0][rows], data[1][rows]
        compute = jax.value_and_grad(partial(self._loss, running=running), has_aux=True)
        (loss, running), gradients = compute(parameters, inputs, targets)
        velocities = jax.tree.map(lambda v, g: MOMENTUM * v + g, velocities, gradients)
        parameters = jax.tree.map(lambda p, v: p - LEARNING_RATE * v, parameters, velocities)
        return (parameters, velocities, running), loss

    def _loss(self, parameters, inputs, targets, running):
        jax, s, updated = self._jax, self._setting, []
        size = s.batch_size if s.group_size is None else s.group_size
        outputs = inputs
        for place, stage in enumerate(parameters):
            outputs = outputs @ stage["weights"]
            if "bias" in stage:
                outputs = outputs + stage["bias"]
            if "gamma" in stage:
                groups = outputs.reshape(-1, size, outputs.shape[-1])
                mean = groups.mean(1, keepdims=True)
                var = groups.var(1, keepdims=True)
                old_mean, old_var = running[len(updated)]
                unbiased = var.mean(0) * (size / (size - 1))
                updated.append((
                    MEMORY * old_mean + (1 - MEMORY) * mean.mean(0),
                    MEMORY * old_var + (1 - MEMORY) * unbiased,
                ))
                x_hat = (groups - mean) * jax.lax.rsqrt(var + EPS)
                outputs = stage["gamma"] * x_hat.reshape(outputs.shape) + stage["beta"]
            if place < len(parameters) - 1:
                outputs = jax.nn.relu(outputs)
        log_p = jax.nn.log_softmax(outputs)
        loss = -jax.numpy.take_along_axis(log_p, targets[:, None], axis=1).mean()
        return loss, updated

    def step(self):
        self._state, losses = self._update(self._state, self._data, next(self._rows))
        return losses.block_until_ready()


class ScikitLearn(Contender):
    """MLPClassifier.partial_fit: one network, relu, without batch norm."""

    name = "sklearn"

    def __init__(self, problem):
        s = problem.setting
        if s.n_networks > 1 or s.batch_norm:
            raise Skipped("MLPClassifier trains one network without batch norm")
        network = import_or_skip("sklearn.neural_network")
        self._inputs, self._targets = problem.inputs, problem.targets
        self._rows = problem.rows()
        self._model = network.MLPClassifier(
            s.sizes[1:-1], solver="sgd", alpha=0.0, batch_size=s.batch_size, shuffle=False,
            learning_rate_init=LEARNING_RATE, momentum=MOMENTUM, nesterovs_momentum=False,
        )
        classes = np.arange(s.sizes[-1])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the batch is cut to these ten rows
            self._model.partial_fit(self._inputs[: len(classes)], classes, classes=classes)
        for place, stage in enumerate(problem.parameters()):
            self._model.coefs_[place][...] = stage["weights"][0]
            self._model.intercepts_[place][...] = stage["bias"][0, 0]
        for velocity in self._model._optimizer.velocities:
            velocity[...] = 0

    def step(self):
        (rows,) = next(self._rows)
        self._model.partial_fit(self._inputs[rows], self._targets[rows])
        return self._model.loss_


CONTENDERS = (Ours, Products, EagerTorch, StackedTorch, Jax, ScikitLearn)


def import_or_skip(name):
    """Import a library that only the benchmark needs, or raise Skipped."""
    try:
        return __import__(name, fromlist=["_"])
    except ImportError as error:
        package = name.split(".")[0]
        raise Skipped(f"{package} is not installed: pip install -e '.[bench]'") from error
