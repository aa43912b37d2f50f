"""A Jupyter server of this Python: on loopback, behind a token, with copies of the notebooks.

It serves JupyterLab under /lab and Notebook 7 under /notebooks. Its kernels import this checkout's
`helpers`, use one BLAS thread, and know nothing of the settings of whoever runs the tests.
"""

import json
import os
import secrets
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from urllib.error import URLError

import nbformat

from helpers.execute import ONE_THREAD, QUIET_KERNEL, ROOT

PATIENCE = 120  # seconds, for whatever is waited for: a slow machine is no failure

# Each notebook gets it at its end, to be run while a demo is used.
BUSY_CELL = "sum(n * n for n in range(10_000_000))"

OPTIONS = [
    "--no-browser",
    "--ServerApp.ip=127.0.0.1",
    "--ServerApp.port=0",  # any free one
    "--ServerApp.allow_root=True",  # in a container
    "--LabApp.extension_manager=readonly",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    "--LabApp.news_url=",
    "--MappingKernelManager.cull_interval=0",
]
SETTINGS = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false"}}


class LabServer:
    """A running server with copies of `notebooks/*.ipynb` in `folder`; stop it with `stop()`."""

    def __init__(self, folder):
        self.folder, self.token = Path(folder), secrets.token_hex(16)
        self.notebooks, self.runtime = self.folder / "notebooks", self.folder / "runtime"
        self.log = self.folder / "server.log"
        self.notebooks.mkdir()
        for path in (ROOT / "notebooks").glob("*.ipynb"):
            notebook = nbformat.read(path, as_version=4)
            notebook.cells.append(nbformat.v4.new_code_cell(BUSY_CELL, id="busy"))
            nbformat.write(notebook, self.notebooks / path.name)
        self.process = self._start()
        self.address = self._wait_for_address()

    def url(self, path):
        """Return the address of `path`, such as "lab/tree/01_covariate_shift.ipynb"."""
        return f"{self.address}{path}?token={self.token}&reset"  # nothing else that was open

    def connection_file(self, notebook):
        """Return the connection file of the kernel of the notebook of this name, or None."""
        found = [one["kernel"]["id"] for one in self._sessions(notebook)]
        return self.runtime / f"kernel-{found[0]}.json" if found else None

    def stop_kernel(self, notebook):
        """End the kernel of the notebook of this name."""
        for session in self._sessions(notebook):
            self._ask(f"sessions/{session['id']}", method="DELETE")

    def stop(self):
        self.process.terminate()
        self.process.wait(PATIENCE)

    def _sessions(self, notebook):
        return [one for one in self._ask("sessions") if Path(one["path"]).name == notebook]

    def _ask(self, path, method="GET"):
        request = urllib.request.Request(
            f"{self.address}api/{path}",
            method=method,
            headers={"Authorization": f"token {self.token}"},
        )
        with urllib.request.urlopen(request, timeout=PATIENCE) as reply:
            return json.loads(reply.read() or "null")

    def _start(self):
        own = {name: str(self.folder / name) for name in ("config", "data", "settings", "ipython")}
        labconfig = Path(own["settings"], "overrides")
        labconfig.mkdir(parents=True)
        for name, values in SETTINGS.items():
            package, plugin = name.split(":")
            path = Path(own["settings"], package, f"{plugin}.jupyterlab-settings")
            path.parent.mkdir(parents=True)
            path.write_text(json.dumps(values), encoding="utf-8")
        environment = {
            **os.environ,
            **ONE_THREAD,
            **QUIET_KERNEL,
            "PYTHONPATH": str(ROOT),
            "JUPYTER_TOKEN": self.token,
            "JUPYTER_PREFER_ENV_PATH": "1",  # the kernel of this Python before the user's
            "JUPYTER_RUNTIME_DIR": str(self.runtime),
            "JUPYTER_CONFIG_DIR": own["config"],
            "JUPYTER_DATA_DIR": own["data"],
            "JUPYTERLAB_SETTINGS_DIR": own["settings"],
            "JUPYTERLAB_WORKSPACES_DIR": str(self.folder / "workspaces"),
            "IPYTHONDIR": own["ipython"],
        }
        with self.log.open("w") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "jupyterlab", *OPTIONS, str(self.notebooks)],
                env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )

    def _wait_for_address(self):
        """Return the address that the server wrote down, once it answers there."""
        written = self.runtime / f"jpserver-{self.process.pid}.json"
        patient_until = time.monotonic() + PATIENCE
        while time.monotonic() < patient_until and self.process.poll() is None:
            try:
                self.address = json.loads(written.read_text())["url"]
                self._ask("status")
                return self.address
            except (OSError, ValueError, URLError):
                time.sleep(0.1)
        self.process.kill()
        raise RuntimeError(f"JupyterLab did not start:\n{self.log.read_text()}")
