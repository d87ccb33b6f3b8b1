"""Figures as a picture."""

import pytest

from .reports import failed, measurement, report

pytest.importorskip("matplotlib")


@pytest.mark.parametrize(
    "rows",
    [
        (measurement(), measurement(threads=2), failed()),
        (measurement(sensor=None, decode=False, streamed=False),),
    ],
)
def test_a_picture_is_drawn(tmp_path, rows):
    from bandfold.benchmarks.board.plot import plot

    plot(tmp_path / "board.png", report(*rows))
    assert (tmp_path / "board.png").read_bytes().startswith(b"\x89PNG\r\n")
