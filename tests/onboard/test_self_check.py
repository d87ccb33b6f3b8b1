"""The known stream: what every machine writes, with kernels and without them."""

import pytest

from bandfold.common import kernels
from bandfold.ground import Decoder
from bandfold.onboard import Encoder
from bandfold.onboard import self_check as selfcheck


def test_the_known_stream_uses_what_there_is():
    report = Decoder(Encoder(bps=selfcheck.BPS).encode(selfcheck.made_up_scene())).report()
    assert min(report["rotations"], len(report["intervals"]), len(report["segments"])) > 1


@pytest.mark.parametrize("plain", [False, True])
def test_it_is_written_here(monkeypatch, plain):
    if plain:
        monkeypatch.setattr(kernels, "library", None)
        assert selfcheck.runs_by() == "NumPy"
    assert selfcheck.writes_the_known_stream()
