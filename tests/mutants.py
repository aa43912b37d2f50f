"""Faults seeded into core, page and room 03, one at a time: do a module's tests notice each?

    python tests/mutants.py [module ...] [--list] [--jobs N]

A fault is a text that stands exactly once in its module, with «what it says→what it says then»;
behind ≡ stands why no test can see it. Each is made in a throw-away copy of this checkout, and the
module's tests run there; one that makes them hang counts as found. Exit code: 0 if every fault was
found that can be, 1 if one survived, 2 if one does not fit its module or tests fail without any.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent

# A module's tests have its name; all of the core are in `test_refusals`.
TESTS = {
    "network": ["network", "training"],  # its BLAS threads are counted while a network trains
    "checks": ["refusals", "layers", "network", "training", "bad_input"],
    "training": ["training", "sgd"],
    "arithmetic": ["layers", "network", "training", "sgd"],
    "layer_statistics": ["layer_statistics", "bad_input"],
    "long_work": ["long_work", "interrupts"],
    "hidden_layer_stability/experiments": ["shift"],
    "page/parts": ["picture"],
}
CHANGE = re.compile("«(.*?)→(.*?)»", re.DOTALL)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("modules", nargs="*", metavar="module", help=f"of {', '.join(FAULTS)}")
    parser.add_argument("--list", action="store_true", help="show the faults and run nothing")
    parser.add_argument("--jobs", type=int, default=1, help="how many to try at a time (1)")
    options = parser.parse_args()
    if unknown := set(options.modules) - set(FAULTS):
        parser.error(f"no faults for {', '.join(sorted(unknown))}")
    modules = options.modules or list(FAULTS)
    faults = [Fault(module, *text.split("  ≡ ")) for module in modules for text in FAULTS[module]]
    if options.list:
        print(*faults, f"{len(faults)} faults", sep="\n")
        return 0
    for one in faults:
        try:
            one.read(ROOT)
        except (ValueError, SyntaxError) as error:
            parser.error(f"{one}: {error}")
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        clean, limits = copy_checkout(Path(folder) / "clean"), {}
        for module in modules:
            started = time.monotonic()
            if not tests_pass(clean, module):
                parser.error(f"the tests of {module} fail without any fault")
            limits[module] = 20 * (time.monotonic() - started) + 60  # a busy machine is no hang
        with ThreadPoolExecutor(options.jobs) as pool:
            return report(faults, pool.map(lambda one: is_found(one, clean, limits), faults))


class Fault(NamedTuple):
    module: str
    text: str
    equivalent: str = ""

    def __str__(self):
        reason = f"  (equivalent: {self.equivalent})" if self.equivalent else ""
        return f"{self.module}: {' '.join(self.text.split())}{reason}"

    def read(self, root):
        """Return the path of the module in `root` and its source with the fault."""
        path = root / "helpers" / f"{self.module}.py"
        source = path.read_text(encoding="utf-8")
        original, faulty = (CHANGE.sub(rf"\{which}", self.text) for which in (1, 2))
        if source.count(original) != 1:
            raise ValueError("the original text does not occur exactly once")
        faulty_source = source.replace(original, faulty)
        compile(faulty_source, self.module, "exec")
        return path, faulty_source


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
    names = TESTS.get(module, [Path(module).name]) + ["refusals"] * ("/" not in module)
    command += [f"tests/test_{name}.py" for name in names]
    run = subprocess.run(
        command, cwd=root, env=os.environ | settings, timeout=limit,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    return run.returncode == 0


def is_found(fault, clean, limits):
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        # With the bytecode of the run without faults: only the faulty module is compiled anew.
        copy = shutil.copytree(clean, Path(folder) / "copy", symlinks=True)
        path, faulty = fault.read(copy)
        path.write_text(faulty, encoding="utf-8")
        try:
            return not tests_pass(copy, fault.module, limits[fault.module])
        except subprocess.TimeoutExpired:
            return True


def report(faults, outcomes):
    """Print each outcome as it comes, then the score; return the exit code."""
    n_found = n_survived = 0
    for fault, found in zip(faults, outcomes):
        n_found += found
        n_survived += not found and not fault.equivalent
        print(f"{'found' if found else 'SURVIVED':8}  {fault}", flush=True)
    n_counted = n_found + n_survived  # an equivalent that survives counts neither way
    print(f"{n_found} of {n_counted} faults found ({n_found / max(n_counted, 1):.0%})")
    return 1 if n_survived else 0


# -- the faults --

FAULTS = {  # module: its faults
    "layers": [
        "return «inside.run(function, →function(»*args, **kwargs)",
        "    «inside.run(CHECKED_BEFORE.set, True)→pass»",
        "    «inside.run(np.seterr, all=\"ignore\")→pass»",
        "row_of(1.0, inputs.shape[-2], «inputs.dtype→np.float64»)",
        "row_of(1 / inputs.shape[-«2→1»], inputs.shape[-2], inputs.dtype)",
        "var = batch_mean(np.square(«centred→inputs»))\n    if",
        "«not CHECKED_BEFORE.get() and (np.square(mean) > 1e6 * var).any()→False»",
        "centred, mean = centred - rest, mean« + rest→»",
        "mean + rest\n        «var = batch_mean(np.square(centred))→pass»",
        "inputs.reshape(*front, «batch_size // group_size, group_size, "
        "n_features→group_size, batch_size // group_size, n_features).swapaxes(-3, -2»)",
        "if batch_size < «2→1»:",
        "    if batch_size % group_size«→ == 1»:",
        "if group_size < 2« or batch_size % group_size→»:",
        "if «group_size < 2 or →»batch_size % group_size:",
        # Dense
        "weight_sd = np.sqrt(2 / «n_inputs→n_outputs»)",
        'check_number("weight_sd", weight_sd, «0→-9», 1e30)',
        'check_number("weight_sd", weight_sd, 0, 1e3«0→9»)',
        "generator.standard_normal((n_inputs, n_outputs)«→, dtype=np.float32»)",
        "np.stack(«draws→[draws[0]] * len(draws)»)",
        "«(weight_sd * weights).astype(dtype)→weight_sd * weights»",
        "np.zeros(_per_feature(n_outputs, n_networks)«, dtype→»)",
        '«bias, dtype = check_flag("bias", bias),→dtype =» check_dtype(dtype)',
        "self.weights.swapaxes(-1, -2)« if to_inputs else None→»",
        # BatchNorm
        "n_networks=None, momentum=«0.9→0.99», eps=1e-5, group_size=None",
        "n_networks=None, momentum=0.9, eps=1e-«5→3», group_size=None",
        'check_number("momentum", momentum, 0, 1«, high_open=True→»)',
        'check_number("eps", eps, «1e-30→0», 1e15)  # keeps',
        'check_integer("group_size", group_size«, 2→»)\n',
        "np.ones(self.shape«, dtype), np.zeros(self.shape, dtype→), np.zeros(self.shape»)\n",
        "self.running_var = np.«ones→zeros»_like(self.gamma)",
        "self.running_mean = np.zeros«_like(self.gamma→(self.shape»)",
        "var = «batch_mean(np.square(centred)→batch_sum(np.square(centred)) / "
        "(inputs.shape[-2] - 1»)\n    if",
        "(«self._scale * grad→grad / self._std»)",
        "self._update_running(mean, var, group_size=«groups.shape→inputs.shape»[-2])",
        "np.sqrt(var« + self.eps→»)",
        "np.sqrt(var« + self.eps)→) + self.eps»",
        "        if «self._training→True»:\n",
        "«            moving += sum_grad / n_rows\n→»",  # the mean is a constant
        "moving = «sum_grad_x_hat / (n_rows * self._std) * "
        "self._centred→np.zeros_like(grad)»",  # the variance is a constant
        "n_rows = grad.shape[-«→3] * grad.shape[-»2]",
        "(1 - self.momentum)« / mean.shape[-3]→»",
        "share = «(1 - self.momentum) / mean.shape[-3]  # of each group\n        "
        "self.running_mean *=→self.momentum / mean.shape[-3]\n"
        "        self.running_mean *= 1 -» self.momentum\n",
        "self.running_var *= «→1 - »self.momentum",
        "share *« group_size / (group_size - 1) *→»",
        "values = «batch_sum→batch_mean»(values[..., 0, :])",
        # GroupNorm, LayerNorm
        "n_features % n_groups« or n_features < 2 * n_groups→»:",
        "if «n_features % n_groups or →»n_features < 2 * n_groups:",
        "centred = groups - groups.mean(axis=-«1→2», keepdims=True)",
        "np.square(centred).mean(axis=-1, keepdims=True)« + self.eps→»",
        "np.sqrt(np.square(centred).mean(axis=-«1→2», keepdims=True)",
        "self._split(grad_outputs« * self.gamma→»)",
        "(grad« - grad.mean(axis=-1, keepdims=True)→» - along_x_hat) / self._std",
        "keepdims=True)« - along_x_hat→») / self._std",
        "super().__init__(n_features, «1→2», n_networks, eps, dtype)",
        # Dropout
        'check_number("probability", probability, 0, 1«, high_open=True→»)',
        "self.rng = one_per_network(rng, n_networks)«→[:1] * (n_networks or 1)»",
        "if «training and →»self.probability else None",
        "if training «and self.probability →»else None",
        "        «inputs = with_networks_axis(inputs, self.n_networks)\n        →»mask =",
        "if self._mask is None else grad_outputs * «self._mask→(self._mask > 0)»",
        "«inputs.dtype.type→»(1 / (1 - self.probability))",
        "own in zip(self.rng«→[:1] * len(self.rng)», draws",
        "return inputs if «CHECKED_BEFORE.get()→True» else inputs.copy()",
        # activations
        '    «check_flag("training", training)\n    →»inputs = check_floats',
        "«_check_grad(self, grad_outputs)→grad_outputs» * self._slope",
        "«inputs.clip(0, np.inf→np.fmax(inputs, 0»)",  # hides NaN
        "return outputs >«→=» 0",
        "«0.5 * (1 + np.tanh(0.5 * →1 / (1 + np.exp(-»inputs))",
        # checks of layers
        '«check_floats("inputs", inputs)→np.asarray(inputs)»',
        'return «check_finite("grad_outputs", grad)→grad»',
        '«check_grad("grad_outputs", grad, getattr(layer, "_shape", None))→np.asarray(grad)»',
        '«check_flag("to_inputs", to_inputs)→pass»',
        "«    check_axes(inputs, n_features, n_networks)\n→»",
        'check_finite("inputs", inputs«, dtype=np.float32→»)',
        '«check_finite("inputs", inputs, dtype=np.float32)→pass»',
        "«    if CHECKED_BEFORE.get():\n        return inputs\n→»",
        '«check_integer("n_networks", n_networks)→pass»\n        self.eps',
    ],
    "network": [
        "while self._before« and not self._inside→»:",
        "if «self._n_modules !=→not self._n_modules and» (n_modules := len(sys.modules)):",
        "_set_num_threads(library, «1→2»)",
        '«hasattr(library, "clear_controlling_thread")→False»',
        "«len({id(layer) for layer in self.layers}) < len(self.layers)→False»",
        "next(dtypes, np.dtype(«np.float32→np.float64»))",
        "group_size = batch_size« if layer.group_size is None else layer.group_size→»",
        'check_finite(name, inputs«, dtype=self.dtype→»)',
        "«not np.can_cast(inputs.dtype, self.dtype)→True»  ≡ converted early takes more memory",
        "inputs = inputs«.astype(self.dtype, copy=False)→»\n            return computing",
        "inputs[..., start : start + «ROWS_AT_ONCE→ROWS_AT_ONCE - 1», :]",
        "[«copy.copy(layer) for layer in layers→*layers»], []",
        "if «training→True»:\n                self.check_batch",
        "partial(one_blas_thread«, divergence_allowed→»)",
        "        «check_axes(inputs, self.n_inputs, self.n_networks, name)→pass»\n",
        "if «to_inputs or →»not isinstance(first, Dense):",
        "«expected is not None and width not in (None, expected)→False»",
        "isinstance(layer, «(Dropout, *→tuple(»ACTIVATIONS.values()))",
        # multilayer_perceptron
        '«    dropout = check_number("dropout", dropout, 0, 1, high_open=True)\n→»',
        'check_number("init_scale", init_scale, «1e-15→0», 1e15)',
        '«check_layers(layers, "forward", "backward", "parameters")→list(layers)»',
        '«check_flag("to_inputs", to_inputs)→pass»',
        '«check_grad("grad_logits", grad_logits, self._output_shape)→np.asarray(grad_logits)»',
        "dropout_rng = «[generator.spawn(1)[0] for generator in rng]→rng»",
        "Dropout(dropout, rng=«dropout_rng→rng»,",
        'activation «== "relu→!= "tanh»"',
        "else «n_inputs + →»n_outputs",
        "«init_scale * np.sqrt(→np.sqrt(init_scale * »2 / fan)",
        "«init_scale→(init_scale if is_hidden else init_scale / 2)» * np.sqrt(2 / fan)",
        "bias=not «(is_hidden and batch_norm)→batch_norm»",
        "elif not batch_norm« or group_size is not None→» or eps != 1e-5:",
        "elif «not batch_norm or →»group_size is not None or eps != 1e-5:",
        "partial(BatchNorm, «momentum=momentum, →»eps=eps, group_size",
        "partial(BatchNorm, momentum=momentum, eps=eps«, group_size=group_size→»)",
        "norm(n_outputs, n_networks=n_networks«, dtype=dtype→»)",
        "    «BatchNorm(1, None, momentum, eps, group_size, dtype)  →»#",
        "if «is_hidden and →»dropout:",
        # the loss
        '«check_floats("logits", logits)→np.asarray(logits)»',
        'check_labels("targets", targets, «logits.shape[-1]→None», logits',
        "logits.shape[:-1], «logits.dtype→None»)\n",
        "by_class« - by_class.max(axis=-2, keepdims=True)→»",
        "«        grad *= sample_weights[..., None, :]\n→»",
        "example_losses = example_losses * sample_weights«→ / sample_weights.mean()»",
        "«np.fmin(losses, np.inf)→losses»",
    ],
    "training": [
        "learning_rate, momentum=«0.9→0.0», weight_decay=0.0):",
        'check_number("momentum", momentum, 0, 1«, high_open=True→»)',
        "«np.repeat→np.tile»(one, getattr(layer, name).size // one.size)",
        "«if self._has_decay→if False»:",
        "bad = one[(one «!=→>» 0)",
        "for layer, one in zip(layers, each«→[::-1]») for name in layer.parameters",
        "% 16 == «15→16»",
        "velocities *= «→1 - »self.momentum",
        'velocity += «→(1 - self.momentum) * »getattr(layer, "grad_" + name)',
        "parameters «-→+»= np.multiply",
        "range(0, «parameters.size→1», BLOCK)",
        "if «getattr(layer, name) is not parameter→False»:",
        "if «assigned.shape != parameter.shape→False»:",
        "«    setattr(layer, name, parameter)\n→»\n\ndef",
        "if «len(dtypes) != 1→False»:",
        "any(«np.may_share_memory(one, other) for one, other→False for _» in",
        "    def «__reduce__→_reduce»(self):",
        # minibatches
        "n_samples - batch_size« + 1→», batch_size",
        "[«generator.permutation(n_samples) for "
        "generator→generators[0].permutation(n_samples) for _» in generators]",
        "«generator.permutation(→generator.integers(n_samples, size=»n_samples) for generator in ",
        "[«generator.permutation(n_samples) for generator→np.arange(n_samples) if "
        "batch_size == n_samples else one.permutation(n_samples)\n"
        "                      for one» in generators]",
        'batch_size«, 1, n_samples, high_is="the training set"→»)',
        # train
        "low = «2→1» if any(",
        "«    network.check_batch_size(batch_size)\n→»",
        "learning_rate=learning_rate«, momentum=momentum→», weight_decay=weight_decay\n",
        "momentum=momentum«, weight_decay=weight_decay→»\n",
        "_rows_of(«sample_weights→None», 1)",
        "rows« + starts→»",
        "Step(index, «computing(learn_from, rows)→learn_from(rows)»)",
        "«network.check_inputs(inputs)→np.asarray(inputs)»)  # rows",
        'check_labels("targets", targets, «network.n_outputs→None», shape)',
        'check_labels("targets", targets, network.n_outputs«, shape→»)',
        "sample_weights, shape, «dtype→None»)",
        "(one < «SMALLEST_RATE→0»)",
        "(one > LARGEST_RATE«→ * 1e99»)",
        "if «grad is None→False»:",
    ],
    "datasets": [
        '«, high=len(train_rows), high_is="the training pool"→»)',
        "pool.train_inputs[«train_rows[chosen]→chosen»]",
        "pool.test_inputs[«test_rows[:n_test]→:n_test»]",
        "tuple(CLASS_NAMES[i] for i in «class_ids→sorted(class_ids)»)",
        "if« len(class_ids) < 2 or→»",
        "« or len(set(class_ids)) < len(class_ids)→»:",
        "one, «0→1», len(CLASS_NAMES) - 1)",
        "one, 0, len(CLASS_NAMES)« - 1→»)",
        "np.full(len(CLASS_NAMES), -1, dtype=«np.int64→np.int32»)",
        "«generator.permutation(len(labels)→generator.choice(len(labels), n_train, replace=False»)",
        "order = «generator.permutation(→generator.integers(len(labels), size=»len(labels))",
        "generator.integers(«n_classes→10», size",
        "np.where(«replaced, generator.integers(n_classes, "
        "size=len(labels)), labels→\n        replaced, (labels + "
        "generator.integers(1, n_classes, size=len(labels))) % "
        "n_classes, labels\n    »)",  # never the right label
        "if «checksum(arrays) != SHA256[path.name]→False»:",
        "«        found.update(np.ascontiguousarray(array))\n→»",
        "allow_pickle=«False→True»",
        "{name} {«array.dtype} {→»array.shape}",
        "{name} {array.dtype}« {array.shape}→»",
        '_sum_blocks(raw["test_images"]«→[::-1]», image_size)',
        "train_sums, train_sums«, dtype=np.int64→»)",
        "train_sums.size * total_of_squares« - total**2→»",
        "(np.arange(white + 1) / white - mean) / sd)«.astype(np.float32)→»",
        'check_number("distance", distance«, low=0.0→»)',
        "(-1.0 + «0.5 * →»distance, 0.0)",
    ],
    "shift": [
        "StratifiedKFold(2, shuffle=True«, random_state=0→»)",
        "«cross_val_predict(\n        _domain_classifier(), inputs, "
        'is_target, cv=halves, method="decision_function"\n'
        "    →_domain_classifier().fit(inputs, "
        "is_target).decision_function(inputs»)",
        "_pool(source, target, «squares→True»)\n    # Imported",
        "_pool(source, target, «squares→True»)\n    classifier",
        "np.exp(log_odds« - log_odds.max()→»)  ≡ logistic regression's penalty keeps them small",
        "«    weights = weights / weights.max()\n→»",  # squares of tiny ones are 0
        "if weights.min() < 0« or weights.max() == 0→»:",
        'check_finite("source", source, dtype=«np.float64→np.float32»)',
        "len(inputs) < «5→2»",
        "LogisticRegression(«tol=1e-8→tol=1.0»,",
        "make_pipeline(«StandardScaler(), →»logistic)",
    ],
    "hidden_layer_stability/experiments": [
        "(sd_before >= SILENT_BELOW) «&→|» (sd_after >= SILENT_BELOW)",
        "before.std(axis=-2«), after.std(axis=-2→, ddof=1), after.std(axis=-2, ddof=1»)",
        "centred_before * «(after - mean_after[..., None, :])→after»",
        "mean=np.abs(mean_after - mean_before) / «sd_before→sd_after»",
        "«np.abs(np.log(sd_after / sd_before)→np.log(sd_after / sd_before»)",
        "«before, after = np.sort(before, axis=-2), np.sort(after, axis=-2)→pass»\n",
        "np.abs(after - before).mean(axis=-2)« / sd_before→»",
        "covariance / «(sd_before * sd_after)→sd_before**2»",
        "SILENT_BELOW = 0.«02→6»",
    ],
    "layer_statistics": [
        'fresh=«statistics == "fresh"→True»,',
        "_walk(network, inputs, fresh=True«, group_size=group_size→»)",
        "«copy.deepcopy→copy.copy»(network)",
        "Network(«[copy.copy(layer) for layer in network.layers]→list(network.layers)»)",
        "«network.check_inputs(inputs, name)→np.asarray(inputs)»",
        "        «check_group_size(group_size, inputs.shape[-2])→pass»",
        'if «check_flag("share_weights", share_weights)→share_weights»:',
        "return «computing(pass_through, inputs)→pass_through(inputs)»",
        "(n_rows - 1) / n_rows« if group_size is None else 1.0→»",
        "share = «(n_rows - 1) / n_rows if group_size is None else →»1.0",
        "layer.running_mean«→[...]» = norm",
        "= 0.0, «group_size→None»",
        "= «0.0→0.9», group_size",
        "«twin.running_mean, twin.running_var→_, _» = np",
    ],
    "intervals": [
        "values.ndim != 2« or values.shape[1] < 2→»",
        "ddof=«1→0»",
        "« / np.sqrt(n_seeds)→»",
        "special.stdtrit(n_seeds« - 1→», 0.975)",
        "special.stdtrit(n_seeds - 1, 0.9«7→»5)",
        "«special.stdtrit(n_seeds - 1, →special.ndtri(»0.975)",
        "mean_interval(values - «reference→reference.mean()»)",
        "    if low >«→=» margin:",
        '"fails" if high <«→=» margin',
        "«sorted((sign * interval.low, sign * interval.high))→interval.low, interval.high»",
        "{rounded« + 0.0→»:",
        'int(«f"{self.half_width:.0e}".split("e")[1]→np.floor(np.log10(self.half_width))»)',
        "«max(0, -exponent)→-exponent»",
    ],
    "randomness": [
        "network.spawn(«4)→5)[1:]»]",  # children 1-4, not 0-3
        "«.spawn(n_children)→.spawn(n_children + 1)[1:]»\n",
        ".spawn(n_children)«→[::-1]»\n",
        "    «data: object\n    weights→weights: object\n    data»: object\n",
        "    «order: object\n    dropout→dropout: object\n    order»: object\n",
        'check_integer("seed", seed, «0→-9», np.inf)',
        "else «rng.spawn(n_expected)→[rng] * n_expected»",
        "«[rng]→rng.spawn(1)» if n_networks is None",
        "if len(rng) «!=→<» n_expected:",
        "if «len({id(one) for one in rng}) < len(rng)→not rng»:",
    ],
    "checks": [
        "«isinstance(value, (bool, np.bool_)) or not isinstance(value, Integral→not "
        "isinstance(value, (Integral, np.bool_)»)",
        "«isinstance(value, (bool, np.bool_)) or not isinstance(value, Real→not "
        "isinstance(value, (Real, np.bool_)»)",
        "if value <«→=» low or value > high:",
        "low=1, high=«LARGEST→np.inf», *, high_is",
        "or value >«→=» high:\n        is_open",
        "if number <«→=» low or too_high",
        "« or not np.isfinite(number)→»:",
        "    except «OverflowError→TypeError»:",
        "    if «not isinstance(value, (bool, np.bool_))→value is None»:\n",
        "«type(plain) is type(choice) and →»plain == choice",
        "FLOATS = («→np.float16, »np.float32",
        "«isinstance(dtype, (str, type, np.dtype))→True»",
        "if «isinstance(values, np.ma.MaskedArray)→False»:",
        "if «array.dtype not in FLOATS→array.dtype.kind not in 'iuf'»:",
        "«check_floats(name, grad)→np.asarray(grad)»",
        "if grad.shape« != shape→[-1:] != shape[-1:]»:",
        "1e«15→30» if dtype == np.float32",
        "else 1e«75→200»",
        'array.dtype.kind not in "«iuf→iufb»"',
        "return array«.astype(dtype, copy=False)→»\n\n\ndef check_axes",
        "if array.size and «not (-largest <= float(array.min()) and→(np.isnan(array).any() or»",
        "not («-largest <= float(array.min()) and →»float(array.max()) <= largest)",
        "«not all(→False and all(»hasattr(value, one)",
        "«inputs.ndim == 3 and n_networks not in (None, inputs.shape[0])→False»",
        "    if not «inputs.size→inputs.ndim»:",
        "«(n_features is None or inputs.shape[-1] == n_features)→True»",
        "not in (shape,« shape[-1:]→»)",
        "«not in (shape, shape[-1:])→is None»",
        "if weights.size and weights.min() <«→=» 0:",
        'labels.dtype.kind not in "«iu→iuf»"',
        "else n_classes« - 1→»\n    if",
        "«labels.astype(np.intp, copy=False)→labels»",
        "labels.size and («labels.min() < 0→False» or",
    ],
    "arithmetic": [
        "«    row.flags.writeable = False\n→»",
        "np.full((1, n), value«, dtype→»)",
        "reshape(shape)[..., «0→-1», :]",
        "np.cumsum([«array.size for array in arrays[:-1]→0 * array.size for array in arrays[:-1]»]",
        "values *= «np.abs(values)→values» >",
        "np.finfo(values.dtype)«.tiny→.eps»",
    ],
    "arms": [
        '{"data": data, **«settings, **arms[name]→arms[name], **settings»}',
        "«one_blas_thread(lambda turns: list(pool.map(_Arm.go_on, turns)), turns)→"
        "list(pool.map(_Arm.go_on, turns))»  ≡ each step pins BLAS for itself, too: only slower",
        "runs()« if any(looked) else None→»",
        '«check_integer("every", every, 1, n_steps, high_is="n_steps")→every»',
        "dropout_rng=«streams.dropout→None»",
        "momentum=«memory→momentum»,",
        "«momentum=momentum, →»weight_decay",
        "momentum=momentum«, weight_decay=weight_decay→»,\n",
        "rng=«streams.order→streams.data»",
        "«sample_weights=sample_weights,→»\n",
        "«copy.copy(look)→look»",
        'if «check_flag("look_first", look_first)→False»:',
        "«self._disturb(self._network, self._rng)→pass»\n",
        "self.n_done« % self._every == 0 or self.n_done→»",
        "« or self.n_done == self.n_steps→»:\n                    self",
        "if «n_networks is None and →»inputs.ndim == 3:",
        "below.argmax(axis=0), «len(run.steps) - 1→0»",
        "~_is_below(threshold, run)«.any→.all»(axis=0)",
    ],
    "long_work": [
        "taken.«extend(map(lock.acquire, (True,)))→append(lock.acquire())»",
        "«                if taken:\n                    lock.release()→                pass»",
        "result = «result if latest is None else →»latest",
        "results = {«**results, →»name: latest}",
        "«(place + share)→share» / len(names)",
        "«arguments.apply_defaults()→pass»",
        "lru_cache(«maxsize→maxsize + 1»)",
        "«            self._work = self._latest = None\n→»",
        "            if «self._work is None→True»:\n",
        "pair = self._next(begin)« if seen is None else seen→»",
        "«        if seen is not self._latest:\n            yield self._latest\n→»",
        "if pair is not None« and pair[1] is not None→»:",
    ],
    "page/panel": [
        "«round(one, 10)→one» if type(one) is float",
        "if «self.controls[name].value != value→False»:  # sliders",
        "self._is_held = False\n            «self._on_change()→pass»",
        "self._is_held = «True→False»\n        try",
        "if «self._is_held→False» or values == self._wanted:",
        "share, result = 1, «self._kept.get(tuple(values.values()))→None»",
        "        «except Exception as error:\n            self._report(error)\n"
        "        except K"
        "→except ZeroDivisionError:\n            pass\n        except K»",
        "if «self._wanted is values→True»:\n                            self._show",
        "while share < 1« and self._wanted is values→»:",
        "self.picture.set_ghost(«self.bet.value→None»)",
        "self._wanted, self.stop.description = «None→self._wanted», ",
        "self.error, self._wanted = error, «None→self._wanted»",
        "        «self.picture.show(self._shown)→pass»\n        self._bar_row",
        "if len(self._kept) > N_KEPT«→ + 1»:",
        "    «self._kept = {}→pass»\n\n    def _build_view",
        "self.picture.enlarge(factor)\n        «self._fix_sizes()→pass»",
        "visibility = «\"visible\" if share < 1 else →»\"hidden\"",
        "html.escape(«with_minus_signs(text)→text»)",
        "return «html.escape(with_minus_signs(text))→with_minus_signs(text)».replace",
        "check_number(\"value\", value, «low, high→0»)",
    ],
    "page/prediction": [
        "«(np.diff(values) <= 0).any()→False»:",
        "if not 2 <= len(texts) <= len(LETTERS)« or len(set(texts)) < len(texts)→»:",
        "gaps = any(low «!=→<» high",
        "if «gaps or →»not all(low < high",
        "if «not all(because.values())→False»:",
        "numbers = [«round(float(value), 10)→float(value)» for",
        "return «None if self.control.value == NO_BET else →»self.control.value",
        "value = «measured.mean if isinstance(measured, Interval) else →»measured",
        "if low <«=→» value < high:",
        "tolerance« + 1e-9→»:",
        'return "too «high" if distance > 0 else "too low→low" if distance > 0 else "too high»"',
        "        «self.cover.value = \"\"→pass»\n        self.show_me",
        "verdict = \"right.\" if value «==→!=» self.right else wrong",
        "        «bet.observe(self._follow)→pass»\n\n    def _follow",
        "    «self.control.observe(self._uncover, \"value\")→pass»\n\n    def _name",
    ],
    "page/exercise": [
        "class _TooSlowError(«KeyboardInterrupt→Exception»)",
        "signal.ITIMER_REAL, «SECONDS→SECONDS * 999»)",
        "except («Exception, SystemExit→Exception») as error:  # an array",
        "[function(*«copy.deepcopy(case)→case») for case",
        "arguments = «copy.deepcopy(case)→case»",
        "[np.full(np.shape(part), np.nan) for _ in range(«16→0»)]",
        "if «not all(map(np.array_equal, arguments, case))→False»:",
        "if «answer is None→False»:",
        "if «values.shape != wanted→False»:",
        "if not (is_word or «np.isfinite(values).all()→True»):",
        "rtol=«1e-6→1e-2», atol",
        "atol=1e-«9→2»)",
        "        signal.signal(signal.SIGALRM, «before→signal.SIG_DFL»)",
        "        «signal.setitimer(signal.ITIMER_REAL, 0)→pass»\n",
        "if «all→any»(map(_same, answers, self._answers_of(mistaken))):",
        "if «not isinstance(name, str) or →»name not in _REFERENCES",
    ],
    "page/picture": [
        "if «artist.axes is None→False»:",
        "for artist in getattr(part, \"artists\", [part]):\n            if artist.axes is None:\n"
        '                raise ValueError(f"moving artists must live in one of the axes, got '
        '{artist!r}")\n'
        "            artist.set_animated(«True→False»)",
        "            «self._arranged.append(part)→pass»",
        "        «canvas.restore_region(self._background)→pass»",
        "self.figure.get_dpi() «* factor→/ factor»)",
        "get_dpi() * factor)\n        «self._background = None→pass»",
        "if style not in «taken→()»)",
        "mpl.rcParams.update(«COURSE_STYLE→{}»)",
        "«@one_at_a_time→@functools.wraps(function)»\n    @functools.wraps(function)",
        "        «self.figure.set_layout_engine(\"none\")→pass»",
        "children.sort(key=lambda child: «→-»child.get_zorder())",
        "return children[moving[0] :«→ moving[0] + 1»] if moving",
        "\"subsampling\": «0→2»",
    ],
    "page/parts": [
        "«np.flip(bars, axis=-1) if self.horizontal else →»bars",
        "np.minimum([heights, lows, highs], «self.top→np.inf»)",
        "y=«max(0, y)→y»",
        "np.clip(«np.nan_to_num(ends[:, 1], nan=top)→ends[:, 1]», bottom, top)",
        "axes.axhline(«y→0», linewidth",
        "gaps = [(0, n_missing), (0, «1→0»), (0, 1)",
        "np.argsort(wanted, kind=\"stable\")«→[::-1]»",
        "low, high«→ + steps[-1]» - steps[-1]) + steps",
        "placed[«order→:»] =",
    ],
}

if __name__ == "__main__":
    sys.exit(main())
