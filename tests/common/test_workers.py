"""Workers: results in order, no more ahead than there are threads, and what fails is told."""

import threading

import pytest

from bandfold.common.errors import SettingsError
from bandfold.common.workers import ALONE, ObjectPool, Workers


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("count", [0, 1, 2, 17])
def test_results_come_in_order(threads, count):
    assert list(Workers(threads).map(lambda x: x * x, range(count))) == [x * x for x in range(count)]


def test_threads_work_side_by_side():
    meeting = threading.Barrier(2, timeout=30)
    # Each waits for the other: alone, none would come back.
    assert sorted(Workers(2).map(lambda _: meeting.wait(), range(2))) == [0, 1]


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_little_is_done_ahead_of_who_takes_it(threads):
    begun = []
    results = Workers(threads).map(lambda x: begun.append(x) or x, range(50))
    assert next(results) == 0
    assert len(begun) <= threads + 1
    results.close()
    assert len(begun) <= threads + 1


@pytest.mark.parametrize("threads", [1, 2])
def test_what_fails_fails_here(threads):
    def fail(x):
        if x == 3:
            raise KeyError(x)
        return x

    results = Workers(threads).map(fail, range(9))
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(KeyError):
        next(results)


@pytest.mark.parametrize("threads", [1, 3])
def test_threads_are_kept_between_calls(threads):
    workers = Workers(threads)
    with workers.kept():
        with workers.kept():
            first = set(workers.map(lambda _: threading.get_ident(), range(40)))
        again = set(workers.map(lambda _: threading.get_ident(), range(40)))
    assert len(first | again) <= threads
    if threads > 1:
        assert threading.get_ident() not in first
    # Afterwards each call has its own again.
    assert list(workers.map(str, range(3))) == ["0", "1", "2"]


def test_what_a_thread_applies_runs_in_it_while_the_others_are_busy():
    workers = Workers(2)
    meeting = threading.Barrier(2, timeout=30)

    def inner(_):
        return threading.get_ident()

    def outer(_):
        meeting.wait()
        seen = {threading.get_ident(), *workers.map(inner, range(5))}
        meeting.wait()
        return seen

    with workers.kept():
        assert all(len(seen) == 1 for seen in workers.map(outer, range(6)))


@pytest.mark.parametrize("count", [1, 2, 5, 6])
def test_idle_threads_help_with_what_a_thread_applies(count):
    workers = Workers(2)
    meeting = threading.Barrier(2, timeout=30)

    def inner(number):
        if number < count - count % 2:
            meeting.wait()
        return number

    with workers.kept():
        assert list(workers.map(lambda _: list(workers.map(inner, range(count))), [0])) == [[*range(count)]]


@pytest.mark.parametrize("failing", range(5))
def test_what_fails_in_a_thread_that_helps_fails_here(failing):
    workers = Workers(2)

    def inner(number):
        if number == failing:
            raise KeyError(number)
        return number

    with workers.kept():
        with pytest.raises(KeyError):
            list(workers.map(lambda _: list(workers.map(inner, range(5))), [0]))
        assert list(workers.map(str, range(3))) == ["0", "1", "2"]


@pytest.mark.parametrize("threads", [1, 2])
def test_what_is_begun_for_later_is_done_once(threads):
    calls = []
    workers = Workers(threads)
    with workers.kept():
        result = workers.later(lambda: calls.append(threading.current_thread()) or len(calls))
        assert result() == result() == 1
    assert len(calls) == 1
    assert (calls[0] is threading.current_thread()) == (threads == 1)


def test_what_is_begun_for_later_runs_beside_the_caller():
    meeting = threading.Barrier(2, timeout=30)
    workers = Workers(2)
    with workers.kept():
        result = workers.later(meeting.wait)
        assert {meeting.wait(), result()} == {0, 1}


@pytest.mark.parametrize("threads", [1, 2])
def test_what_fails_later_fails_where_it_is_asked_for(threads):
    def fail():
        raise KeyError(3)

    workers = Workers(threads)
    with workers.kept():
        result = workers.later(fail)
        with pytest.raises(KeyError):
            result()


def test_there_is_a_thread():
    assert ALONE.threads == 1
    with pytest.raises(SettingsError, match="0 threads"):
        Workers(0)


def test_what_is_lent_is_lent_once_and_kept():
    pool = ObjectPool(list)
    with pool.lent() as first, pool.lent() as second:
        assert first is not second
    with pool.lent() as again:
        assert again is first
        with pool.lent() as other:
            assert other is second


def test_what_failed_is_given_back():
    pool = ObjectPool(list)
    try:
        with pool.lent() as first:
            raise ValueError
    except ValueError:
        pass
    with pool.lent() as again:
        assert again is first
