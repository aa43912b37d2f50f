"""Nothing that a learner runs opens a connection, but to this computer: the course works offline.

A process and the kernel that it starts are watched from their first line on, by Python's audit
hooks. What a library opens in C is not seen; the whole test command without a network sees that
(docs/reliability.md).
"""

import os
import subprocess
import sys

import pytest
from nbformat import v4
from test_imports import MODULES

from helpers.execute import ROOT

WATCH = """
import ipaddress, pathlib, sys

def is_here(host):
    if not isinstance(host, (str, bytes)) or host in ("", b"", "localhost", b"localhost"):
        return True  # None, and the numbers of what is no network
    try:
        return ipaddress.ip_address(host if isinstance(host, str) else host.decode()).is_loopback
    except ValueError:
        return False  # a name

def watch(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None  # a path: on this computer
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = arguments[0]
    else:
        return
    if not is_here(host):
        with open(pathlib.Path(__file__).with_name("seen.txt"), "a") as file:
            print(f"{event} {host} from {pathlib.Path(sys.argv[0]).name}", file=file)
        raise PermissionError(f"no connection to {host}")

sys.addaudithook(watch)
"""
DEMOS = """
import importlib
for name in {names!r}:
    room, demo = name.split(".")
    panel = getattr(importlib.import_module(f"helpers.{{room}}.demos"), demo)()
    for control in panel.controls.values():
        control.index = 0
    panel.wait()
    assert panel.error is None
panel
"""
QUICK = ["batch_norm_mechanics.one_batch_demo", "minibatch_noise.microscope_demo"]
TRAINED = ["minibatch_noise.groups_demo", "in_practice.norms_demo", "covariate_shift.region_demo"]
CALLS_OUT = 'import urllib.request\nurllib.request.urlopen("http://192.0.2.1/")'
LOOKS_UP = 'import socket\nsocket.create_connection(("example.org", 80))'


def run_watched(folder, code, *cells):
    """Run code in a new Python, and cells in its kernel; return what was seen and the process."""
    (folder / "sitecustomize.py").write_text(WATCH, encoding="utf-8")
    notebook = folder / "scratch.ipynb"
    cells = [v4.new_code_cell(one) for one in cells]
    notebook.write_text(v4.writes(v4.new_notebook(cells=cells)), encoding="utf-8")
    code += f"\nfrom helpers.execute import main\nassert main([{str(notebook)!r}]) == 0"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=folder, capture_output=True, text=True
    )
    seen = folder / "seen.txt"
    return seen.read_text().splitlines() if seen.exists() else [], done


@pytest.mark.parametrize("names", [QUICK, pytest.param(TRAINED, marks=pytest.mark.thorough)])
def test_modules_demos_and_a_notebook_open_no_connection(tmp_path, names):
    modules = {*MODULES} - {"helpers.slides.config"}  # which nbconvert reads
    seen, done = run_watched(tmp_path, f"import {', '.join(modules)}", DEMOS.format(names=names))
    assert seen == [] and done.returncode == 0, (seen, done.stderr)


@pytest.mark.parametrize(
    ("host", "code", "cells"),
    [("192.0.2.1", CALLS_OUT, []), ("example.org", "", [LOOKS_UP])], ids=["process", "kernel"],
)
def test_a_connection_is_noticed_and_refused(tmp_path, host, code, cells):
    seen, done = run_watched(tmp_path, code, *cells)
    assert len(seen) == 1 and host in seen[0]
    assert f"PermissionError: no connection to {host}" in done.stderr
