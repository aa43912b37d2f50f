"""Faults seeded into the core, one at a time: do a module's own tests notice each of them?

    python tests/mutants.py [module ...] [--list] [--jobs N]

Each fault of the table below is made in a throw-away copy of this checkout, and the module's tests
run there; one that makes them hang counts as found. Exit code: 0 if every fault was found that can
be, 1 if one survived, 2 if an entry does not fit its module or tests fail without any fault.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent

# module: its tests. What all others call has no file of its own: their tests are its tests.
TESTS = {
    "layers": ["layers"],
    "network": ["network", "training"],  # its BLAS threads are counted while a network trains
    "training": ["training"],
    "datasets": ["datasets"],
    "shift": ["shift"],
    "layer_statistics": ["layer_statistics"],
    "intervals": ["intervals"],
    "randomness": ["randomness"],
    "checks": ["randomness", "intervals", "shift", "layers", "network", "training", "datasets"],
    "arithmetic": ["layers", "network", "training"],
    "arms": ["arms"],
    "long_work": ["long_work"],
    "second_process": ["second_process"],
}


class Fault(NamedTuple):
    """`original` stands exactly once in the module. equivalent: why no test can see the fault."""

    module: str
    original: str
    faulty: str
    equivalent: str = ""

    def __str__(self):
        original, faulty = (" ".join(text.split()) for text in (self.original, self.faulty))
        return f"{self.module}: {original}  ->  {faulty or '(nothing)'}"

    def read(self, root):
        """Return the path of the module in `root` and its source."""
        path = root / "helpers" / f"{self.module}.py"
        return path, path.read_text(encoding="utf-8")

    def problem(self):
        """Return in words why the fault cannot be made, None if it can."""
        _, source = self.read(ROOT)
        if (n_times := source.count(self.original)) != 1:
            return f"the original text must occur once, found {n_times} times"
        try:
            compile(source.replace(self.original, self.faulty), self.module, "exec")
        except SyntaxError as error:
            return f"the faulty module is no Python ({error.msg})"
        return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("modules", nargs="*", metavar="module", help=f"of {', '.join(TESTS)}")
    parser.add_argument("--list", action="store_true", help="show the faults and run nothing")
    parser.add_argument("--jobs", type=int, default=1, help="how many to try at a time (1)")
    options = parser.parse_args()
    if unknown := set(options.modules) - set(TESTS):
        parser.error(f"no faults for {', '.join(sorted(unknown))}")
    modules = options.modules or list(TESTS)
    faults = [fault for fault in FAULTS if fault.module in modules]
    if options.list:
        print(*faults, f"{len(faults)} faults", sep="\n")
        return 0
    if problems := [f"{problem}: {one}" for one in faults if (problem := one.problem())]:
        print(*problems, sep="\n", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        clean, limits = copy_checkout(Path(folder) / "clean"), {}
        for module in modules:
            started = time.monotonic()
            if not tests_pass(clean, module):
                print(f"the tests of {module} fail without any fault", file=sys.stderr)
                return 2
            limits[module] = 5 * (time.monotonic() - started) + 10
        with ThreadPoolExecutor(options.jobs) as pool:
            outcomes = pool.map(lambda fault: is_found(fault, clean, limits[fault.module]), faults)
            return report(faults, outcomes)


def copy_checkout(target):
    for name in ("helpers", "tests"):
        shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("conftest.py", "pyproject.toml"):
        shutil.copy2(ROOT / name, target)
    (target / "data").symlink_to(ROOT / "data")
    return target


def tests_pass(root, module, limit=None):
    # No plugin is needed, and without them pytest starts a second earlier.
    settings = {"PYTHONPATH": str(root), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    command += ["-o", "addopts=", "-m", "not browser and not cluster and not thorough"]
    command += [f"tests/test_{name}.py" for name in TESTS[module]]
    run = subprocess.run(
        command, cwd=root, env=os.environ | settings, timeout=limit,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    return run.returncode == 0


def is_found(fault, clean, limit):
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        # With the bytecode of the run without faults: only the faulty module is compiled anew.
        copy = shutil.copytree(clean, Path(folder) / "copy", symlinks=True)
        path, source = fault.read(copy)
        path.write_text(source.replace(fault.original, fault.faulty), encoding="utf-8")
        try:
            return not tests_pass(copy, fault.module, limit)
        except subprocess.TimeoutExpired:
            return True


def report(faults, outcomes):
    """Print each outcome as it comes, then the score; return the exit code."""
    n_found = n_survived = 0
    for fault, found in zip(faults, outcomes):
        n_found += found
        n_survived += not found and not fault.equivalent
        reason = f"  (equivalent: {fault.equivalent})" if fault.equivalent else ""
        print(f"{'found' if found else 'SURVIVED':8}  {fault}{reason}", flush=True)
    n_counted = n_found + n_survived  # an equivalent that survives counts neither way
    print(f"{n_found} of {n_counted} faults found ({n_found / max(n_counted, 1):.0%})")
    return 1 if n_survived else 0


FAULTS = [
    # --- layers ----------------------------------------------------------------------------------
    Fault("layers", "_CHECKED_BEFORE.reset(self._token)", "pass"),
    Fault("layers", "row_of(1.0, inputs.shape[-2], inputs.dtype)",
          "row_of(1.0, inputs.shape[-2], np.float64)"),
    Fault("layers", "row_of(1 / inputs.shape[-2], inputs.shape[-2], inputs.dtype)",
          "row_of(1 / inputs.shape[-1], inputs.shape[-2], inputs.dtype)"),
    Fault("layers", "centred, mean, batch_mean(np.square(centred))",
          "centred, mean, batch_mean(np.square(inputs))"),
    Fault("layers", "inputs.reshape(*front, batch_size // group_size, group_size, n_features)",
          "inputs.reshape(*front, group_size, batch_size // group_size, n_features)"
          ".swapaxes(-3, -2)"),
    Fault("layers", "if batch_size < 2:", "if batch_size < 1:"),
    Fault("layers", "    if batch_size % group_size:", "    if batch_size % group_size == 1:"),
    Fault("layers", "if group_size < 2 or batch_size % group_size:", "if group_size < 2:"),
    Fault("layers", "if group_size < 2 or batch_size % group_size:",
          "if batch_size % group_size:"),
    # Dense
    Fault("layers", "weight_sd = np.sqrt(2 / n_inputs)", "weight_sd = np.sqrt(2 / n_outputs)"),
    Fault("layers", 'check_number("weight_sd", weight_sd, 0)',
          'check_number("weight_sd", weight_sd)'),
    Fault("layers", "generator.standard_normal((n_inputs, n_outputs))",
          "generator.standard_normal((n_inputs, n_outputs), dtype=np.float32)"),
    Fault("layers", "np.stack(draws)", "np.stack([draws[0]] * len(draws))"),
    Fault("layers", "(weight_sd * weights).astype(dtype)", "weight_sd * weights"),
    Fault("layers", "np.zeros(_per_feature(n_outputs, n_networks), dtype)",
          "np.zeros(_per_feature(n_outputs, n_networks))"),
    Fault("layers", 'bias, dtype = check_flag("bias", bias), check_dtype(dtype)',
          "dtype = check_dtype(dtype)"),
    Fault("layers", "self.weights.swapaxes(-1, -2) if to_inputs else None",
          "self.weights.swapaxes(-1, -2)"),
    # BatchNorm
    Fault("layers", "n_networks=None, momentum=0.9, eps=1e-5, group_size=None",
          "n_networks=None, momentum=0.99, eps=1e-5, group_size=None"),
    Fault("layers", "n_networks=None, momentum=0.9, eps=1e-5, group_size=None",
          "n_networks=None, momentum=0.9, eps=1e-3, group_size=None"),
    Fault("layers", 'check_number("momentum", momentum, 0, 1, high_open=True)',
          'check_number("momentum", momentum, 0, 1)'),
    Fault("layers", 'check_number("eps", eps, 0)', 'check_number("eps", eps)'),
    Fault("layers", 'check_integer("group_size", group_size, 2)\n',
          'check_integer("group_size", group_size)\n'),
    Fault("layers", "np.ones(self.shape, dtype), np.zeros(self.shape, dtype)",
          "np.ones(self.shape), np.zeros(self.shape)"),
    Fault("layers", "self.running_var = np.ones(self.shape, dtype)",
          "self.running_var = np.zeros(self.shape, dtype)"),
    Fault("layers", "self.running_mean = np.zeros(self.shape, dtype)",
          "self.running_mean = np.zeros(self.shape)"),
    Fault("layers", "batch_mean(np.square(centred))",
          "batch_sum(np.square(centred)) / (inputs.shape[-2] - 1)"),
    Fault("layers", "(self._scale * grad)", "(grad / self._std)"),
    Fault("layers", "self._update_running(mean, var, group_size=groups.shape[-2])",
          "self._update_running(mean, var, group_size=inputs.shape[-2])"),
    Fault("layers", "np.sqrt(var + self.eps)", "np.sqrt(var)"),
    Fault("layers", "np.sqrt(var + self.eps)", "np.sqrt(var) + self.eps"),
    Fault("layers", "        if self._training:\n", "        if True:\n"),
    Fault("layers", "            moving += sum_grad / n_rows\n", ""),  # the mean is a constant
    Fault("layers", "moving = sum_grad_x_hat / (n_rows * self._std) * self._centred",
          "moving = np.zeros_like(grad)"),  # the variance is a constant
    Fault("layers", "n_rows = grad.shape[-2]", "n_rows = grad.shape[-3] * grad.shape[-2]"),
    Fault("layers", "(1 - self.momentum) / mean.shape[-3]", "(1 - self.momentum)"),
    Fault("layers",
          "share = (1 - self.momentum) / mean.shape[-3]  # of each group\n"
          "        self.running_mean *= self.momentum\n",
          "share = self.momentum / mean.shape[-3]\n"
          "        self.running_mean *= 1 - self.momentum\n"),
    Fault("layers", "self.running_var *= self.momentum", "self.running_var *= 1 - self.momentum"),
    Fault("layers", "share * group_size / (group_size - 1) *", "share *"),
    Fault("layers", "values = batch_sum(values[..., 0, :])",
          "values = batch_mean(values[..., 0, :])"),
    # Dropout
    Fault("layers", 'check_number("probability", probability, 0, 1, high_open=True)',
          'check_number("probability", probability, 0, 1)'),
    Fault("layers", "self.rng = one_per_network(rng, n_networks)",
          "self.rng = one_per_network(rng, n_networks)[:1] * (n_networks or 1)"),
    Fault("layers", "if training and self.probability else None", "if self.probability else None"),
    Fault("layers", "if training and self.probability else None", "if training else None"),
    Fault("layers",
          "        inputs = with_networks_axis(inputs, self.n_networks)\n        mask =",
          "        mask ="),
    Fault("layers", "if self._mask is None else grad_outputs * self._mask",
          "if self._mask is None else grad_outputs * (self._mask > 0)"),
    Fault("layers", "inputs.dtype.type(1 / (1 - self.probability))",
          "(1 / (1 - self.probability))"),
    Fault("layers", "for generator, own in zip(self.rng, draws, strict=True):",
          "for generator, own in zip(self.rng[:1] * len(draws), draws, strict=True):"),
    # activations
    Fault("layers", '    check_flag("training", training)\n    inputs = np', "    inputs = np"),
    Fault("layers", "_check_grad(self, grad_outputs) * self._slope", "grad_outputs * self._slope"),
    Fault("layers", "inputs.clip(0, np.inf)", "np.fmax(inputs, 0)"),  # hides NaN
    Fault("layers", "return outputs > 0", "return outputs >= 0"),
    Fault("layers", "0.5 * (1 + np.tanh(0.5 * inputs))", "1 / (1 + np.exp(-inputs))"),
    # checks of layers
    Fault("layers", 'inputs.dtype.kind != "f"', 'inputs.dtype.kind not in "fiu"'),
    Fault("layers", "    check_axes(inputs, n_features, n_networks)\n", ""),
    Fault("layers", 'return check_finite("inputs", inputs)', "return inputs"),
    Fault("layers", "    if _CHECKED_BEFORE.get():\n        return inputs\n", ""),
    Fault("layers", "grad_outputs.shape != shape", "grad_outputs.shape[-1] != shape[-1]"),
    Fault("layers", 'check_integer("n_networks", n_networks)', "pass"),
    # --- network ---------------------------------------------------------------------------------
    Fault("network", "if self._n_inside == 0:", "if True:"),
    Fault("network", "if is_new or self._n_inside == 1:", "if self._n_inside == 1:"),
    Fault("network", "is_new = len(sys.modules) != self._n_modules",
          "is_new = not self._n_modules"),
    Fault("network", "_set_num_threads(library, 1)", "_set_num_threads(library, 2)"),
    Fault("network", 'hasattr(library, "clear_controlling_thread")', "False"),
    Fault("network", "len({id(layer) for layer in self.layers}) < len(self.layers)", "False"),
    Fault("network", "next(dtypes, np.dtype(np.float32))",
          "next(dtypes, np.dtype(np.float64))"),
    Fault("network", "group_size = batch_size if layer.group_size is None else layer.group_size",
          "group_size = batch_size"),
    Fault("network", 'check_finite("inputs", inputs, dtype=self.dtype)',
          'check_finite("inputs", inputs)'),
    Fault("network", "if training and inputs.ndim > 1:", "if inputs.ndim > 1:"),
    Fault("network",
          "with one_blas_thread(), divergence_allowed():\n            return self.propagate(",
          "with one_blas_thread():\n            return self.propagate("),
    Fault("network", "            check_axes(inputs, self.n_inputs, self.n_networks)\n",
          "            pass\n"),
    Fault("network", "if grad.shape != self._output_shape:",
          "if grad.shape[-1:] != self._output_shape[-1:]:"),
    Fault("network", "if to_inputs or not isinstance(first, Dense):",
          "if not isinstance(first, Dense):"),
    Fault("network", "expected is not None and width not in (None, expected)", "False"),
    Fault("network", "isinstance(layer, (Dropout, *ACTIVATIONS.values()))",
          "isinstance(layer, tuple(ACTIVATIONS.values()))"),
    # multilayer_perceptron
    Fault("network", '    dropout = check_number("dropout", dropout, 0, 1, high_open=True)\n', ""),
    Fault("network", 'check_number("init_scale", init_scale, 0, low_open=True)',
          'check_number("init_scale", init_scale, 0)'),
    Fault("network", "dropout_rng = [generator.spawn(1)[0] for generator in rng]",
          "dropout_rng = rng"),
    Fault("network", "Dropout(dropout, rng=dropout_rng,", "Dropout(dropout, rng=rng,"),
    Fault("network", 'activation == "relu"', 'activation != "tanh"'),
    Fault("network", "else n_inputs + n_outputs", "else n_outputs"),
    Fault("network", "init_scale * np.sqrt(2 / fan)", "np.sqrt(init_scale * 2 / fan)"),
    Fault("network", "init_scale * np.sqrt(2 / fan)",
          "(init_scale if is_hidden else init_scale / 2) * np.sqrt(2 / fan)"),
    Fault("network", "bias=not (is_hidden and batch_norm)", "bias=not batch_norm"),
    Fault("network", "BatchNorm(n_outputs, n_networks, momentum, group_size",
          "BatchNorm(n_outputs, n_networks, group_size"),
    Fault("network", "n_networks, momentum, group_size=group_size, dtype=dtype)",
          "n_networks, momentum, dtype=dtype)"),
    Fault("network", "n_networks, momentum, group_size=group_size, dtype=dtype)",
          "n_networks, momentum, group_size=group_size)"),
    Fault("network", "    BatchNorm(1, None, momentum, group_size=group_size, dtype=dtype)  #",
          "    #"),
    Fault("network", "if is_hidden and dropout:", "if dropout:"),
    # the loss
    Fault("network", 'if logits.dtype.kind != "f":', 'if logits.dtype.kind not in "fiu":'),
    Fault("network", 'check_labels("targets", targets, n_classes, shape)',
          'check_labels("targets", targets, None, shape)'),
    Fault("network", "sample_weights, shape, dtype=logits.dtype)",
          "sample_weights, shape, dtype=None)"),
    Fault("network", "by_class - by_class.max(axis=-2, keepdims=True)", "by_class"),
    Fault("network", "        grad *= sample_weights[..., None, :]\n", ""),
    Fault("network", "example_losses = example_losses * sample_weights",
          "example_losses = example_losses * sample_weights / sample_weights.mean()"),
    Fault("network", "np.fmin(losses, np.inf)", "losses"),
    # --- training --------------------------------------------------------------------------------
    Fault("training", "learning_rate, momentum=0.9):", "learning_rate, momentum=0.0):"),
    Fault("training", 'check_number("momentum", momentum, 0, 1, high_open=True)',
          'check_number("momentum", momentum, 0, 1)'),
    Fault("training", "rates.astype(parameters.dtype)", "rates",
          equivalent="the product is rounded to the parameters' type: only slower"),
    Fault("training", "np.repeat(rates, one.size // rates.size)",
          "np.tile(rates, one.size // rates.size)"),
    Fault("training", "rates.size) for one in arrays]", "rates.size) for one in arrays[::-1]]"),
    Fault("training", "% 16 == 15", "% 16 == 16"),
    Fault("training", "velocities *= self.momentum", "velocities *= 1 - self.momentum"),
    Fault("training", 'velocity += getattr(layer, "grad_" + name)',
          'velocity += (1 - self.momentum) * getattr(layer, "grad_" + name)'),
    Fault("training", "parameters -= np.multiply", "parameters += np.multiply"),
    Fault("training", "range(0, parameters.size, BLOCK)", "range(0, 1, BLOCK)"),
    Fault("training", "if getattr(layer, name) is not parameter:", "if False:"),
    Fault("training", "if assigned.shape != parameter.shape:", "if False:"),
    Fault("training", "    setattr(layer, name, parameter)\n\n\ndef", "\n\ndef"),
    Fault("training", "if len(dtypes) != 1:", "if False:"),
    Fault("training", "any(np.may_share_memory(one, other) for one, other in",
          "any(False for _ in"),
    Fault("training", "    def __reduce__(self):", "    def _reduce(self):"),
    # minibatches
    Fault("training", "n_samples - batch_size + 1, batch_size",
          "n_samples - batch_size, batch_size"),
    Fault("training", "[generator.permutation(n_samples) for generator in generators]",
          "[generators[0].permutation(n_samples) for _ in generators]"),
    Fault("training", "[generator.permutation(n_samples) for generator in generators]",
          "[generator.integers(n_samples, size=n_samples) for generator in generators]"),
    Fault("training", "[generator.permutation(n_samples) for generator in generators]",
          "[np.arange(n_samples) if batch_size == n_samples else one.permutation(n_samples)\n"
          "                      for one in generators]"),
    Fault("training", 'batch_size, 1, n_samples, high_is="the training set")', "batch_size)"),
    # train
    Fault("training", "low = 2 if any(", "low = 1 if any("),
    Fault("training", "    network.check_batch_size(batch_size)\n", ""),
    Fault("training", "learning_rate=learning_rate, momentum=momentum)",
          "learning_rate=learning_rate)"),
    Fault("training", "_rows_of(sample_weights, 1)", "_rows_of(None, 1)"),
    Fault("training", "rows + starts", "rows"),
    Fault("training", "with one_blas_thread(), divergence_allowed():", "with one_blas_thread():"),
    Fault("training", 'inputs = check_finite("inputs", inputs, dtype=network.dtype)',
          'inputs = check_finite("inputs", inputs)'),
    Fault("training", '    check_axes(inputs, network.n_inputs, n_networks, rows="n_samples")\n',
          ""),
    Fault("training", 'check_labels("targets", targets, network.n_outputs, shape)',
          'check_labels("targets", targets, None, shape)'),
    Fault("training", 'check_labels("targets", targets, network.n_outputs, shape)',
          'check_labels("targets", targets, network.n_outputs)'),
    Fault("training", "sample_weights, shape, dtype=network.dtype)",
          "sample_weights, shape, dtype=None)"),
    Fault("training", "if (rates <= 0).any():", "if (rates < 0).any():"),
    # --- datasets --------------------------------------------------------------------------------
    Fault("datasets", ', high=len(train_rows), high_is="the training pool")', ")"),
    Fault("datasets", "pool.train_inputs[train_rows[chosen]]", "pool.train_inputs[chosen]"),
    Fault("datasets", "pool.test_inputs[test_rows[:n_test]]", "pool.test_inputs[:n_test]"),
    Fault("datasets", "tuple(CLASS_NAMES[i] for i in class_ids)",
          "tuple(CLASS_NAMES[i] for i in sorted(class_ids))"),
    Fault("datasets", "if len(class_ids) < 2 or", "if"),
    Fault("datasets", " or len(set(class_ids)) < len(class_ids):", ":"),
    Fault("datasets", "one, 0, len(CLASS_NAMES) - 1)", "one, 1, len(CLASS_NAMES) - 1)"),
    Fault("datasets", "one, 0, len(CLASS_NAMES) - 1)", "one, 0, len(CLASS_NAMES))"),
    Fault("datasets", "np.full(len(CLASS_NAMES), -1, dtype=np.int64)",
          "np.full(len(CLASS_NAMES), -1, dtype=np.int32)"),
    Fault("datasets", "order = generator.permutation(len(labels))",
          "order = generator.choice(len(labels), n_train, replace=False)"),
    Fault("datasets", "order = generator.permutation(len(labels))",
          "order = generator.integers(len(labels), size=len(labels))"),
    Fault("datasets", "generator.integers(n_classes, size", "generator.integers(10, size"),
    Fault("datasets", "np.where(replaced, generator.integers(n_classes, size=len(labels)), labels)",
          "np.where(\n        replaced, (labels + generator.integers(1, n_classes, "
          "size=len(labels))) % n_classes, labels\n    )"),  # never the right label
    Fault("datasets", "if checksum(arrays) != FASHION_MNIST_SHA256:", "if False:"),
    Fault("datasets", "        found.update(np.ascontiguousarray(array))\n", ""),
    Fault("datasets", "allow_pickle=False", "allow_pickle=True"),
    Fault("datasets", '{name} {array.dtype} {array.shape}', '{name} {array.shape}'),
    Fault("datasets", '{name} {array.dtype} {array.shape}', '{name} {array.dtype}'),
    Fault("datasets", '_sum_blocks(raw["test_images"], image_size)',
          '_sum_blocks(raw["test_images"][::-1], image_size)'),
    Fault("datasets", "train_sums, train_sums, dtype=np.int64)", "train_sums, train_sums)"),
    Fault("datasets", "train_sums.size * total_of_squares - total**2",
          "train_sums.size * total_of_squares"),
    Fault("datasets", "(np.arange(white + 1) / white - mean) / sd).astype(np.float32)",
          "(np.arange(white + 1) / white - mean) / sd)"),
    Fault("datasets", 'check_number("distance", distance, low=0.0)',
          'check_number("distance", distance)'),
    Fault("datasets", "(-1.0 + 0.5 * distance, 0.0)", "(-1.0 + distance, 0.0)"),
    # --- shift -----------------------------------------------------------------------------------
    Fault("shift", "RandomState(0)", "RandomState()"),
    Fault("shift", "        domain.sort()\n", ""),
    Fault("shift", "        shuffler.shuffle(domain)\n", ""),
    Fault("shift", "seen = ~unseen", "seen = np.full_like(unseen, True)"),
    Fault("shift", "inputs[unseen], regularisation)", "inputs[unseen], 1.0)"),
    Fault("shift", 'for side in ("left", "right")) / 2', 'for side in ("left",))'),
    Fault("shift", "_pool(source, target, squares)\n    half",
          "_pool(source, target, True)\n    half"),
    Fault("shift", "_pool(source, target, squares)\n    log_odds",
          "_pool(source, target, True)\n    log_odds"),
    Fault("shift", "inputs[is_target == 0], regularisation)", "inputs[is_target == 0], 1.0)"),
    Fault("shift", "    sd[sd == 0] = 1\n", ""),
    Fault("shift", "    penalty[-1] = 0  # the bias is free\n", ""),
    Fault("shift", "            step /= 2\n", "            break\n"),
    Fault("shift", "penalty @ weights**2 / 2", "0"),
    Fault("shift", "odds * (1 - odds)", "odds"),
    Fault("shift", "range(100)", "range(4)"),
    Fault("shift", "< 1e-9", "< 1e-3"),
    Fault("shift", "np.exp(log_odds - log_odds.max())", "np.exp(log_odds)"),
    Fault("shift", "    weights = weights / weights.max()\n", ""),  # squares of huge ones overflow
    Fault("shift", "if weights.min() < 0 or weights.max() == 0:", "if weights.min() < 0:"),
    Fault("shift", "(sd_before >= silent_below) & (sd_after >= silent_below)",
          "(sd_before >= silent_below) | (sd_after >= silent_below)"),
    Fault("shift", "before.std(axis=-2), after.std(axis=-2)",
          "before.std(axis=-2, ddof=1), after.std(axis=-2, ddof=1)"),
    Fault("shift", "centred_before * (after - mean_after[..., None, :])", "centred_before * after"),
    Fault("shift", "mean=np.abs(mean_after - mean_before) / sd_before",
          "mean=np.abs(mean_after - mean_before) / sd_after"),
    Fault("shift", "np.abs(np.log(sd_after / sd_before))", "np.log(sd_after / sd_before)"),
    Fault("shift", "before, after = np.sort(before, axis=-2), np.sort(after, axis=-2)\n", "pass\n"),
    Fault("shift", "np.abs(after - before).mean(axis=-2) / sd_before",
          "np.abs(after - before).mean(axis=-2)"),
    Fault("shift", "covariance / (sd_before * sd_after)", "covariance / sd_before**2"),
    Fault("shift", 'check_finite("source", source, dtype=np.float64)',
          'check_finite("source", source, dtype=np.float32)'),
    Fault("shift", "len(inputs) < 5", "len(inputs) < 2"),
    Fault("shift", "regularisation, 0, low_open=True)", "regularisation, 0)"),
    Fault("shift", "(rows - mean) / sd", "rows"),
    # --- layer_statistics ------------------------------------------------------------------------
    Fault("layer_statistics", 'fresh=statistics == "fresh")', "fresh=True)"),
    Fault("layer_statistics", "_walk(network, inputs, fresh=True, group_size=group_size)",
          "_walk(network, inputs, fresh=True)"),
    Fault("layer_statistics", "copy.deepcopy(network)", "copy.copy(network)"),
    Fault("layer_statistics", "Network([copy.copy(layer) for layer in network.layers])",
          "Network(list(network.layers))"),
    Fault("layer_statistics", "network.check_inputs(inputs)", "np.asarray(inputs)"),
    Fault("layer_statistics", "        check_group_size(group_size, outputs.shape[-2] if "
          "outputs.ndim > 1 else 0)", "        pass"),
    Fault("layer_statistics", "with one_blas_thread(), divergence_allowed():",
          "with one_blas_thread():"),
    Fault("layer_statistics", "copy.copy(layer).forward(", "layer.forward("),
    Fault("layer_statistics", "1.0 if group_size is None else n_rows / (n_rows - 1)",
          "n_rows / (n_rows - 1)"),
    Fault("layer_statistics", "1.0 if group_size is None else n_rows / (n_rows - 1)", "1.0"),
    Fault("layer_statistics", "norm.running_mean = mean", "norm.running_mean[...] = mean"),
    Fault("layer_statistics", "np.sqrt(var + norm.eps)", "np.sqrt(var)"),
    Fault("layer_statistics", "    inputs = with_networks_axis(inputs, norm.n_networks)\n", ""),
    Fault("layer_statistics", "norm.gamma * x_hat.reshape(inputs.shape) + norm.beta",
          "x_hat.reshape(inputs.shape) + norm.beta"),
    # --- intervals -------------------------------------------------------------------------------
    Fault("intervals", "values.ndim != 2 or values.shape[1] < 2", "values.ndim != 2"),
    Fault("intervals", "level, 0, 1, low_open=True, high_open=True)", "level, 0, 1)"),
    Fault("intervals", "ddof=1", "ddof=0"),
    Fault("intervals", " / np.sqrt(n_seeds)", ""),
    Fault("intervals", "special.stdtrit(n_seeds - 1, (1 + level) / 2)",
          "special.stdtrit(n_seeds, (1 + level) / 2)"),
    Fault("intervals", "(1 + level) / 2", "level"),
    Fault("intervals", "special.stdtrit(n_seeds - 1, (1 + level) / 2)",
          "special.ndtri((1 + level) / 2)"),
    Fault("intervals", "mean_interval(values - reference, level)",
          "mean_interval(values - reference)"),
    Fault("intervals", "mean_interval(values - reference, level)",
          "mean_interval(values - reference.mean(), level)"),
    Fault("intervals", "    if low > 0:", "    if low >= 0:"),
    Fault("intervals", '"fails" if high < 0', '"fails" if high <= 0'),
    Fault("intervals", "    if distance == 0:\n        return 0.0\n", ""),
    Fault("intervals", 'if interval.half_width else float("inf")',
          "if interval.half_width else 0.0"),
    Fault("intervals", "return low - margin, high - margin",
          "return low - sign * margin, high - sign * margin"),
    Fault("intervals", 'check_number("interval.half_width", interval.half_width, 0)',
          'check_number("interval.half_width", interval.half_width)'),
    Fault("intervals", "{rounded + 0.0:", "{rounded:"),
    Fault("intervals", '''int(f"{half_width:.0e}".split("e")[1])''',
          "int(np.floor(np.log10(half_width)))"),
    Fault("intervals", "max(0, -exponent)", "-exponent"),
    # --- randomness ------------------------------------------------------------------------------
    Fault("randomness", "network.spawn(4)]", "network.spawn(5)[1:]]"),  # children 1-4, not 0-3
    Fault("randomness", ".spawn(skip + n_children)[skip:]",
          ".spawn(skip + n_children + 1)[skip + 1:]"),
    Fault("randomness", ".spawn(skip + n_children)[skip:]", ".spawn(n_children)"),
    Fault("randomness", "    data: object\n    weights: object\n",
          "    weights: object\n    data: object\n"),
    Fault("randomness", "    order: object\n    dropout: object\n",
          "    dropout: object\n    order: object\n"),
    Fault("randomness", 'check_integer("seed", seed, low=0)', 'check_integer("seed", seed)'),
    Fault("randomness", "else rng.spawn(n_expected)", "else [rng] * n_expected"),
    Fault("randomness", "[rng] if n_networks is None", "rng.spawn(1) if n_networks is None"),
    Fault("randomness", "if len(rng) != n_expected:", "if len(rng) < n_expected:"),
    Fault("randomness", "if len({id(one) for one in rng}) < len(rng):", "if not rng:"),
    # --- checks ----------------------------------------------------------------------------------
    Fault("checks", "isinstance(value, (bool, np.bool_)) or not isinstance(value, Integral)",
          "not isinstance(value, (Integral, np.bool_))"),
    Fault("checks", "isinstance(value, (bool, np.bool_)) or not isinstance(value, Real)",
          "not isinstance(value, (Real, np.bool_))"),
    Fault("checks", "if value < low or (high is not None and value > high):",
          "if value <= low or (high is not None and value > high):"),
    Fault("checks", "(high is not None and value > high)", "(high is not None and value >= high)"),
    Fault("checks", "number <= low if low_open else number < low", "number < low"),
    Fault("checks", " or not np.isfinite(number):", ":"),
    Fault("checks", "    except OverflowError:", "    except TypeError:"),
    Fault("checks", "    if not isinstance(value, (bool, np.bool_)):\n", "    if value is None:\n"),
    Fault("checks", "type(plain) is type(choice) and plain == choice", "plain == choice"),
    Fault("checks", "for allowed in (np.float32, np.float64):",
          "for allowed in (np.float16, np.float32, np.float64):"),
    Fault("checks", 'array.dtype.kind not in "iuf"', 'array.dtype.kind not in "iufb"'),
    Fault("checks", "array = array.astype(dtype, copy=False)", "pass"),
    Fault("checks", "if not np.isfinite(array).all():", "if np.isnan(array).any():"),
    Fault("checks", "inputs.ndim == 3 and n_networks not in (None, inputs.shape[0])", "False"),
    Fault("checks", "    if not inputs.size:", "    if not inputs.ndim:"),
    Fault("checks", "(n_features is None or inputs.shape[-1] == n_features)", "True"),
    Fault("checks", "not in (shape, shape[-1:])", "not in (shape,)"),
    Fault("checks", "not in (shape, shape[-1:])", "is None"),
    Fault("checks", "if weights.size and weights.min() < 0:",
          "if weights.size and weights.min() <= 0:"),
    Fault("checks", 'labels.dtype.kind not in "iu"', 'labels.dtype.kind not in "iuf"'),
    Fault("checks", "else n_classes - 1\n    if", "else n_classes\n    if"),
    Fault("checks", "labels.astype(np.intp, copy=False)", "labels"),
    Fault("checks", "labels.size and (labels.min() < 0 or", "labels.size and (False or"),
    # --- arithmetic ------------------------------------------------------------------------------
    Fault("arithmetic", "    row.flags.writeable = False\n", ""),
    Fault("arithmetic", "np.full((1, n), value, dtype)", "np.full((1, n), value)"),
    Fault("arithmetic", "reshape(shape)[..., 0, :]", "reshape(shape)[..., -1, :]"),
    Fault("arithmetic", "vector[end - array.size : end]", "vector[: array.size]"),
    Fault("arithmetic", "values *= np.abs(values) >", "values *= values >"),
    Fault("arithmetic", "np.finfo(values.dtype).tiny", "np.finfo(values.dtype).eps"),
    # --- arms ------------------------------------------------------------------------------------
    Fault("arms", "{\"data\": data, **settings, **arms[name]}",
          "{\"data\": data, **arms[name], **settings}"),
    Fault("arms", "with one_blas_thread():  #", "if True:  #",
          equivalent="each step pins BLAS for itself, too: only slower"),
    Fault("arms", "runs() if any(looked) else None", "runs()"),
    Fault("arms", "check_integer(\"every\", every, 1, n_steps, high_is=\"n_steps\")", "every"),
    Fault("arms", "spawn_streams(seed, n_networks, skip=skip)", "spawn_streams(seed, n_networks)"),
    Fault("arms", "dropout_rng=streams.dropout", "dropout_rng=None"),
    Fault("arms", "momentum=memory,", "momentum=momentum,"),
    Fault("arms", "momentum=momentum,\n", "\n"),
    Fault("arms", "rng=streams.order", "rng=streams.data"),
    Fault("arms", "sample_weights=sample_weights,\n", "\n"),
    Fault("arms", "copy.copy(look)", "look"),
    Fault("arms", "if check_flag(\"look_first\", look_first):", "if False:"),
    Fault("arms", "self._disturb(self._network, self._rng)\n", "pass\n"),
    Fault("arms", "self.n_done % self._every == 0 or self.n_done", "self.n_done"),
    Fault("arms", " or self.n_done == self.n_steps:\n                    self",
          ":\n                    self"),
    Fault("arms", "return n_networks if n_sets is None else n_sets", "return n_sets"),
    Fault("arms", "below.argmax(axis=0), len(run.steps) - 1", "below.argmax(axis=0), 0"),
    Fault("arms", "~(run[name] < threshold).any(axis=0)", "~(run[name] < threshold).all(axis=0)"),
    # --- long_work -------------------------------------------------------------------------------
    Fault("long_work", "result = result if latest is None else latest", "result = latest"),
    Fault("long_work", "results = {**results, name: latest}", "results = {name: latest}"),
    Fault("long_work", "(place + share) / len(names)", "share / len(names)"),
    Fault("long_work", "arguments.apply_defaults()", "pass"),
    Fault("long_work", "kept.move_to_end(key)", "pass"),
    Fault("long_work", "while len(kept) > maxsize:", "while len(kept) > maxsize + 1:"),
    Fault("long_work", "                self._work = self._latest = None\n", ""),
    Fault("long_work", "                if self._work is None:\n", "                if True:\n"),
    Fault("long_work", "pair = self._next() if seen is None else seen", "pair = self._next()"),
    Fault("long_work", "        if seen is not self._latest:\n            yield self._latest\n",
          ""),
    Fault("long_work", "if pair is not None and pair[1] is not None:", "if pair is not None:"),
    # --- second_process --------------------------------------------------------------------------
    Fault("second_process", "    os.dup2(2, 1)  # what is printed is not read as a reply\n", ""),
    Fault("second_process", "n_received, None)", "0, None)"),
    Fault("second_process", "raise value", "return"),
    Fault("second_process", "if number == self._number:", "if True:"),
    Fault("second_process", "self._inbox.put((GONE, None))  # whoever reads it", "pass"),
    Fault("second_process", '"-P", "-m"', '"-m"'),
    Fault("second_process", "if not wanted.empty():\n                    break\n", "pass\n"),
    Fault("second_process", "os._exit(0)", "pass"),
    Fault("second_process", "signal.signal(signal.SIGINT, signal.SIG_IGN)", "pass"),
]

if __name__ == "__main__":
    sys.exit(main())
