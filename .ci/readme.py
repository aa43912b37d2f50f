"""Runs one of the README's two commands, as it stands there for this system, in this folder.

    python3 .ci/readme.py learn            up to a served page and a kernel that runs a cell; twice
    python3 .ci/readme.py test [argument]  the arguments, if any, are handed on to pytest

Needs nothing but Python. The second time the first command may install nothing.
"""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.request import Request, urlopen

ROOT = Path(__file__).resolve().parent.parent
IS_WINDOWS = sys.platform == "win32"
PYTHON = ROOT / (r".venv\Scripts\python.exe" if IS_WINDOWS else ".venv/bin/python")
PATIENCE = 600  # seconds for the installation and the start
SETTINGS = {"allow_root": True, "open_browser": False, "port": 0, "ip": "127.0.0.1"}

# Runs in the new environment, which has what talks to kernels: the first cell of notebook 01.
ASK_KERNEL = """
import json, sys
from jupyter_client import BlockingKernelClient
client = BlockingKernelClient(connection_file=sys.argv[1])
client.load_connection_file()
client.start_channels()
client.wait_for_ready(60)
cells = json.load(open("01_covariate_shift.ipynb", encoding="utf-8"))["cells"]
cell = next("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
where = "import sys, helpers; print('', sys.prefix, helpers.__file__, sep=chr(10))"
for source in (cell, where):
    reply = client.execute_interactive(source, timeout=60)
    assert reply["content"]["status"] == "ok", reply["content"]
"""


def command(name):
    """Return the line of the README for this system."""
    fence = "bat" if IS_WINDOWS else "bash"
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    learn, test = re.findall(rf"^```{fence}\n(.+)\n```$", text, re.MULTILINE)
    return {"learn": learn, "test": test}[name]


def learn(may_install):
    """Start the first command, open its page, run a cell in a kernel, stop it."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        Path(scratch, "jupyter_server_config.json").write_text(json.dumps({"ServerApp": SETTINGS}))
        own = {"JUPYTER_CONFIG_DIR": scratch, "JUPYTER_RUNTIME_DIR": scratch, "IPYTHONDIR": scratch}
        if not may_install:
            own["PIP_NO_INDEX"] = "1"
        started = time.monotonic()
        own_group = {} if IS_WINDOWS else {"start_new_session": True}
        server = subprocess.Popen(
            command("learn"), shell=True, cwd=ROOT, env=os.environ | own, **own_group
        )
        try:
            use(*wait_for_server(server, Path(scratch)), Path(scratch))
            print(f"served a page and ran a cell within {time.monotonic() - started:.0f} s")
        finally:
            stop(server)


def wait_for_server(server, folder):
    """Return the address and the token that a Jupyter server writes down in `folder`."""
    patient_until = time.monotonic() + PATIENCE
    while time.monotonic() < patient_until and server.poll() is None:
        for path in folder.glob("jpserver-*.json"):
            try:
                written = json.loads(path.read_text())
                urlopen(f"{written['url']}login").close()
                return written["url"], written["token"]
            except (OSError, ValueError):
                pass  # not all is written, or nobody answers yet
        time.sleep(0.2)
    sys.exit("error: the first command of the README started no server")


def use(address, token, runtime):
    def ask(path, method="GET"):
        headers = {"Authorization": f"token {token}"}
        with urlopen(Request(f"{address}{path}", method=method, headers=headers)) as reply:
            return reply.read().decode()

    assert "jupyter-config-data" in ask("lab/tree/01_covariate_shift.ipynb")
    kernel = json.loads(ask("api/kernels", method="POST"))["id"]
    connection = runtime / f"kernel-{kernel}.json"
    asked = subprocess.run(
        [PYTHON, "-c", ASK_KERNEL, connection], cwd=ROOT / "notebooks",
        check=True, stdout=subprocess.PIPE, text=True, encoding="utf-8",
    )
    prefix, package = asked.stdout.splitlines()[-2:]
    assert Path(prefix) == ROOT / ".venv", f"kernels belong to {prefix}"
    assert Path(package).parent == ROOT / "helpers", f"kernels import {package}"


def stop(server):
    if IS_WINDOWS:
        subprocess.run(["taskkill", "/F", "/T", "/PID", str(server.pid)], check=False)
    elif server.poll() is None:
        os.killpg(server.pid, signal.SIGTERM)
    server.wait(60)


def main(name, *arguments):
    # On Windows "py" shall be this Python, too.
    os.environ.setdefault("PY_PYTHON", "{}.{}".format(*sys.version_info))
    if name == "learn":
        learn(may_install=True)
        learn(may_install=False)
        return 0
    line = " ".join([command(name), *arguments])
    return subprocess.run(line, shell=True, cwd=ROOT).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
