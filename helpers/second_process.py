"""A second Python process: what somebody waits for is computed on two cores.

Threads would be simpler, but every NumPy call takes the interpreter's lock: two halves of a
training run in two threads took as long as one after the other, in two processes half of that.
The process starts when it is first wanted, waits for more, and ends with the one that started it.
"""

import atexit
import itertools
import os
import pickle
import signal
import subprocess
import sys
import threading
from pathlib import Path
from queue import SimpleQueue

RESULT, ERROR, END, GONE = range(4)


class SecondProcess:
    """Computes the results of one generator at a time: of the one wanted last."""

    def __init__(self):
        self._lock, self._numbers = threading.Lock(), itertools.count()
        self._process, self._number, self._inbox = None, None, SimpleQueue()

    def results(self, function, /, **settings):
        """Begin `function(**settings)`, a generator, in the other process; yield its results here.

        function: of a module, and always with the same results for the same settings. Where there
        is no other process, or it is wanted for something else meanwhile, the rest is computed
        here. What `function` raises is raised here.
        """
        inbox = self._begin(function, settings)

        def receive():
            n_received = 0
            while True:
                kind, value = inbox.get()
                if kind == RESULT:
                    n_received += 1
                    yield value
                elif kind == ERROR:
                    raise value
                elif kind == END:
                    return
                else:
                    yield from itertools.islice(function(**settings), n_received, None)
                    return

        return receive()

    def _begin(self, function, settings):
        """Send the work and return the queue for its results."""
        with self._lock:
            number = next(self._numbers)
            message = pickle.dumps((number, function, settings))  # an error leaves all as it was
            self._inbox.put((GONE, None))  # whoever reads it
            self._number, self._inbox = number, SimpleQueue()
            try:
                if self._process is None:
                    self._process = _start(self._receive)
                self._process.stdin.write(message)
                self._process.stdin.flush()
            except OSError:
                self._process = None
                self._inbox.put((GONE, None))
            return self._inbox

    def _receive(self, process):
        """Hand on what `process` sends, until it ends."""
        while True:
            try:
                number, kind, value = pickle.load(process.stdout)
            except Exception:  # it is gone, or sent what cannot be read here
                break
            with self._lock:
                if number == self._number:
                    self._inbox.put((kind, value))
        _end(process)
        with self._lock:
            if process is self._process:
                self._process = None
                self._inbox.put((GONE, None))


second_process = SecondProcess()


def _start(receive):
    """Start the process and a thread that calls `receive(process)`."""
    root = str(Path(__file__).resolve().parent.parent)
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    process = subprocess.Popen(
        # -P: a reader's queue.py beside the notebook is not the library's
        [sys.executable, "-P", "-m", __name__], env={**os.environ, "PYTHONPATH": path},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )
    atexit.register(_end, process)
    threading.Thread(target=receive, args=[process], daemon=True).start()
    return process


def _end(process):
    process.kill()
    process.wait()


def serve(requests, replies):
    """Compute what `requests` asks for, always the latest, and write it to `replies`."""
    wanted = SimpleQueue()
    threading.Thread(target=_listen, args=[requests, wanted], daemon=True).start()
    while True:
        number, function, settings = wanted.get()
        if not wanted.empty():
            continue
        reply = _Reply(replies, number)
        try:
            for result in function(**settings):
                if not wanted.empty():
                    break
                reply(RESULT, result)
            else:
                reply(END)
        except Exception as error:
            reply(ERROR, error)


class _Reply:
    def __init__(self, stream, number):
        self._stream, self._number = stream, number

    def __call__(self, kind, value=None):
        message = pickle.dumps((self._number, kind, value))  # all of it, or nothing is written
        self._stream.write(message)
        self._stream.flush()


def _listen(requests, wanted):
    try:
        while True:
            wanted.put(pickle.load(requests))
    finally:
        os._exit(0)  # nobody is there any more


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it interrupts the other process
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what is printed is not read as a reply
    serve(sys.stdin.buffer, replies)
