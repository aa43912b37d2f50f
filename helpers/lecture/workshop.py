"""One thread for work that can wait; it ends before Python does."""

import atexit
import threading


class Workshop:
    """A thread that calls `work()` until that returns False, opened when there may be more."""

    def __init__(self, work):
        self._work, self._thread = work, None
        self._is_closed = threading.Event()
        atexit.register(self.close)

    def open(self, seconds_before=0):
        """Begin, after some seconds, unless it is open or was closed."""
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, args=[seconds_before], daemon=True)
            self._thread.start()

    def _run(self, seconds_before):
        self._is_closed.wait(seconds_before)
        while not self._is_closed.is_set() and self._work():
            pass

    def wait(self, timeout=None):
        """Return when all is done, or after `timeout` seconds."""
        if self._thread is not None:
            self._thread.join(timeout)

    def close(self):
        """Let the work under way end, and begin none any more."""
        self._is_closed.set()
        self.wait()
