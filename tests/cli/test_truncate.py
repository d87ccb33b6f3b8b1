"""`bandfold truncate`: the whole scene comes back from fewer bytes, at a lower quality."""

import json

import numpy as np
import pytest

from bandfold.bitstream.container.sections import Section, read_sections, write_section
from bandfold.bitstream.container.truncation import truncate
from bandfold.common.errors import BudgetError, StreamError
from bandfold.ground import Decoder
from bandfold.onboard import Encoder
from bandfold.synthetic.scenes import SyntheticScene

from .conftest import check_failure


@pytest.fixture(scope="module")
def cube():
    return SyntheticScene(128, 120, 60, seed=4).read(slice(0, 60), slice(0, 128))


@pytest.fixture(scope="module", params=[False, True])
def stream(request, cube):
    return Encoder(step=16.0, stream=request.param, strip_lines=64).encode(cube)


def psnr(data, cube):
    decoder = Decoder(data)
    decoded = decoder.decode()
    assert decoder.damage == []
    return 10 * np.log10(65535.0**2 / np.mean((decoded.astype(np.float64) - cube) ** 2))


def test_quality_falls_with_the_bytes(cube, stream):
    sizes = [len(stream) * share // 100 for share in (100, 90, 75, 60)]
    cuts = [truncate(stream, size) for size in sizes]
    assert cuts[0].data == stream
    for cut, size in zip(cuts, sizes, strict=True):
        assert 0.75 * size < len(cut.data) <= size
    qualities = [psnr(cut.data, cube) for cut in cuts]
    assert sorted(qualities, reverse=True) == qualities
    # Components go as a whole, which costs more than a coarser step would: docs/reliability.md has figures.
    assert qualities[-1] > 65


def test_cutting_twice_is_cutting_once(stream):
    first, second = len(stream) * 9 // 10, len(stream) * 2 // 3
    assert truncate(truncate(stream, first).data, second).data == truncate(stream, second).data


def test_all_strips_give_their_share(stream):
    before = Decoder(stream).report()["segments"]
    after = Decoder(truncate(stream, len(stream) * 2 // 3).data).report()["segments"]
    assert all(one["chunks"] < other["chunks"] for one, other in zip(after, before, strict=True))


def test_other_sections_stay(stream):
    later = stream + write_section(77, b"from the future")
    cut = truncate(later, len(stream) * 2 // 3)
    kinds = [[one.kind for one in read_sections(data)] for data in (later, cut.data)]
    assert kinds[0] == kinds[1]
    for before, after in zip(read_sections(later), read_sections(cut.data), strict=True):
        if before.kind != Section.SEGMENT:
            assert before == after


def test_what_cannot_be_cut(cube, stream):
    with pytest.raises(BudgetError, match="too few"):
        truncate(stream, 500)
    with pytest.raises(StreamError, match="damaged"):
        truncate(stream[:-1], 5000)
    with pytest.raises(StreamError, match="band by band"):
        truncate(Encoder(step=200.0, spectral="none").encode(cube), 5000)


def test_the_command(run, tmp_path, stream):
    (tmp_path / "a.bf").write_bytes(stream)
    size = len(stream) * 3 // 4
    result = run("truncate", "a.bf", "--bytes", size, "-o", "b.bf", "--json")
    assert (result.status, result.err) == (0, "")
    report = json.loads(result.out)
    assert report["bytes"] == (tmp_path / "b.bf").stat().st_size <= size
    assert report["bytes_before"] == len(stream)
    assert 0 < report["chunks"] < report["chunks_before"]
    assert "chunks are left" not in run("truncate", "a.bf", "--bytes", size, "-o", "b.bf").err
    check_failure(run("truncate", "a.bf", "--bytes", size, "-o", "a.bf"), 2, "the stream itself")
    check_failure(run("truncate", "none.bf", "--bytes", size, "-o", "b.bf"), 6, "cannot be read")
    check_failure(run("truncate", "a.bf", "--bytes", 100, "-o", "b.bf"), 4, "too few")


def test_the_command_with_another_step(run, tmp_path, cube):
    stream = Encoder(step=16.0).encode(cube)
    (tmp_path / "a.bf").write_bytes(stream)
    size = len(stream) // 2
    result = run("truncate", "a.bf", "--bytes", size, "-o", "b.bf", "--requantise", "--json")
    assert (result.status, result.err) == (0, "")
    report = json.loads(result.out)
    data = (tmp_path / "b.bf").read_bytes()
    assert report["bytes"] == len(data) <= size
    assert report["factor"] > 1.2
    assert psnr(data, cube) > psnr(truncate(stream, size).data, cube) + 0.5
    result = run("truncate", "b.bf", "--bytes", size, "-o", "c.bf", "--requantise")
    assert result.out.endswith("steps are 1.00 times as coarse\n")
    check_failure(run("truncate", "b.bf", "--bytes", 100, "-o", "c.bf", "--requantise"), 4, "no less than")
