"""A second line to the kernel of an opened notebook, beside the page's own."""

import ast
import json
import queue
import threading

from jupyter_client import BlockingKernelClient

from helpers.execute import ROOT

SETUP = f"import sys; sys.path.append({str(ROOT / 'tests' / 'browser')!r}); import probe as _probe"
RUN_ALL_PATIENCE = 600  # seconds that a whole notebook may take


class Kernel:
    """Asks a kernel; `errors` collects all errors and warnings that it publishes meanwhile."""

    def __init__(self, connection_file):
        self._client = BlockingKernelClient(connection_file=str(connection_file))
        self._client.load_connection_file()
        self._client.start_channels()
        self.errors = []
        self._closed = threading.Event()
        # Read at once: a kernel throws messages away that nobody fetches.
        self._listener = threading.Thread(target=self._listen)
        self._listener.start()
        self.run(SETUP)

    def ask(self, expression):
        """Return the value of an expression in probe.py, such as "busy()", through JSON."""
        answer = f"__import__('json').dumps(_probe.{expression})"
        answer = self._execute("", {"answer": answer})["user_expressions"]["answer"]
        if answer["status"] != "ok":
            raise RuntimeError("\n".join(answer["traceback"]))
        return json.loads(ast.literal_eval(answer["data"]["text/plain"]))

    def run(self, code):
        """Run `code`, unseen by the page; raise RuntimeError when it does."""
        self._execute(code, {})

    def close(self):
        self._closed.set()
        self._listener.join()
        self._client.stop_channels()

    def _execute(self, code, expressions):
        sent = self._client.execute(
            code, silent=True, store_history=False, user_expressions=expressions
        )
        while True:
            reply = self._client.get_shell_msg(timeout=RUN_ALL_PATIENCE)
            if reply["parent_header"].get("msg_id") == sent:
                break
        if reply["content"]["status"] != "ok":  # a failing cell aborts what waits behind it
            told = reply["content"].get("traceback", ["aborted:", *self.errors])
            raise RuntimeError("\n".join(told))
        return reply["content"]

    def _listen(self):
        while not self._closed.is_set():
            try:
                message = self._client.get_iopub_msg(timeout=0.2)
            except queue.Empty:
                continue
            content = message["content"]
            if message["msg_type"] == "error":
                self.errors.append("\n".join(content["traceback"]))
            elif message["msg_type"] == "stream" and content["name"] == "stderr":
                self.errors.append(content["text"])
