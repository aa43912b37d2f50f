"""How long from a key press to the new picture on the screen? Measured in JupyterLab and Chromium.

    python benchmarks/slider_latency.py

Each demo's first slider is moved by arrow keys, one picture at a time. Beside it, in the same page
and taking turns with it, stand the floor, a callback that only sets a Label, and what
`interact` with `plt.show()` takes for the same figure. Demos that train are measured at settings
that were not visited before: the first frame and the final picture. All that takes ten minutes.

Needs Chromium and `pip install -e ".[test,browser]"`.
"""

import statistics
import sys
import tempfile
from dataclasses import dataclass, field

import nbformat

from helpers.execute import ROOT

sys.path.insert(0, str(ROOT / "tests" / "browser"))

from chromium import launch_chromium
from lab_server import SETTINGS, LabServer
from notebook_page import NotebookPage

# Cells that are out of sight stay in the page.
SETTINGS["@jupyterlab/notebook-extension:tracker"] = {"windowingMode": "none"}
PATIENCE = 180_000  # milliseconds, for cells and for training
PAUSE = 150  # milliseconds between two moves: nothing of one is left when the next begins
N_ROUNDS, N_MOVES = 4, 10

SETUP = """
import ipywidgets, matplotlib.pyplot as plt
from helpers.batch_norm_mechanics import demos as demos_02
from helpers.covariate_shift import demos as demos_01, experiments as experiments_01
from helpers.hidden_layer_stability import demos as demos_03, experiments as experiments_03
from helpers.long_work import finish
from helpers.minibatch_noise import demos as demos_04
from helpers.page import picture as pictures
from helpers.weighing_the_evidence import demos as demos_05

def interact(demo, *arguments):
    "The same figure as one would do it first: drawn anew by pyplot at every move."
    panel = demo(*arguments)  # whose controls shall move nothing but what `interactive` draws
    for control in panel.controls.values():
        control.unobserve(panel._on_change, "value")
    original = pictures.new_figure
    def pyplot_figure(width=9, height=5):
        with pictures.mpl.rc_context(pictures.COURSE_STYLE):
            return plt.figure(figsize=(width, height))
    def draw(**values):
        pictures.new_figure = pyplot_figure
        try:
            type(panel.picture)().show(panel.compute(**values))
            plt.show()
        finally:
            pictures.new_figure = original
    return ipywidgets.interactive(draw, **panel.controls)

clothes = experiments_03.load_clothes()
drift = finish(experiments_03.watch_drift(clothes))
coats = experiments_01.measure_coats(("plain", "reference", "only_cats_black"))
"""
FLOOR = """
slider, label = ipywidgets.IntSlider(0, 0, 20), ipywidgets.Label("0")
slider.observe(lambda change: setattr(label, "value", str(change.new)), "value")
ipywidgets.VBox([slider, label])
"""
STILL = {
    "01 coats": "demos_01.coat_demo, coats",
    "01 region": "demos_01.region_demo",
    "02 one batch": "demos_02.one_batch_demo",
    "03 kick": "demos_03.kick_demo, drift, clothes",
    "04 microscope": "demos_04.microscope_demo",
    "05 learning rates": "demos_05.learning_rate_demo",
}
# Slider by slider, how often to press the right arrow: each press is a setting not yet visited.
TRAINING = {
    "02 averages": ("demos_02.averages_demo()", [("batch size", 0, 7)]),
    "03 ridges": ("demos_03.ridge_demo()", [("batch size", 1, 5)]),
    "04 groups (LIVE)": (
        "demos_04.groups_demo()",
        [("statistics group", 0, 6), ("dropout", 1, 4)],
    ),
}

PAGE_SIDE = """
(cell) => {
  const root = document.querySelectorAll(".jp-CodeCell")[cell];
  const record = (window.record = { pressed: null, frames: [] });
  root.addEventListener("keydown", () => {
    record.pressed = performance.now();
    record.frames = [];
  }, true);
  const painted = () => requestAnimationFrame(() => requestAnimationFrame(() => {
    record.frames.push(performance.now() - record.pressed);
  }));
  const seen = new WeakSet();
  function follow(image) {
    if (seen.has(image)) return;
    seen.add(image);
    image.addEventListener("load", painted);
    if (image.complete) painted();  // a new element whose picture is there already
  }
  const images = () => root.querySelectorAll(".jp-OutputArea img");
  images().forEach(follow);
  new MutationObserver((changes) => {
    if (images().length) return images().forEach(follow);
    const at = ({ target }) => target.nodeType === 1 ? target : target.parentElement;
    if (changes.some((change) => at(change).closest(".jupyter-widget-label, .widget-label")
        && !at(change).closest(".widget-slider"))) painted();
  }).observe(root, { subtree: true, childList: true, characterData: true });
}
"""


