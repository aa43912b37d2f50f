"""The cells that a student handed in, in a process of their own, as seen by the grader."""

import json
import os
import select
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np

from helpers.execute import ONE_THREAD
from helpers.grade import handed_in
from helpers.grade.handed_in import decode, encode
from helpers.page.exercise import SECONDS

SECONDS_A_FILE = 60  # of which one cell, and all calls of one check, get SECONDS
LARGEST_ANSWER = 10_000_000  # bytes


class GradingError(Exception):
    """Nothing can be graded like this; the message says why."""


class NoAnswerError(BaseException):  # so that it passes through a check
    """The message stands in the table."""


class Process:
    """The cells of one notebook in a process; begun again without a cell that ended it."""

    def __init__(self, sources):
        self.errors = dict.fromkeys(range(len(sources)))  # number of a cell: what it raised
        self._sources, self._running = dict(enumerate(sources)), None
        self._ends_at = time.monotonic() + SECONDS_A_FILE

    def begin(self):
        """Run all cells, unless they have been run; give the next check its time."""
        while self._running is None:
            self._start()
            for number, source in list(self._sources.items()):
                try:
                    error = self._ask({"run": source}).get("error")
                    self.errors[number] = error and f"error: {error}"  # it might say "correct"
                except NoAnswerError as reason:
                    self.errors[number] = str(reason)
                    del self._sources[number]
                    break
        self._until = min(time.monotonic() + SECONDS, self._ends_at)

    def function(self, name):
        """Return the student's function, as a function here; it may raise NoAnswerError."""

        def attempt(*arguments):
            handed = [{"function": i} if callable(argument) else encode(argument)
                      for i, argument in enumerate(arguments)]
            reply = self._ask({"call": name, "arguments": handed}, self._until)
            while "ask" in reply:
                reply = self._ask(_own_answer(arguments, reply), self._until)
            if "missing" in reply:
                raise NoAnswerError("missing cell")
            if "raised" in reply:
                raise _as_error(**reply)
            try:
                for own, returned in zip(arguments, reply["arguments"]):
                    if isinstance(own, np.ndarray):
                        own[...] = decode(returned)  # the check sees what was changed in place
                return decode(reply["answer"])
            except Exception:
                self.end()  # who knows what else it has sent
                raise NoAnswerError("its answer could not be read") from None

        return attempt

    def end(self):
        """Kill the process and what it may have started."""
        if self._running is not None:
            with self._running, suppress(ProcessLookupError):
                os.killpg(self._running.pid, 9)
            self._running = None

    def _start(self):
        if time.monotonic() > self._ends_at:
            raise NoAnswerError("time-out")
        code = Path(handed_in.__file__).read_text(encoding="utf-8")
        self._running = subprocess.Popen(
            [sys.executable, "-I", "-B", "-c", code], bufsize=0, start_new_session=True,
            cwd=os.sep,  # where it may not write
            env={**ONE_THREAD, "PATH": os.defpath},  # not what the account keeps there
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )
        os.set_blocking(self._running.stdin.fileno(), False)
        self._received = b""
        if not self._ask(None, time.monotonic() + 60).get("ready"):
            told = "as root, students' processes become `nobody`, who may not read this Python"
            raise GradingError(f"{told}: use another account")

    def _ask(self, message, until=None):
        """Send a message, unless it is None, and return the reply; else end the process."""
        until = until or min(time.monotonic() + SECONDS, self._ends_at)
        left = b"" if message is None else json.dumps(message).encode() + b"\n"
        write, read = self._running.stdin.fileno(), self._running.stdout.fileno()
        reason = "its process ended"
        with suppress(OSError, ValueError, TypeError, RecursionError):  # a broken pipe, no JSON
            while left or b"\n" not in self._received:
                seconds = max(0, until - time.monotonic())
                reads, writes, _ = select.select([read], [write] if left else [], [], seconds)
                if not (reads or writes) or time.monotonic() > until:
                    reason = "time-out"
                    break
                if writes:
                    left = left[os.write(write, left) :]
                piece = os.read(read, 2**16) if reads else b""
                self._received += piece
                if len(self._received) > LARGEST_ANSWER:
                    reason = "too large an answer"
                    break
                if reads and not piece:
                    break
            else:
                line, _, self._received = self._received.partition(b"\n")
                return dict(json.loads(line))
        self.end()
        raise NoAnswerError(reason)


def _own_answer(arguments, reply):
    """Answer a student's function that calls one of its arguments."""
    try:
        function, given = arguments[reply["ask"]], map(decode, reply["arguments"])
        return {"answer": encode(function(*given))}
    except Exception as error:
        return {"raised": str(error)}


def _as_error(raised, message, line):
    """Return an error that a check puts into words as it does in the student's own notebook."""
    base = TypeError if raised in ("TypeError", "AttributeError") else Exception
    error = type(str(raised), (base,), {"__module__": "builtins"})(str(message))
    error.handed_in_line = str(line)
    return error
