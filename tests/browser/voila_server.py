"""Voila serving the instructor's board on loopback, as README says: in the checkout's folder."""

import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
from lab_server import PATIENCE

from helpers.execute import ONE_THREAD, QUIET_KERNEL, ROOT

BOARD = ROOT / "notebooks" / "00_lecture_demos.ipynb"
# What voila.json says in minutes. A page that is open keeps its kernel, however long it is idle.
CULL = "--MappingKernelManager.cull"
SOONER = (f"{CULL}_idle_timeout=3", f"{CULL}_interval=1")


class VoilaServer:
    """A running Voila; stop it with `stop()`. Every page gets a kernel of its own."""

    def __init__(self, folder):
        self.log = Path(folder, "voila.log")
        environment = {
            **os.environ, **ONE_THREAD, **QUIET_KERNEL,
            "PYTHONPATH": str(ROOT),
            "JUPYTER_PREFER_ENV_PATH": "1",
            "JUPYTER_CONFIG_DIR": str(Path(folder, "config")),
            "JUPYTER_DATA_DIR": str(Path(folder, "data")),
            "IPYTHONDIR": str(Path(folder, "ipython")),
        }
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "voila", str(BOARD), f"--port={_free_port()}",
                 "--Voila.ip=127.0.0.1", *SOONER],
                cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )
        self.url = self._printed_address()

    def _printed_address(self):
        """Return the address that a lecturer opens, with its token."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and self.process.poll() is None:
            if found := re.search(r"^http://\S+\?token=\w+$", self.log.read_text(), re.MULTILINE):
                return found[0]
            time.sleep(0.1)
        self.process.kill()
        raise RuntimeError(f"Voila did not start:\n{self.log.read_text()}")

    def kernels(self):
        """Return the processes of the kernels that run, a set."""
        children = psutil.Process(self.process.pid).children()
        alive = [one for one in children if one.status() != psutil.STATUS_ZOMBIE]
        return {one for one in alive if "ipykernel_launcher" in one.cmdline()}

    def wait_for(self, what):
        """Return once `what()` is true."""
        until = time.monotonic() + PATIENCE
        while not what():
            assert time.monotonic() < until
            time.sleep(0.1)

    def stop(self):
        self.process.terminate()
        self.process.wait(PATIENCE)


def _free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]