@dataclass
class Cell:
    """One cell of the page, its slider and the milliseconds measured there."""

    page: object
    index: int
    slider: int = 0
    times: list = field(default_factory=list)

    def __post_init__(self):
        self.box = self.page.locator(".jp-CodeCell").nth(self.index)
        self.handle = self.box.locator(".noUi-handle").nth(self.slider)

    def begin(self):
        self.handle.scroll_into_view_if_needed()
        self.page.evaluate(PAGE_SIDE, self.index)
        self.handle.focus()
        self.page.wait_for_timeout(PAUSE)

    def press(self, key):
        """Press `key` and return after how many milliseconds frames followed it."""
        bar = self.box.locator(".demo-progress")
        self.page.keyboard.press(key)
        self.page.wait_for_function("record.frames.length > 0", timeout=PATIENCE)
        if bar.count():
            hidden = "bar => getComputedStyle(bar).visibility === 'hidden'"
            self.page.wait_for_function(hidden, arg=bar.element_handle(), timeout=PATIENCE)
        self.page.wait_for_timeout(PAUSE)
        return self.page.evaluate("record.frames")

    def move(self):
        """Walk up and down the slider, one key at a time, and keep the times."""
        self.begin()
        for _ in range(N_MOVES):
            now, high = (self.handle.get_attribute(f"aria-value{end}") for end in ("now", "max"))
            if not self.times or now == self.handle.get_attribute("aria-valuemin"):
                self.direction = "ArrowRight"
            if now == high:
                self.direction = "ArrowLeft"
            self.times.append(self.press(self.direction)[0])


def main():
    with tempfile.TemporaryDirectory() as folder, launch_chromium() as chromium:
        server = LabServer(folder)
        try:
            measure_still(server, chromium)
            measure_training(server, chromium)
        finally:
            server.stop()


def measure_still(server, chromium):
    """Print the table of demos without training."""
    cells = [SETUP, FLOOR]
    for demo in STILL.values():
        name, _, argument = demo.partition(", ")
        cells += [f"{name}({argument})", f"interact({demo})"]
    page = open_page(server, chromium, "still", cells)
    rows = {"floor": Cell(page, 1)}
    for index, name in enumerate(STILL):
        rows[name] = Cell(page, 2 + 2 * index)
        rows[f"{name}, interact"] = Cell(page, 3 + 2 * index)
    for _ in range(N_ROUNDS):
        for row in rows.values():
            row.move()
    page.close()
    print(f"{'key press -> picture':28}{'median':>8}{'p95':>8}", flush=True)
    for name, row in rows.items():
        p95 = statistics.quantiles(row.times, n=20, method="inclusive")[-1]
        print(f"{name:28}{statistics.median(row.times):5.0f} ms{p95:5.0f} ms", flush=True)


def measure_training(server, chromium):
    """Print the table of demos that train: each setting is new, then all are visited again."""
    page = open_page(server, chromium, "training", [SETUP, *(one for one, _ in TRAINING.values())])
    print(f"\n{'demos that train':28}{'first frame':>12}{'final':>12}{'again':>9}")
    for index, (name, (_, walks)) in enumerate(TRAINING.items(), start=1):
        for label, slider, n_presses in walks:
            cell = Cell(page, index, slider)
            cell.begin()
            if float(cell.handle.get_attribute("aria-valuenow")) > 0:
                cell.press("Home")
            runs = [cell.press("ArrowRight") for _ in range(n_presses)]
            again = [cell.press("ArrowLeft")[0] for _ in range(n_presses)]
            columns = "".join(
                f"{statistics.median(times):5.0f} ≤{max(times):5.0f}"
                for times in ([run[place] for run in runs] for place in (0, -1))
            )
            print(f"{name + ', ' + label:28}{columns}{statistics.median(again):6.0f}", flush=True)
    print("milliseconds, median ≤ maximum")
    page.close()


def open_page(server, chromium, name, sources):
    """Return a page with a new notebook of these code cells, all of them run."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(one) for one in sources])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, server.notebooks / f"{name}.ipynb")
    opened = NotebookPage(server, chromium, f"{name}.ipynb")
    opened.run_all()
    opened.kernel.close()  # nobody else listens while the clock runs
    opened.page.set_default_timeout(PATIENCE)
    return opened.page


if __name__ == "__main__":
    main()
