"""One thread for work that can wait; it ends before Python does."""

import atexit
import threading


class Workshop:
    """A thread that calls `work()` until that returns False, opened when there may be more."""

    def __init__(self, work):
        self._work, self._thread, self._is_wanted = work, None, False
        self._lock, self._is_closed = threading.Lock(), threading.Event()
        atexit.register(self.close)

    @property
    def is_open(self):
        """Whether work is under way, or soon will be."""
        return self._thread is not None

    def open(self, seconds_before=0):
        """Begin, after some seconds; one that is open asks for work once more before it ends."""
        with self._lock:
            self._is_wanted = True
            if self._thread is None and not self._is_closed.is_set():
                self._thread = threading.Thread(
                    target=self._run, args=[seconds_before], daemon=True
                )
                self._thread.start()

    def _run(self, seconds_before):
        self._is_closed.wait(seconds_before)
        while self._goes_on():
            while not self._is_closed.is_set() and self._work():
                pass

    def _goes_on(self):
        with self._lock:
            goes_on = self._is_wanted and not self._is_closed.is_set()
            self._is_wanted = False
            if not goes_on:
                self._thread = None
            return goes_on

    def wait(self, timeout=None):
        """Return when all is done, or after `timeout` seconds."""
        thread = self._thread
        if thread is not None:
            thread.join(timeout)

    def close(self):
        """Let the work under way end, and begin none any more."""
        self._is_closed.set()
        self.wait()
