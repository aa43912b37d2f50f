"""Long work: generators of (share done, result so far), one after the other, remembered."""

import threading

import pytest

from helpers.long_work import finish, in_turn, remember


def work_up_to(n):
    """Yield n pairs; the second brings nothing new."""
    for k in range(1, n + 1):
        yield k / n, None if k == 2 else k


def test_the_last_result_counts():
    assert finish(work_up_to(4)) == 4
    assert finish(work_up_to(2)) == 1
    assert finish(iter([])) is None


def test_works_in_turn_are_one_work():
    begun = []

    def works():
        for name in "ab":
            begun.append(name)
            yield work_up_to(3)

    pairs = list(in_turn("ab", works()))
    shares = [share for share, _ in pairs]
    assert shares == sorted(shares) and shares[-1] == 1 and begun == ["a", "b"]
    assert [result for _, result in pairs[:3]] == [{"a": 1}, {"a": 1}, {"a": 3}]
    assert pairs[-1][1] == {"a": 3, "b": 3}


# -- remember --


@pytest.fixture
def calls():
    return []


@pytest.fixture
def watched(calls):
    @remember(maxsize=2)
    def watch(n=4):
        for pair in work_up_to(n):
            calls.append(pair)
            yield pair

    return watch


def test_whoever_comes_later_starts_with_the_latest_and_goes_on(watched, calls):
    first = watched()
    assert [next(first), next(first)] == [(0.25, 1), (0.5, None)]
    assert list(watched(4)) == [(0.25, 1), (0.75, 3), (1.0, 4)]
    assert list(first) == [(1.0, 4)]  # what others took is not lost
    assert list(watched(n=4)) == [(1.0, 4)]
    assert calls == list(work_up_to(4))


def test_threads_share_one_work_and_all_end_with_its_end(watched, calls):
    ends = []
    threads = [threading.Thread(target=lambda: ends.append(finish(watched(500)))) for _ in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert ends == [500] * 4 and len(calls) == 500


def test_the_latest_settings_are_kept(watched, calls):
    for n in (1, 3, 1, 5, 1):
        finish(watched(n))
    assert len(calls) == 1 + 3 + 5
    finish(watched(3))
    assert len(calls) == 1 + 3 + 5 + 3
    watched.forget()
    finish(watched(3))
    assert len(calls) == 1 + 3 + 5 + 3 + 3


def test_forgetting_while_others_ask_leaves_the_cache_whole():
    @remember(maxsize=2)
    def double(value):
        return 2 * value

    def ask():
        for number in range(2000):
            assert double(number % 3) == 2 * (number % 3)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    [thread.start() for thread in threads]
    while any(thread.is_alive() for thread in threads):
        double.forget()
    assert [double(one) for one in (0, 1, 2)] == [0, 2, 4]


def test_settings_may_be_lists_and_dicts_and_their_types_count():
    made = []

    @remember(maxsize=9)
    def make(setting, **options):
        made.append(setting)
        return setting

    for setting in ([64, 64], [64, 64], [64], 1, True, 1.0):
        found = make(setting, rate={"a": [1]})
        assert found == setting and type(found) is type(setting)
    assert made == [[64, 64], [64], 1, True, 1.0]


def test_what_fails_is_raised_where_it_was_wanted_and_begun_anew():
    tries = []

    @remember(maxsize=4)
    def watch():
        tries.append(1)
        yield 0.5, "half"
        if len(tries) == 1:
            raise ValueError("it diverged")
        yield 1, "all"

    @remember(maxsize=4)
    def make():
        tries.append(1)
        raise ValueError("no data")

    with pytest.raises(ValueError, match="it diverged"):
        list(watch())
    assert list(watch()) == [(0.5, "half"), (1, "all")]
    for _ in range(2):
        with pytest.raises(ValueError, match="no data"):
            make()
    assert len(tries) == 4
