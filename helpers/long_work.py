"""Long work is a generator of pairs: the share that is done, and the result so far (or None).

A progress bar, a demo and a stored result all consume the same generator. Who wants the end only
calls `finish`; who stops iterating cancels; who asks again for what is `remembered` finds it, or
goes on with it where it stands.
"""

import inspect
import threading
from functools import lru_cache, wraps


def holding(lock):
    """Decorate a function so that a thread that calls it holds `lock` meanwhile.

    An interrupt never leaves it locked. `with lock` is as good in other threads than the main one,
    where none comes, and before Python 3.14: since then one may come behind `__enter__` and before
    the block (issue 148874 of CPython), and all later cells wait for ever.
    """

    def decorate(function):
        @wraps(function)
        def held(*args, **kwargs):
            taken = []
            try:
                taken.extend(map(lock.acquire, (True,)))  # one call into C: whole or not at all
                return function(*args, **kwargs)
            finally:
                if taken:
                    lock.release()

        return held

    return decorate


def finish(work):
    """Return the last result of a generator of (share done, result so far).

    Whatever ends it, such as an interrupt, ends the work: threads of its own train no longer.
    """
    result = None
    try:
        for _, latest in work:
            result = result if latest is None else latest
        return result
    finally:
        getattr(work, "close", int)()  # the iterator of a list has none


def in_turn(names, works):
    """Do several works one after the other; yields (share done, {name: result so far}).

    works: an iterable of generators of (share done, result so far), one for each of `names`; each
    is begun when its turn comes and counts as an equal share.
    """
    names, results = list(names), {}
    for place, (name, work) in enumerate(zip(names, works, strict=True)):
        for share, latest in work:
            if latest is not None:
                results = {**results, name: latest}
            yield (place + share) / len(names), results or None


def remember(maxsize=1):
    """Decorate a function so that its last `maxsize` results are kept, by its arguments.

    A generator of long work is kept as it stands: the next caller sees the latest result first and
    goes on from there. A thread that wants what another is making waits for it. `forget()` keeps
    nothing more. What raises an error is not kept.
    """

    def decorate(function):
        signature, is_long = inspect.signature(function), inspect.isgeneratorfunction(function)
        kept = lru_cache(maxsize)(lambda _key: _KeptWork())
        look = holding(threading.Lock())(kept)  # two threads at the same time might get one each

        @wraps(function)
        def look_up(*args, **kwargs):
            def begin():
                result = function(*args, **kwargs)
                return result if is_long else iter([(1, result)])

            arguments = signature.bind(*args, **kwargs)
            arguments.apply_defaults()
            work = look(_hashable(arguments.arguments)).results(begin)
            return work if is_long else finish(work)

        look_up.forget = kept.cache_clear
        return look_up

    return decorate


class _KeptWork:
    """A generator as it stands: who asks for its results gets the latest, then those that follow.

    Also when another thread takes some of them. Work that has failed begins anew.
    """

    def __init__(self):
        self._lock, self._work, self._latest = threading.Lock(), None, None

    def results(self, begin):
        seen = self._latest
        pair = self._next(begin) if seen is None else seen
        while pair is not None:
            seen = seen if pair[1] is None else pair
            yield pair
            pair = self._next(begin)
        if seen is not self._latest:
            yield self._latest

    def _next(self, begin):
        return holding(self._lock)(self._advance)(begin)

    def _advance(self, begin):
        try:
            if self._work is None:
                self._work = begin()
            pair = next(self._work, None)
        except BaseException:
            self._work = self._latest = None
            raise
        if pair is not None and pair[1] is not None:
            self._latest = pair
        return pair


def _hashable(value):
    if isinstance(value, dict):
        return dict, tuple((name, _hashable(one)) for name, one in value.items())
    if isinstance(value, (list, tuple)):
        return list, tuple(map(_hashable, value))
    return type(value), value  # 1 is not True
