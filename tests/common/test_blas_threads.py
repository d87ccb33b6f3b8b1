"""Callers from Python get no threads that they have not asked for, and keep their own."""

from threading import Barrier, Thread

import numpy as np
import pytest

from bandfold.common import workers
from bandfold.common.workers import one_blas_thread
from bandfold.ground import Decoder
from bandfold.onboard import Encoder

threadpoolctl = pytest.importorskip("threadpoolctl")


def threads():
    """How many threads the BLAS of NumPy uses now: other libraries may have one of their own."""
    found = (one for one in threadpoolctl.threadpool_info() if one["user_api"] == "blas")
    return {one["num_threads"] for one in found if "numpy" in one["filepath"]}


@pytest.fixture(autouse=True)
def three(monkeypatch):
    """What the caller asked for."""
    monkeypatch.delenv(workers.BLAS_THREADS, raising=False)
    workers._libraries.cache_clear()
    with threadpoolctl.threadpool_limits(3, user_api="blas"):
        if threads() != {3}:
            pytest.skip("this BLAS takes no number of threads")
        yield
        assert threads() == {3}


def test_what_was_before_comes_back():
    @one_blas_thread()
    def failing():
        with one_blas_thread():
            assert threads() == {1}
        assert threads() == {1}
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        failing()


def test_bodies_that_overlap():
    begun, ended = Barrier(2), Barrier(2)
    found = []

    def other():
        with one_blas_thread():
            begun.wait()
            ended.wait()
            found.append(threads())

    thread = Thread(target=other)
    with one_blas_thread():
        thread.start()
        begun.wait()
    # The first has ended: the other still has one thread.
    found.append(threads())
    ended.wait()
    thread.join()
    assert found == [{1}, {1}]


def test_encoders_and_decoders_use_one(monkeypatch):
    found = []

    def seen(function):
        def called(*arguments, **named):
            found.append(threads())
            return function(*arguments, **named)

        return called

    cube = np.random.default_rng(1).integers(0, 999, (8, 40, 40)).astype(np.uint16)
    encoders = Encoder(step=64), Encoder(step=64, stream=True)
    monkeypatch.setattr(np, "ascontiguousarray", seen(np.ascontiguousarray))
    streams = [encoder.encode(cube) for encoder in encoders]
    assert found
    assert {3} not in found
    for stream in streams:
        decoder = Decoder(stream, restore="off", threads=2)
        found.clear()
        strips = decoder._strip_decoder
        monkeypatch.setattr(strips, "decode", seen(strips.decode))
        blocks = decoder.strips()
        next(blocks)
        assert found == [{1}] * len(found)
        # Between two strips callers have their own again.
        list(blocks)
        assert threads() == {3}


def test_blas_that_has_one_thread_from_the_start_is_left_alone(monkeypatch):
    monkeypatch.setattr(workers, "_blas_name", lambda: "scipy-openblas")
    for threads, alone in [("1", True), ("2", False)]:
        monkeypatch.setenv(workers.BLAS_THREADS, threads)
        assert (workers._libraries.__wrapped__() == ()) is alone
    monkeypatch.setenv(workers.BLAS_THREADS, "1")
    monkeypatch.setattr(workers, "_blas_name", lambda: "mkl")
    assert workers._libraries.__wrapped__() != ()
